"""A repository's own secrets: where they are, whose they are, and what never gets out."""

import base64
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.messages import markdown
from bot.core.model import RepositoryName
from bot.engine.redaction import MASK, Redactor
from bot.engine.secrets import RepositorySecrets
from bot.errors import UserError

GIVEN = {"acme/config": {"cd": {"token": "from-settings", "user": "octocat"}, "mail": {"password": "by-settings"}}}


def put(folder: Path, path: str, text: str) -> Path:
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file


def of(repository: str, folder: Path | None, redactor: Redactor | None = None) -> RepositorySecrets:
    return RepositorySecrets(RepositoryName(repository), folder, GIVEN, redactor or Redactor())


def test_a_secret_is_a_folder_with_a_file_for_each_value(tmp_path: Path) -> None:
    put(tmp_path, "acme/config/cd/token", "t0ps3cret\n")
    put(tmp_path, "acme/config/cd/.dockerconfigjson", "{}")
    secrets = of("acme/config", tmp_path)

    assert secrets.get("cd", "token") == "t0ps3cret"
    assert secrets.named("cd") == {"token": "t0ps3cret", ".dockerconfigjson": "{}"}
    assert secrets.get("cd", "user") is None, "the folder's secret goes, whole"
    assert secrets.get("mail", "password") == "by-settings"
    assert (secrets.get("nothing", "x"), secrets.named("nothing")) == (None, {})


def test_settings_are_enough_and_names_of_repositories_have_no_case(tmp_path: Path) -> None:
    put(tmp_path, "acme/shop/cd/token", "lower")
    assert of("Acme/Config", None).named("cd") == GIVEN["acme/config"]["cd"]
    assert of("Acme/Shop", tmp_path).get("cd", "token") == "lower"
    assert of("acme/other", tmp_path).named("cd") == {}


def test_what_kubernetes_mounts_is_read_also_after_it_changed(tmp_path: Path) -> None:
    """https://kubernetes.io/docs/concepts/configuration/secret/#mounted-secrets-are-updated-automatically"""
    mount = tmp_path / "acme/config/cd"
    put(mount, "..2026_01/token", "first!")
    put(mount, "..2026_02/token", "second!")
    (mount / "..data").symlink_to("..2026_01")
    (mount / "token").symlink_to("..data/token")
    secrets = of("acme/config", tmp_path)

    assert secrets.named("cd") == {"token": "first!"}
    (mount / "new").symlink_to("..2026_02")
    (mount / "new").replace(mount / "..data")
    assert secrets.get("cd", "token") == "second!"


def test_a_projected_volume_is_read(tmp_path: Path) -> None:
    put(tmp_path, "..2026_01/acme/config/cd/token", "t0ps3cret")
    (tmp_path / "..data").symlink_to("..2026_01")
    (tmp_path / "acme").symlink_to("..data/acme")

    assert of("acme/config", tmp_path).named("cd") == {"token": "t0ps3cret"}


@pytest.mark.parametrize("name", ["..", ".", "../other", "a/b", "", "a\0b", "..data", "/etc/passwd", "x" * 254])
def test_no_name_leads_elsewhere(name: str, tmp_path: Path) -> None:
    put(tmp_path, "acme/other/cd/token", "theirs")
    put(tmp_path, "acme/config/cd/token", "ours")
    secrets = of("acme/config", tmp_path)

    for ask in (lambda: secrets.get(name, "token"), lambda: secrets.get("cd", name), lambda: secrets.named(name)):
        with pytest.raises(UserError, match="can't be the name of a secret"):
            ask()


@pytest.mark.parametrize("link", ["acme/config/cd/token", "acme/config/cd", "acme/config"])
def test_no_link_leads_out(link: str, tmp_path: Path) -> None:
    outside = put(tmp_path, "outside/acme/config/cd/token", "theirs").parents[3]
    folder = tmp_path / "secrets"
    (folder / link).parent.mkdir(parents=True)
    (folder / link).symlink_to(outside / link)

    with pytest.raises(UserError, match="leads out of its folder"):
        of("acme/config", folder).get("cd", "token")


def test_a_repository_linked_to_another_owners_is_within_and_a_secret_linked_to_another_repository_is_not(
    tmp_path: Path,
) -> None:
    put(tmp_path, "acme/other/cd/token", "theirs")
    (tmp_path / "acme/config").mkdir()
    (tmp_path / "acme/config/cd").symlink_to("../other/cd")
    (tmp_path / "acme/config/alias").mkdir()
    (tmp_path / "acme/config/alias/token").symlink_to("../../other/cd/token")

    for name in ("cd", "alias"):
        with pytest.raises(UserError, match="leads out of its folder"):
            of("acme/config", tmp_path).get(name, "token")


def test_what_is_no_small_text_file_is_refused(tmp_path: Path) -> None:
    folder = put(tmp_path, "acme/config/cd/large", "x" * (1024 * 1024 + 1)).parent
    (folder / "binary").write_bytes(b"\xff\xfe")
    (folder / "below").mkdir()
    os.mkfifo(folder / "pipe")
    secrets = of("acme/config", tmp_path)

    for key, because in (("large", "is larger than 1024 KiB"), ("binary", "is not text in UTF-8")):
        with pytest.raises(UserError, match=because) as refused:
            secrets.get("cd", key)
        assert "xxx" not in str(refused.value)
    assert (secrets.get("cd", "below"), secrets.get("cd", "pipe")) == (None, None)


def test_what_was_read_is_masked_in_whatever_form_and_what_was_not_is_not(tmp_path: Path) -> None:
    put(tmp_path, "acme/config/cd/token", "t0p/s3cret+&\n")
    everything = Redactor()
    redactor = Redactor(everything)
    secrets = of("acme/config", tmp_path, redactor)
    forms = (
        "t0p/s3cret+&",
        "t0p%2Fs3cret%2B%26",
        "dDBwL3MzY3JldCsm",  # of the value
        "eDp0MHAvczNjcmV0KyY=",  # of x:value, as in a header
        "b2N0b2NhdDp0MHAvczNjcmV0KyY=",  # of octocat:value
    )
    assert [secrets.mask(f"<{form}>") for form in forms] == [f"<{form}>" for form in forms]

    secrets.get("cd", "token")

    for form in forms:
        assert "s3cret" not in secrets.mask(f"a {form} b")
        assert MASK in secrets.mask(f"a {form} b")
        assert MASK in everything.mask(f"a {form} b")
    assert secrets.mask({"a": ["t0p/s3cret+&", 7, None], "b": {"c": "it is t0p/s3cret+&."}}) == {
        "a": ["***", 7, None],
        "b": {"c": "it is ***."},
    }


def test_short_values_hide_no_words_and_the_bots_own_marks_stay() -> None:
    redactor = Redactor()
    for value in ("true", "towpath", "result"):
        redactor.learn(value)

    assert redactor.mask("true <!-- towpath:result uat --> towpath") == "true <!-- towpath:result uat --> ***"


def test_a_short_secret_is_masked_as_a_word_in_texts_and_means_nothing_in_data() -> None:
    redactor = Redactor()
    for value in ("k7x", "8080", "off", "--", "p(1"):
        redactor.learn(value)

    assert redactor.mask("token=k7x, k7x! k7xy p(1 off 8080 --") == "token=***, ***! k7xy *** off 8080 --"
    assert redactor.mask_all({"branch": "k7x"}) == {"branch": "k7x"}, "a step may have to find it again"


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\\n", "\n    ", "\n> "])
def test_a_secret_is_found_where_lines_are_broken_in_it(line_end: str) -> None:
    value = "correct-horse-battery-staple-of-acme"
    redactor = Redactor()
    redactor.learn(value)
    encoded = base64.b64encode(f"octocat:{value} and a good many more characters".encode()).decode()
    for text in (value, encoded):
        for width in (5, 7, 20):
            broken = line_end.join(text[at : at + width] for at in range(0, len(text), width))
            told = redactor.mask(f"It said: {broken}{line_end}That was all.")
            assert MASK in told
            assert told.startswith("It said: ")
            assert told.endswith("That was all.")
            plain = told.replace(line_end, "")
            assert not [at for at in range(len(value) - 12) if value[at : at + 12] in plain]
    assert redactor.mask("correct-horse\nand a battery") == "correct-horse\nand a battery"


def test_lines_of_a_key_and_passwords_in_json_are_secrets_by_themselves() -> None:
    redactor = Redactor()
    redactor.learn("-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END KEY-----\n")
    redactor.learn('{"auths": {"ghcr.io": {"username": "octocat", "password": "hunter22"}}}')

    redactor.learn("https://oauth2:gl%70at-123@gitlab.example.com\n")  # as in Git's own store

    assert redactor.mask("octocat MIIEvQIBADANBgkqhkiG9w0BAQEFAASC at ghcr.io with hunter22") == (
        "octocat *** at ghcr.io with ***"
    )
    assert redactor.mask("oauth2 at gitlab.example.com: glpat-123") == "oauth2 at gitlab.example.com: ***"


@given(st.lists(st.text(min_size=6, max_size=12), min_size=1, max_size=4), st.lists(st.text(max_size=20), max_size=4))
def test_no_secret_is_left_in_any_text(values: list[str], others: list[str]) -> None:
    redactor = Redactor()
    for value in values:
        redactor.learn(value)
    text = "".join(f"{other}{value}" for other in [*others, ""] for value in values)
    masked = redactor.mask(text)

    assert not [value for value in values if value in masked and value not in MASK * len(masked)]
    assert Redactor().mask(text) == text


@pytest.mark.parametrize(
    "spelt",
    [
        'a b/c~d+e"é',
        "a%20b%2Fc~d%2Be%22%C3%A9",
        "a%20b/c~d%2Be%22%C3%A9",
        "a+b%2Fc~d%2Be%22%C3%A9",
        "a+b%2fc~d%2be%22%c3%a9",
        'a b/c~d+e\\"\\u00e9',
        'a b/c~d+e\\"é',
        "a b/c~d+e&quot;é",
    ],
)
def test_every_usual_spelling_is_masked(spelt: str) -> None:
    redactor = Redactor()
    redactor.learn('a b/c~d+e"é')
    assert redactor.mask(f"<{spelt}>") == "<***>"


VISIBLE = st.characters(min_codepoint=33, max_codepoint=126)


def bare(text: str) -> str:
    return text.replace("\\", "").replace("\u200b", "")


@given(st.text(VISIBLE, min_size=6, max_size=16).filter(lambda value: len(bare(value)) >= 6))
def test_no_secret_is_left_however_it_is_spelt(value: str) -> None:
    redactor = Redactor()
    redactor.learn(value)
    for told in (value, json.dumps(value), json.dumps({"said": json.dumps({"of": value})})):
        for spelt in (told, markdown.plain(told), markdown.table(["a"], [[markdown.plain(told)]])):
            assert MASK in redactor.mask(f"it said {spelt}!")
            assert bare(value) not in bare(redactor.mask(f"it said {spelt}!")).replace(MASK, "\0")

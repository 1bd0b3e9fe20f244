"""No value of a secret is ever told, only whether it changed."""

import base64

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.changes import compare, masking_key, plaintext_secrets
from bot.core.messages.changes import changes_section

KEY = masking_key(b"a private key")
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\n"


def told(before: str, after: str) -> str:
    return changes_section(compare({"s.yaml": before.encode()}, {"s.yaml": after.encode()}, KEY), 60_000)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_rotated_secret_shows_as_changed_and_by_hashes():
    text = told(f"{SECRET}data: {{password: {encoded('hunter1')}}}", f"{SECRET}stringData: {{password: hunter2}}")
    assert "data.password" in text
    assert text.count("hidden:") >= 2
    assert "hunter" not in text
    assert encoded("hunter1") not in text


def test_the_same_value_spelled_otherwise_has_not_changed():
    text = told(f"{SECRET}data: {{password: {encoded('hunter1')}}}", f"{SECRET}stringData: {{password: hunter1}}")
    assert "data.password" not in text


def test_the_hash_depends_on_a_key_that_nobody_else_has():
    before, after = ({"s.yaml": f"{SECRET}stringData: {{p: {value}}}".encode()} for value in ("a", "b"))
    (first,), (second,) = (compare(before, after, masking_key(key)).resources for key in (b"one", b"two"))
    assert first.fields[0].after != second.fields[0].after


PLACES = {
    "data": lambda value: {"data": {"password": encoded(value)}},
    "stringData": lambda value: {"stringData": {"password": value}},
    "data that is no base64": lambda value: {"data": {"password": value}},
    "data that is no map": lambda value: {"data": [value]},
    "last applied": lambda value: {
        "metadata": {"name": "db", "annotations": {"kubectl.kubernetes.io/last-applied-configuration": value}}
    },
}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("within", ["alone", "list", "list with a stranger", "nameless"])
@settings(max_examples=10)
@given(old=st.uuids(), new=st.uuids())
def test_no_value_of_a_secret_is_in_the_text(place, within, old, new):
    def document(value: str) -> str:
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "db"}, **PLACES[place](value)}
        match within:
            case "list":
                secret = {"apiVersion": "v1", "kind": "List", "items": [secret]}
            case "list with a stranger":
                secret = {"apiVersion": "v1", "kind": "List", "items": [secret, {"odd": "one"}]}
            case "nameless":
                del secret["metadata"]
        return yaml.safe_dump(secret)

    for before, after in ((document(str(old)), document(str(new))), ("", document(str(new))), (document(str(old)), "")):
        text = told(before, after)
        for value in (str(old), str(new)):
            assert value not in text
            assert encoded(value) not in text


@pytest.mark.parametrize("name", ["DB_PASSWORD", "apiKey", "client_secret", "accessToken", "tls.privateKey"])
def test_a_telling_name_is_enough_outside_of_secrets(name):
    assert "hunter" not in told(
        f"{{env: [{{name: {name}, value: hunter1}}]}}", f"{{env: [{{name: {name}, value: hunter2}}]}}"
    )
    assert "hunter" not in told(f'"{name}": hunter1', f'"{name}": hunter2')


@pytest.mark.parametrize("name", ["secretName", "tokenExpirationSeconds", "image", "passwordPolicy"])
def test_other_names_are_shown(name):
    assert "two" in told(f"{name}: one", f"{name}: two")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (f"{SECRET}stringData: {{a: b}}", ("db",)),
        (f"{SECRET}data: {{a: {encoded('b')}}}", ("db",)),
        (f"{SECRET}data: {{}}", ()),
        (f"{SECRET}stringData: {{a: ''}}", ()),
        (SECRET, ()),
        (f"{SECRET}stringData: {{a: 'ENC[AES256_GCM,data:x]'}}\nsops: {{version: 3.9.0}}", ()),
        ("apiVersion: bitnami.com/v1\nkind: SealedSecret\nmetadata: {name: db}\nspec: {encryptedData: {a: b}}", ()),
        (f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: c}}\n---\n{SECRET}stringData: {{a: b}}", ("db",)),
        ("kind: Secret\n  broken", ()),
        ('apiVersion: v1\nkind: "Secr\\x65t"\nmetadata: {name: db}\nstringData: {a: b}', ("db",)),
        ('{"apiVersion": "v1", "kind": "\\u0053ecret", "metadata": {"name": "db"}, "data": {"a": "b"}}', ("db",)),
        ('apiVersion: v1\nkind: "Sec\\\n  ret"\nmetadata: {name: db}\nstringData: {a: b}', ("db",)),
    ],
)  # fmt: skip
def test_plaintext_secrets_are_found(text, names):
    assert plaintext_secrets(text.encode(), "s.yaml") == names


PIECES = ("Secret", "Sec", "ret", "\n", " ", "  ", "'", '"', "\\", "|", ">", "-", "\\x65", "&a ", "*a", "!!str ", "#")


@given(st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
def test_however_its_kind_is_written_a_secret_is_found(kind):
    """A file that can't hold one is not parsed; one with the word in a comment is."""
    text = f"apiVersion: v1\nkind: {kind}\nmetadata: {{name: db}}\nstringData: {{a: b}}\n"
    assert plaintext_secrets(text.encode(), "s.yaml") == plaintext_secrets(f"{text}# Secret".encode(), "s.yaml")

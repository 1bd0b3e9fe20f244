"""Whose login a registry is shown, from the files and programs that Docker keeps logins in."""

import asyncio
import base64
import json
import os
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.urls import RegistryAddress, registry_address
from bot.errors import UserError
from bot.registry import Credentials, OperatorCredentials, nobody, own_first
from bot.registry.credential_program import ask_program
from bot.registry.docker_config import read_docker_config

GHCR = RegistryAddress("ghcr.io", "acme/service")


def auth(text):
    return {"auth": base64.b64encode(text.encode()).decode()}


class Folder:
    """A DOCKER_CONFIG, and a folder on the PATH of credential helpers."""

    def __init__(self, path, clock):
        self.path, self.programs = path, path / "bin"
        self.programs.mkdir()
        self.credentials = OperatorCredentials(path, clock, {"PATH": f"{self.programs}:{os.defpath}"})

    def write(self, **config):
        (self.path / "config.json").write_text(json.dumps(config))

    def program(self, name, script):
        file = self.programs / f"docker-credential-{name}"
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    async def login(self, reference="ghcr.io/acme/service"):
        found = await self.credentials(registry_address(reference))
        return (found.username, found.password, found.identity_token) if found else None


@pytest.fixture
def folder(tmp_path, clock):
    return Folder(tmp_path, clock)


class Kept:
    """A repository's own secrets."""

    def __init__(self, text=None):
        self.text = text

    def get(self, name, key):
        return self.text if (name, key) == ("registry", ".dockerconfigjson") else None


# --- the file -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("auths", "reference", "expected"),
    [
        ({"ghcr.io": auth("a:b")}, "ghcr.io/acme/service", ("a", "b", "")),
        ({"ghcr.io": auth("a:b:c\0\0")}, "ghcr.io/acme/service", ("a", "b:c", "")),
        ({"ghcr.io": {"username": "a", "password": "b"}}, "ghcr.io/acme/service", ("a", "b", "")),
        ({"ghcr.io": {**auth("a:"), "identitytoken": "t"}}, "ghcr.io/acme/service", ("a", "", "t")),
        ({"https://ghcr.io/v2/": auth("a:b")}, "ghcr.io/acme/service", ("a", "b", "")),
        ({"GHCR.io": auth("a:b")}, "ghcr.io/acme/service", ("a", "b", "")),
        ({"ghcr.io": {}}, "ghcr.io/acme/service", None),
        ({"quay.io": auth("a:b")}, "ghcr.io/acme/service", None),
        ({"io": auth("a:b")}, "ghcr.io/acme/service", None),
        ({"https://index.docker.io/v1/": auth("a:b")}, "nginx", ("a", "b", "")),
        ({"docker.io": auth("a:b")}, "acme/service", ("a", "b", "")),
        ({"docker.io/library/nginx": auth("a:b")}, "nginx", ("a", "b", "")),
        ({"127.0.0.1:5000": auth("a:b")}, "127.0.0.1:5000/acme/service", ("a", "b", "")),
        ({"127.0.0.1:5000": auth("a:b")}, "127.0.0.1:5001/acme/service", None),
        # The longest name that the repository is in; a part of a name is none.
        ({"ghcr.io": auth("a:b"), "ghcr.io/acme": auth("c:d")}, "ghcr.io/acme/service", ("c", "d", "")),
        ({"ghcr.io/acme": auth("c:d"), "ghcr.io/acme/service": auth("e:f")}, "ghcr.io/acme/service", ("e", "f", "")),
        ({"ghcr.io": auth("a:b"), "ghcr.io/acm": auth("c:d")}, "ghcr.io/acme/service", ("a", "b", "")),
        ({"ghcr.io/acme/service/db": auth("c:d")}, "ghcr.io/acme/service", None),
    ],
)
async def test_the_login_with_the_longest_name_counts(folder, auths, reference, expected):
    folder.write(auths=auths)
    assert await folder.login(reference) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "is not a JSON object"),
        ('{"auths": []}', "auths is not a JSON object"),
        ('{"auths": {"ghcr.io": "hunter2"}}', "what auths has for 'ghcr.io' is not a JSON object"),
        ('{"auths": {"ghcr.io": {"auth": "hunter2!"}}}', "auth must be base64 of user:password"),
        ('{"auths": {"ghcr.io": {"auth": "aHVudGVyMg=="}}}', "auth must be base64 of user:password"),
        ('{"auths": {"ghcr.io": {"username": 5, "password": "hunter2"}}}', "must be texts"),
        ('{"credHelpers": {"ghcr.io": "../x"}}', "can't be the name of a credential helper"),
        ('{"credsStore": "a b"}', "can't be the name of a credential helper"),
        ('{"credsStore": ["a"]}', "can't be the name of a credential helper"),
    ],
)
async def test_a_file_that_makes_no_sense_is_said_so_without_its_secrets(folder, text, message):
    (folder.path / "config.json").write_text(text)
    with pytest.raises(UserError, match=f"config.json in Towpath's DOCKER_CONFIG.*{message}") as caught:
        await folder.login()
    assert "hunter2" not in str(caught.value)
    assert "aHVud" not in str(caught.value)
    with pytest.raises(UserError, match=message):  # and again: what was wrong is not forgotten
        await folder.login()


@settings(deadline=None)
@given(
    st.recursive(st.none() | st.text() | st.integers(), lambda inner: st.dictionaries(st.text(), inner), max_leaves=9)
)
def test_any_json_is_read_or_refused(data):
    for config in (data, {"auths": data}, {"auths": {"ghcr.io": data}}, {"credHelpers": data}, {"credsStore": data}):
        with suppress(UserError):
            read_docker_config(json.dumps(config), "it").login(GHCR)


async def test_without_a_file_there_are_no_logins(tmp_path, clock):
    assert await OperatorCredentials(None, clock)(GHCR) is None
    assert await OperatorCredentials(tmp_path / "none", clock)(GHCR) is None
    assert await nobody(GHCR) is None


async def test_a_file_that_is_a_folder_or_too_large_is_named(folder, clock):
    (folder.path / "config.json").mkdir()
    with pytest.raises(UserError, match="can't be read: Is a directory"):
        await folder.login()
    (folder.path / "config.json").rmdir()
    (folder.path / "config.json").write_bytes(b" " * ((1 << 20) + 1))
    with pytest.raises(UserError, match="larger than 1,048,576 bytes"):
        await folder.login()


async def test_a_file_that_changes_is_read_anew(folder, clock):
    assert await folder.login() is None
    steps = [
        ({"auths": {"ghcr.io": auth("a:b")}}, ("a", "b", "")),
        ({"auths": {"ghcr.io": auth("c:de")}}, ("c", "de", "")),
    ]
    before = None
    for config, expected in steps:
        folder.write(**config)
        assert await folder.login() == before  # looked at within the last second
        clock.time += timedelta(seconds=1)
        assert await folder.login() == expected
        before = expected
    (folder.path / "config.json").unlink()
    clock.time += timedelta(seconds=1)
    assert await folder.login() is None


# --- programs -----------------------------------------------------------------------------------------

GIVES = """read server; echo "$server" >> "$HOME/asked"
echo '{"ServerURL": "'$server'", "Username": "helped", "Secret": "secret-'$server'"}'"""


@pytest.mark.parametrize(
    ("config", "reference", "expected", "server"),
    [
        ({"credsStore": "keys"}, "ghcr.io/acme/service", "helped", "ghcr.io"),
        ({"credsStore": "keys", "auths": {"ghcr.io": {}}}, "ghcr.io/acme/service", "helped", "ghcr.io"),
        ({"credsStore": "keys"}, "nginx", "helped", "https://index.docker.io/v1/"),
        ({"credHelpers": {"ghcr.io": "keys"}}, "ghcr.io/acme/service", "helped", "ghcr.io"),
        ({"credHelpers": {"ghcr.io": "keys"}}, "quay.io/acme/service", None, None),
        ({"credHelpers": {"docker.io": "keys"}}, "nginx", "helped", "https://index.docker.io/v1/"),
        ({"credHelpers": {"ghcr.io": "keys"}, "credsStore": "none"}, "ghcr.io/acme/service", "helped", "ghcr.io"),
        ({"credHelpers": {"ghcr.io": "keys"}, "auths": {"ghcr.io": auth("a:b")}}, "ghcr.io/a/b", "helped", "ghcr.io"),
        ({"credsStore": "keys", "auths": {"ghcr.io/acme": auth("a:b")}}, "ghcr.io/acme/service", "a", None),
    ],
)
async def test_helpers_are_asked_as_docker_does(folder, config, reference, expected, server):
    folder.program("keys", GIVES)
    folder.write(**config)
    login = await folder.login(reference)
    assert (login[0] if login else None) == expected
    asked = folder.path / "asked"
    assert (asked.read_text().split() if asked.exists() else [None]) == [server]


async def test_a_helper_is_asked_once_in_five_minutes_however_many_want_to_know(folder, clock):
    folder.program("keys", GIVES)
    folder.write(credsStore="keys")
    found = await asyncio.gather(*(folder.login() for _ in range(20)))
    assert found == [("helped", "secret-ghcr.io", "")] * 20
    asked = folder.path / "asked"
    assert asked.read_text() == "ghcr.io\n"
    clock.time += timedelta(minutes=5)
    await folder.login()
    assert asked.read_text() == "ghcr.io\n" * 2


async def test_a_helper_may_keep_an_identity_token_or_nothing(folder, clock):
    folder.write(credsStore="keys")
    folder.program("keys", """echo '{"Username": "<token>", "Secret": "long"}'""")
    assert await folder.login() == ("", "", "long")
    clock.time += timedelta(minutes=5)
    folder.program("keys", "echo credentials not found in native keychain; exit 1")
    assert await folder.login() is None


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo hunter2; exit 1", r"docker-credential-keys failed for ghcr.io \(status 1\)"),
        ("echo hunter2", "gave no credentials for ghcr.io"),
        ("""echo '{"Username": "a", "Secret": 5}'""", "gave no credentials for ghcr.io"),
        ("""echo '{"Username": "a", "Secret": ""}'""", "gave no credentials for ghcr.io"),
        ("yes hunter2", "says more than credentials take"),
        ("sleep 60 & exit 0", "had not answered after 0.5 s"),
        ("sleep 60 & sleep 60", "had not answered after 0.5 s"),
    ],
)
async def test_a_helper_that_fails_is_named_and_not_quoted(folder, script, message):
    folder.program("keys", script)
    environment = {"PATH": f"{folder.programs}:{os.defpath}"}
    with pytest.raises(UserError, match=message) as caught:
        await ask_program("keys", "ghcr.io", environment, seconds=0.5 if "sleep" in script else 30)
    assert "hunter2" not in str(caught.value)


async def test_a_helper_that_is_not_there_or_no_program_is_named(folder):
    folder.write(credsStore="keys")
    with pytest.raises(UserError, match="docker-credential-keys is not installed where Towpath runs"):
        await folder.login()
    folder.program("keys", "")
    (folder.programs / "docker-credential-keys").write_bytes(b"\x7fELF no program")
    with pytest.raises(UserError, match="docker-credential-keys can't be started"):
        await folder.login()


async def test_a_helper_sees_nothing_of_our_environment(folder):
    folder.program("keys", """env > "$HOME/seen"; echo '{"Username": "a", "Secret": "b"}'""")
    folder.write(credsStore="keys")
    assert await folder.login() == ("a", "b", "")
    names = {line.partition("=")[0] for line in (folder.path / "seen").read_text().splitlines()}
    # Such as PYTEST_CURRENT_TEST, which is in ours.
    assert names <= {"PATH", "HOME", "DOCKER_CONFIG", "LC_ALL", "PWD", "SHLVL", "_", "OLDPWD"}


# --- the repository's own -----------------------------------------------------------------------------


async def test_a_repositorys_own_login_goes_before_the_operators(folder):
    folder.write(auths={"ghcr.io": auth("operator:x"), "quay.io": auth("operator:y")})
    own = Kept(json.dumps({"auths": {"ghcr.io": auth("own:z")}}))
    find = own_first(own, folder.credentials)
    assert await find(GHCR) == Credentials("own", "z")
    assert await find(RegistryAddress("quay.io", "acme/service")) == Credentials("operator", "y")
    own.text = None  # read once for a look, and anew for the next
    assert await find(GHCR) == Credentials("own", "z")
    assert await own_first(own, folder.credentials)(GHCR) == Credentials("operator", "x")


async def test_a_repository_chooses_no_program_to_run(folder):
    folder.program("keys", 'touch "$HOME/ran"')
    own = Kept(json.dumps({"credsStore": "keys", "credHelpers": {"ghcr.io": "keys"}}))
    assert await own_first(own, nobody)(GHCR) is None
    assert not (folder.path / "ran").exists()


async def test_a_secret_that_makes_no_sense_is_said_so_without_it():
    find = own_first(Kept('{"auths": {"ghcr.io": {"auth": "hunter2!"}}}'), nobody)
    with pytest.raises(UserError, match=r"\.dockerconfigjson of this repository's secret 'registry'.*base64") as caught:
        await find(GHCR)
    assert "hunter2" not in str(caught.value)


def test_nothing_secret_is_shown():
    known = Credentials("reader", "hunter2", "hunter3")
    assert "hunter" not in repr(known)
    assert "hunter" not in known.account
    others = [Credentials("reader", "hunter2"), Credentials("reader", "hunter3", "hunter2"), Credentials("r", "eader")]
    assert len({known.account, *(other.account for other in others)}) == 4

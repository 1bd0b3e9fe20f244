"""Which key is for which server, and by which way a repository is reached."""

import base64
import hashlib

import pytest

from bot.contracts.git import Credential, SshLogin
from bot.core.model import RepositoryName
from bot.errors import UserError
from bot.git.known_hosts import PUBLISHED
from bot.git.reach import Reach
from tests.git.conftest import StandingClock
from tests.git.ssh_server import new_key
from tests.git.test_ssh import Found, KeptSecrets, reach

KEYS = """\
# who may what
ssh://git.example.com               all
ssh://git@git.example.com/acme      acme
ssh://git.example.com/acme/x.git    one   # that one repository

ssh://git.example.com:7999/         port
"""
NAMES = ("all", "acme", "one", "port")


async def key(ours: Reach, url: str) -> str:
    login = await ours.login(url)
    assert isinstance(login, SshLogin)
    return login.key


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("git@git.example.com:other/x.git", "all"),
        ("ssh://git.example.com/other", "all"),
        ("git@git.example.com:acme/y.git", "acme"),
        ("git@Git.Example.com:Acme/Y", "acme"),
        ("git@git.example.com:acme2/y.git", "all"),
        ("git@git.example.com:acme/x.git", "one"),
        ("ssh://git@git.example.com:22/acme/x/", "one"),
        ("git@git.example.com:acme/x/y.git", "one"),
        ("ssh://git@git.example.com:7999/acme/x.git", "port"),
        ("git@git.example.org:acme/x.git", None),
        ("git@a.git.example.com:acme/x.git", None),
        ("ssh://git@git.example.com:2222/acme/x.git", None),
    ],
)
async def test_the_key_of_the_longest_address_is_taken(url: str, name: str | None) -> None:
    keys = {one: new_key().private for one in NAMES}
    ours = reach(ssh_keys=KEYS, **keys)
    if name is None:
        assert not ours.has_key(url)
        with pytest.raises(
            UserError, match=r"no SSH key for it; put .* secret `git` of acme/config as `ssh-privatekey`"
        ):
            await ours.login(url)
    else:
        assert await key(ours, url) == keys[name]


async def test_one_key_for_all_is_for_the_rest() -> None:
    keys = {one: new_key().private for one in NAMES}
    ours = reach(ssh_keys=KEYS, ssh_privatekey="rest", **keys)
    assert await key(ours, "git@git.example.com:acme/x") == keys["one"]
    with pytest.raises(UserError, match="'ssh-privatekey' of the secret `git` of acme/config is no private key"):
        await ours.login("git@git.example.org:acme/x")


@pytest.mark.parametrize("line", ["ssh://h", "ssh://h a b", "h key", "https://h key", "ssh://-oProxyCommand=x key"])
async def test_a_line_that_is_none_is_named_and_not_quoted(line: str) -> None:
    with pytest.raises(UserError, match="line 2 of `ssh-keys` of the secret `git` of acme/config") as caught:
        await reach(ssh_keys=f"# keys\n{line}").login("git@h:x")
    assert line not in str(caught.value)


async def test_a_key_that_is_named_has_to_be_there() -> None:
    with pytest.raises(UserError, match="names the key 'deploy', which that secret has not"):
        await reach(ssh_keys="ssh://h deploy").login("git@h:x")


@pytest.mark.parametrize(
    ("url", "over"),
    [
        ("git@github.example.com:acme/apps.git", "https://github.example.com/acme/apps.git"),
        ("ssh://git@github.example.com/Acme/apps", "https://github.example.com/Acme/apps"),
        ("ssh://git@ssh.github.example.com:443/acme/apps.git", "https://github.example.com/acme/apps.git"),
        ("https://github.example.com/acme/apps.git", None),
        ("ssh://git@github.example.com:2222/acme/apps.git", None),
        ("git@gitlab.example.com:acme/apps.git", None),
        ("git@github.example.com:other/apps.git", "https://github.example.com/other/apps.git"),
    ],
)
def test_github_is_asked_over_https_with_the_apps_own_token(url: str, over: str | None) -> None:
    assert reach().address(url) == (over or url)
    with_key = reach(ssh_privatekey="key").address(url)
    assert with_key == (url if "other" in url else over or url), "a key is for other owners' repositories"


def test_what_is_reached_with_the_repositorys_own_secret_has_a_mirror_of_its_own() -> None:
    given = Reach(
        RepositoryName("acme/config"),
        KeptSecrets({".git-credentials": "https://o:t@gitlab.com/team\nhttps://o:t@github.example.com"}),
        Found(),
        StandingClock(),
        server_url="https://github.example.com",
    )
    assert given.realm("git@h:acme/x.git") == "acme/config"
    assert given.realm("https://gitlab.com/team/x.git") == "acme/config"
    assert given.realm("https://gitlab.com/other/x.git") == ""
    assert given.credential("https://gitlab.com/team/x.git") == Credential("o", "t")
    assert given.realm("https://github.example.com/other/x.git") == "acme/config"
    assert given.realm("https://github.example.com/Acme/x.git") == "", "the App's token is for these"
    assert reach().realm("https://gitlab.com/team/x.git") == ""


def test_the_host_keys_that_forges_publish_are_these() -> None:
    """The fingerprints as they stand on the pages that the module names."""
    published = {
        ("github.com,[ssh.github.com]:443", "+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU"),
        ("github.com", "p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM"),
        ("gitlab.com", "eUXGGm1YGsMAS7vkcx6JOJdOGHPem5gQp4taiCfCLB8"),
        ("gitlab.com", "HbW3g8zUjNSksFbqTiUWPWg2Bq1x8xdGUrliXFzSnUw"),
        ("bitbucket.org", "ybgmFkzwOSotHTHLJgHO0QN8L0xErw6vd0VhFA9m3SM"),
        ("bitbucket.org", "FC73VB6C4OQLSCrjEayhMp9UMxS97caD/Yyi2bhW/J0"),
    }
    lines = [line.split() for line in PUBLISHED.splitlines()]
    found = {(host, base64.b64encode(hashlib.sha256(base64.b64decode(key)).digest())) for host, _, key in lines}
    assert {(host, digest.decode().rstrip("=")) for host, digest in found} == published

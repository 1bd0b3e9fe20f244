"""What a program is given to log in with: for the server it will ask, however the address is written, or nothing."""

import base64
import json

import pytest

from bot.contracts.registry import Login
from bot.errors import UserError
from bot.registry import RegistryClient, nobody, own_first
from bot.registry.docker_config import Credentials

FILED = {
    "r.test": "whole:one",
    "r.test/team": "team:two",
    "charts.test:8443": "charts:three",
    "http.test": "plain:four",
    "127.0.0.1:5000": "near:five",
    "https://index.docker.io/v1/": "hub:six",
}


class Own:
    """A repository's secrets."""

    def get(self, _name, _key):
        auths = {name: {"auth": base64.b64encode(login.encode()).decode()} for name, login in FILED.items()}
        return json.dumps({"auths": auths})


@pytest.fixture
def artifacts(session, clock):
    return RegistryClient(session, clock, own_first(Own(), nobody)).artifacts


@pytest.mark.parametrize(
    ("url", "username"),
    [
        ("oci://r.test/charts/service:1.0.0", "whole"),
        ("oci://r.test/team/service:1.0.0", "team"),
        ("oci://r.test/team/service@sha256:0123", "team"),
        ("oci://R.TEST/team/service", "team"),
        ("oci://r.test", "whole"),
        ("https://charts.test:8443/stable/", "charts"),
        ("https://charts.test/stable", ""),
        ("http://127.0.0.1:5000/charts", "near"),
        ("oci://docker.io/acme/service", "hub"),
        ("oci://registry-1.docker.io/acme/service", "hub"),
        # Without a host Docker means Docker Hub, and helm a host of that name.
        ("oci://acme/service", ""),
        ("oci://service", ""),
        # What one program reads as this host, and another one as that.
        ("https://r.test\\@evil.test/charts", ""),
        ("https://evil.test#@r.test/charts", ""),
        ("https://r.test:443@evil.test/charts", ""),
        ("https://r.test/team/../other", ""),
        ("https://r.test/team/%2e%2e/other", ""),
        ("oci://r.test?x/charts", ""),
        ("oci://r.test /charts", ""),
        ("OCI://r.test/charts", ""),
        ("file:///r.test", ""),
        # An address that holds a login itself.
        ("https://me:mine@r.test/charts", ""),
    ],
)
async def test_a_login_is_for_the_server_that_is_asked(artifacts, url, username):
    assert (await artifacts.login(url)).username == username


async def test_it_is_not_sent_where_everybody_sees_it(artifacts):
    with pytest.raises(UserError, match="credentials are not sent over http; use https"):
        await artifacts.login("http://http.test/charts")


async def test_without_one_it_is_said_where_to_put_it(session, clock):
    login = await RegistryClient(session, clock, nobody).artifacts.login("oci://other.test/charts/service:1.0.0")
    assert (login.username, login.password, login.identity_token) == ("", "", "")
    assert "give Towpath credentials for other.test, in the key .dockerconfigjson" in login.advice


async def test_an_identity_token_is_given_as_one(session, clock):
    async def find(_address):
        return Credentials("", "", "s3cret-token")

    login = await RegistryClient(session, clock, find).artifacts.login("oci://other.test/charts/service")
    assert login == Login("", "", "s3cret-token", login.advice)
    assert "s3cret" not in repr(login)

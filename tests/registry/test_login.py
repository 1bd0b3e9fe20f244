"""A real registry behind a login, and who may read it."""

import base64
import json

import pytest

from bot.errors import UserError
from bot.registry import OperatorCredentials, RegistryClient, nobody, own_first


class Own:
    """A repository's secrets: a login of its own, or none."""

    def __init__(self, text=None):
        self.text = text

    def get(self, name, key):
        return self.text


def config(host, login):
    return json.dumps({"auths": {host: {"auth": base64.b64encode(login.encode()).decode()}}})


@pytest.fixture(scope="module")
def digest(locked):
    return locked.push("acme/service", "1.0.0", lambda layout: layout.image())


async def test_nobody_in_particular_is_told_what_to_do(locked, digest, client):
    with pytest.raises(UserError, match=r"refuses to let us read it, status 401 .*secret 'registry'"):
        await client.tags(f"{locked.host}/acme/service")


async def test_a_wrong_password_is_said_to_be(locked, digest, client):
    wrong = own_first(Own(config(locked.host, "reader:wrong")), nobody)
    with pytest.raises(UserError, match=r"Towpath's credentials for 127\.0\.0\.1:\d+ are right") as caught:
        await client.with_credentials(wrong).tags(f"{locked.host}/acme/service")
    assert "wrong" not in str(caught.value)


async def test_the_login_of_the_operator_or_of_the_repository_lets_in(locked, digest, session, clock, tmp_path):
    url = f"{locked.host}/acme/service"
    (tmp_path / "config.json").write_text(config(locked.host, "reader:secret"))
    operator = OperatorCredentials(tmp_path, clock)
    everywhere = RegistryClient(session, clock, nobody)
    for client in (
        everywhere.with_credentials(operator),
        everywhere.with_credentials(operator).of_repository(Own()),
        everywhere.of_repository(Own(config(url, "reader:secret"))),
    ):
        assert await client.tags(url) == ("1.0.0",)
        assert (await client.image(url, "1.0.0")).digest == digest


async def test_charts_pushed_by_helm_are_read_with_the_same_login(locked, session, clock, helm, tmp_path):
    package = helm.package("service", "0.3.0")
    file = tmp_path / "config.json"  # that of helm is one of Docker's, too
    file.write_text(config(locked.host, "reader:secret"))
    helm.run("push", str(package), f"oci://{locked.host}/charts", "--plain-http", "--registry-config", str(file))
    client = RegistryClient(session, clock, OperatorCredentials(tmp_path, clock))
    assert await client.tags(f"{locked.host}/charts/service") == ("0.3.0",)

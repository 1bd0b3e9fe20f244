"""helm, kustomize and git reach what EGRESS_ALLOW lists, and nothing else, whatever a server or a name tells them."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.contracts.git import Credential, Identity
from bot.contracts.steps import Network
from bot.core.egress import EgressRules, parse_rules
from bot.engine.egress import Egress
from bot.engine.forward_proxy import ForwardProxy, forward_proxy
from bot.errors import UserError
from bot.git.client import MirroredGit
from bot.rendering import find_programs
from bot.steps.rendering import confine, programs
from tests.environment import required
from tests.security.names import Names, Rebinding

HELM = find_programs().helm
# The names of the tests are allowed though they lead to this machine, as one would list a server inside.
INSIDE = parse_rules("*, *.inside.test")
NAMES = {
    "charts.inside.test": "127.0.0.1",
    "git.inside.test": "127.0.0.1",
    "metadata.inside.test": "169.254.169.254",
    "mapped.inside.test": "::ffff:169.254.169.254",
    "other.test": "127.0.0.1",
}


@dataclass
class Site:
    """A web server that remembers what it was asked, and redirects where it is told to."""

    port: int = 0
    location: str = ""
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)  # host, path, body

    async def answer(self, request: web.Request) -> web.Response:
        self.asked.append((request.host, request.path_qs, await request.read()))
        assert "Proxy-Authorization" not in request.headers
        if self.location:
            return web.Response(status=302, headers={"Location": self.location})
        return web.Response(text="here")


@pytest.fixture
async def sites() -> AsyncIterator[tuple[Site, Site]]:
    """One that is meant to be asked, and one that is not."""
    async with AsyncExitStack() as stack:
        made = []
        for _ in range(2):
            site, app = Site(), web.Application()
            app.router.add_route("*", "/{path:.*}", site.answer)
            server = await stack.enter_async_context(TestServer(app, host="127.0.0.1"))
            site.port = server.port or 0
            made.append(site)
        yield made[0], made[1]


@pytest.fixture
async def proxy() -> AsyncIterator[ForwardProxy]:
    async with forward_proxy(INSIDE, Names(dict(NAMES))) as made:
        yield made


def network(proxy: ForwardProxy, rules: EgressRules = INSIDE) -> Network:
    return Network(proxy.environment(), Egress(rules, resolver=Names(dict(NAMES))).check, proxy.port)


async def through(proxy: ForwardProxy, method: str, url: str, body: bytes | None = None) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.request(method, url, proxy=proxy.environment()["http_proxy"], data=body) as answer,
    ):
        return answer.status, await answer.text()


# --- the proxy ------------------------------------------------------------------------------------------


async def test_the_proxy_passes_on_what_is_allowed(proxy: ForwardProxy, sites: tuple[Site, Site]) -> None:
    host = f"charts.inside.test:{sites[0].port}"
    assert await through(proxy, "GET", f"http://{host}/a/b?c=d") == (200, "here")
    assert await through(proxy, "POST", f"http://{host}/", b"x" * 300_000) == (200, "here")
    assert sites[0].asked == [(host, "/a/b?c=d", b""), (host, "/", b"x" * 300_000)]


@pytest.mark.parametrize(
    ("host", "because"),
    [
        ("127.0.0.1", "EGRESS_ALLOW doesn't list it"),
        ("[::1]", "EGRESS_ALLOW doesn't list it"),
        ("[::ffff:127.0.0.1]", "EGRESS_ALLOW doesn't list it"),
        ("10.0.0.1", "EGRESS_ALLOW doesn't list it"),
        ("0.0.0.0", "EGRESS_ALLOW doesn't list it"),  # noqa: S104  # nothing listens here
        ("2130706433", "not written as an IP address should be"),
        ("169.254.169.254", "metadata address"),
        ("[::ffff:a9fe:a9fe]", "metadata address"),
        ("metadata.inside.test", "metadata address"),
        ("mapped.inside.test", "metadata address"),
        ("other.test", "EGRESS_ALLOW doesn't list it"),
    ],
)
async def test_the_proxy_refuses_the_rest_and_says_why(
    host: str, because: str, proxy: ForwardProxy, sites: tuple[Site, Site]
) -> None:
    status, said = await through(proxy, "GET", f"http://{host}:{sites[0].port}/")
    assert (status, because in said) == (403, True), said
    with pytest.raises(aiohttp.ClientHttpProxyError) as refused:
        await through(proxy, "GET", f"https://{host}:{sites[0].port}/")
    assert refused.value.status == 403
    assert sites[0].asked == []


async def test_a_name_that_changes_its_mind_gains_nothing(sites: tuple[Site, Site]) -> None:
    async with forward_proxy(INSIDE, Rebinding(dict(NAMES))) as proxy:
        url = f"http://charts.inside.test:{sites[0].port}/"
        assert (await through(proxy, "GET", url))[0] == 200
        assert (await through(proxy, "GET", url))[0] == 403


async def test_the_proxy_is_for_our_own_programs(proxy: ForwardProxy, sites: tuple[Site, Site]) -> None:
    url = f"http://charts.inside.test:{sites[0].port}/"
    for given in ("http://127.0.0.1", "http://towpath:guessed@127.0.0.1"):
        async with aiohttp.ClientSession() as session, session.get(url, proxy=f"{given}:{proxy.port}") as answer:
            assert answer.status == 407
    assert sites[0].asked == []
    assert proxy.environment()["http_proxy"] not in repr(network(proxy))


@pytest.mark.parametrize(
    "request_head",
    [
        "GET / HTTP/1.1\r\n{auth}\r\n",
        "NONSENSE\r\n{auth}\r\n",
        "CONNECT charts.inside.test:99999 HTTP/1.1\r\n{auth}\r\n",
        "CONNECT : HTTP/1.1\r\n{auth}\r\n",
        "GET ftp://charts.inside.test/ HTTP/1.1\r\n{auth}\r\n",
        "POST http://charts.inside.test/ HTTP/1.1\r\n{auth}Transfer-Encoding: chunked\r\n\r\n",
        "GET http://charts.inside.test/ HTTP/1.1\r\n" + "X: y\r\n" * 20_000 + "\r\n",
    ],
)
async def test_nonsense_is_answered_and_breaks_nothing(request_head: str, proxy: ForwardProxy) -> None:
    password = proxy.environment()["http_proxy"].removeprefix("http://").partition("@")[0]
    auth = f"Proxy-Authorization: Basic {base64.b64encode(password.encode()).decode()}\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(request_head.replace("{auth}", auth).encode())
    status = (await reader.readline()).decode().split()[1]
    writer.close()
    assert status in {"400", "431", "501", "502"}


# --- the programs ---------------------------------------------------------------------------------------


async def pull(proxy: ForwardProxy, folder: Path, url: str) -> str:
    """What helm complains of when it is to get a chart."""
    required(HELM, "helm is not installed")
    answer = await programs.run(
        HELM, "pull", "--", url, folder=folder, environment=programs.helm_environment(folder), network=network(proxy)
    )
    return answer.complaint


async def test_helm_goes_through_the_proxy(proxy: ForwardProxy, sites: tuple[Site, Site], tmp_path: Path) -> None:
    host = f"charts.inside.test:{sites[0].port}"
    await pull(proxy, tmp_path, f"http://{host}/a-1.0.0.tgz")
    assert sites[0].asked == [(host, "/a-1.0.0.tgz", b"")]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "other.test", "metadata.inside.test"])
async def test_helm_does_not_follow_a_server_where_it_may_not_go(
    host: str, proxy: ForwardProxy, sites: tuple[Site, Site], tmp_path: Path
) -> None:
    """This machine it would ask without the proxy: then the kernel keeps it back."""
    required(confine.possible(), "this kernel has no Landlock for networks (Linux 6.7)")
    sites[0].location = f"http://{host}:{sites[1].port}/secret.tgz"
    said = await pull(proxy, tmp_path, f"http://charts.inside.test:{sites[0].port}/a-1.0.0.tgz")
    assert len(sites[0].asked) == 1
    assert sites[1].asked == []
    assert "403" in said or "permission denied" in said


STEPS = {
    "helm-update-chart": {"path": "c"},
    "helm-template": {"path": "c", "outPath": "o", "releaseName": "r", "buildDependencies": True},
    "kustomize-build": {"path": "k", "outPath": "o"},
}


@pytest.mark.parametrize("step", STEPS)
async def test_each_step_sends_its_program_through_the_proxy(
    step: str, run: Any, proxy: ForwardProxy, sites: tuple[Site, Site]
) -> None:
    """The name is known there only."""
    required(HELM, "helm is not installed")
    required(find_programs().kustomize, "neither kustomize nor kubectl is installed")
    host = f"charts.inside.test:{sites[0].port}"
    for name, text in {
        "c/Chart.yaml": "apiVersion: v2\nname: c\nversion: 0.1.0\n"
        f"dependencies: [{{name: d, version: 1.0.0, repository: 'http://{host}/charts'}}]\n",
        "k/kustomization.yaml": f"resources: ['http://{host}/charts/x.yaml']\n",
    }.items():
        (run.workdir / name).parent.mkdir()
        (run.workdir / name).write_text(text)
    run.context = replace(run.context, programs=replace(run.context.programs, network=network(proxy)))
    with pytest.raises(UserError):  # what it gets there is neither charts nor resources
        await run(step, STEPS[step])
    assert sites[0].asked
    assert sites[0].asked[0][0] == host


@pytest.mark.parametrize(
    ("url", "because"),
    [
        ("http://127.0.0.1:5000/charts", "EGRESS_ALLOW doesn't list it"),
        ("oci://127.0.0.1:5000/charts", "EGRESS_ALLOW doesn't list it"),
        ("http://169.254.169.254/", "metadata address"),
        ("https://metadata.inside.test/", "metadata address"),
    ],
)
async def test_an_address_is_refused_before_a_program_is_run(url: str, because: str, proxy: ForwardProxy) -> None:
    with pytest.raises(UserError, match=because):
        await network(proxy).check(url)


async def test_githubs_own_server_may_always_be_asked() -> None:
    egress = Egress(EgressRules(), ("http://10.1.2.3:8080",))
    await egress.check("http://10.1.2.3:8080/acme/shop.git")
    for url in ("http://10.1.2.3/acme/shop.git", "https://10.1.2.3:8080/acme/shop.git"):
        with pytest.raises(UserError, match="EGRESS_ALLOW"):
            await egress.check(url)


class Clock:
    def now(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC)


async def nobody(_url: str) -> Credential | None:
    return None


async def test_git_goes_through_the_proxy_and_nowhere_else(
    proxy: ForwardProxy, sites: tuple[Site, Site], tmp_path: Path
) -> None:
    bot = Identity("towpath[bot]", "towpath[bot]@example.com")
    git = MirroredGit(tmp_path, nobody, bot, Clock(), environment=proxy.environment())
    assert not (await git.refs(f"http://git.inside.test:{sites[0].port}/acme/shop.git")).heads  # it is none
    assert sites[0].asked[0][1].startswith("/acme/shop.git/info/refs")
    asked = len(sites[0].asked)
    with pytest.raises(UserError, match=r"access was refused|EGRESS_ALLOW"):
        await git.refs(f"http://metadata.inside.test:{sites[0].port}/acme/shop.git")
    with pytest.raises(UserError, match="EGRESS_ALLOW"):
        await git.refs(f"https://metadata.inside.test:{sites[0].port}/acme/shop.git")
    assert len(sites[0].asked) == asked
    await git.close()

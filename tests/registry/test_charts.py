"""Charts that the real helm packaged, indexed and pushed."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.contracts import DiscoveryContext, Git
from bot.errors import UserError
from bot.registry import Credentials, RegistryClient
from bot.registry.charts import read_versions
from bot.subscriptions import chart


@pytest.fixture
async def repository(helm):
    """A classic repository behind HTTP, with ETags."""
    for name, version in [("service", "1.0.0"), ("service", "1.1.0"), ("other", "3.0.0"), ("service-db", "0.1.0")]:
        helm.package(name, version)
    packages = helm.folder / "packages"
    helm.run("repo", "index", str(packages))

    class Site:
        statuses = ()
        authorizations = ()

        async def index(self, request):
            body = (packages / "index.yaml").read_bytes()
            tag = f'"{len(body)}"'
            status = 304 if request.headers.get("If-None-Match") == tag else 200
            self.authorizations += (request.headers.get("Authorization", ""),)
            self.statuses += (status,)
            return web.Response(status=status, body=body if status == 200 else None, headers={"ETag": tag})

    site = Site()
    application = web.Application()
    application.router.add_get("/charts/index.yaml", site.index)
    async with TestServer(application) as server:
        site.url = f"http://127.0.0.1:{server.port}/charts"
        site.helm, site.packages = helm, packages
        yield site


async def test_versions_are_those_of_the_wanted_chart(repository, client):
    assert await client.chart_versions(repository.url, "service") == ("1.1.0", "1.0.0")
    assert await client.chart_versions(repository.url + "/", "service-db") == ("0.1.0",)
    assert await client.chart_versions(repository.url, "none") == ()


async def test_an_index_that_did_not_change_is_not_sent_again(repository, client):
    first = await client.chart_versions(repository.url, "service")
    assert await client.chart_versions(repository.url, "service") == first
    assert repository.statuses == (200, 304)
    repository.helm.package("service", "1.2.0")
    await asyncio.to_thread(repository.helm.run, "repo", "index", str(repository.packages))
    assert (await client.chart_versions(repository.url, "service"))[0] == "1.2.0"
    assert repository.statuses == (200, 304, 200)


async def test_credentials_are_sent_to_a_repository_that_has_some(repository, session, clock):
    async def known(address):
        return Credentials("reader", "secret") if address.name == "charts" else None

    await RegistryClient(session, clock, known).chart_versions(repository.url, "service")
    assert repository.authorizations == (Credentials("reader", "secret").basic,)


async def test_credentials_are_not_sent_in_the_clear(session, clock):
    async def known(_address):
        return Credentials("reader", "secret")

    with pytest.raises(UserError, match="credentials are not sent over http"):
        await RegistryClient(session, clock, known).chart_versions("http://charts.test/", "service")


@pytest.mark.parametrize("url", ["charts.acme.io", "ftp://charts.acme.io", "https://", "http://[::1"])
async def test_an_address_that_is_none_is_refused(client, url):
    with pytest.raises(UserError, match="is not a chart repository"):
        await client.chart_versions(url, "service")


async def test_a_repository_that_is_not_there_is_named(repository, client):
    with pytest.raises(UserError, match=r"chart service of http://.*answered 404 for index.yaml"):
        await client.chart_versions(repository.url.removesuffix("/charts"), "service")


async def test_charts_in_a_real_registry_are_discovered(helm, real, client, clock):
    for version in ("0.1.0", "0.2.0+build.1"):
        package = helm.package("service", version)
        helm.run("push", str(package), f"oci://{real.host}/charts", "--plain-http")

    class NoGit(Git):
        pass

    context = DiscoveryContext(NoGit(), client, clock)
    config = {"repoURL": f"oci://{real.host}/charts/service"}
    found = await chart.discover(context, config, "")
    assert [artifact.version for artifact in found.artifacts] == ["0.2.0+build.1", "0.1.0"]


LISTS = """\
apiVersion: v1
entries:
{0}other:
{0}{1}- version: 9.9.9
{0}service:
{0}{1}- name: service
{0}{1}  description: |
{0}{1}    service:
{0}{1}      - version: 6.6.6
{0}{1}  version: 1.1.0
{0}# a remark
{0}{1}- version: 1.10
{0}z:
{0}{1}- version: 8.8.8
generated: "2026-01-01T00:00:00Z"
"""


@pytest.mark.parametrize(
    "index",
    [
        LISTS.format("  ", ""),
        LISTS.format("  ", "  "),
        LISTS.format("    ", "  "),
        LISTS.format("  ", "").replace("service:\n  -", '"service":\n  -', 1),
        LISTS.format("  ", "").replace("\n", "\r\n"),
        LISTS.format("  ", "").replace('generated: "2026-01-01T00:00:00Z"\n', ""),
        '{"entries": {"service": [{"version": "1.1.0"}, {"version": "1.10"}]}}',
        "entries: {service: [{version: 1.1.0}, {version: 1.10}]}",
        "entries:\n  a: &all\n  - version: 1.1.0\n  - version: 1.10\n  service: *all\n",
        "entries:\n  a:\n  - &one\n    version: 1.1.0\n  service:\n  - *one\n  - version: 1.10\n",
    ],
)
def test_an_index_is_read_in_any_layout(index):
    assert read_versions(index.encode(), "service", "x") == ("1.1.0", "1.10")


@pytest.mark.parametrize(
    "index", ["", "[]", "a: b", "entries: 5", "entries:\n  - a", "\x00", "{", "entries: {service: 5}"]
)
def test_what_is_no_index_is_said_so(index):
    with pytest.raises(UserError, match=r"its index.yaml is not an index of charts"):
        read_versions(index.encode(), "service", "chart x")


def test_a_chart_that_is_not_in_a_large_index_is_no_mistake():
    entry = "  - name: chart\n    version: 1.0.0\n    description: |\n      other: [\n"
    index = "apiVersion: v1\nentries:\n" + "".join(f"  chart-{n}:\n{entry}" for n in range(150_000))
    assert len(index) > 8 << 20
    assert read_versions(index.encode(), "none", "x") == ()
    # Keys that could be the chart's in another spelling make it a layout of its own, which is too much to read.
    for key in ('"no\\x6ee"', "? none", "none :"):
        strange = f"{index}  {key}:\n{entry}"
        with pytest.raises(UserError, match="not laid out as `helm repo index` writes it"):
            read_versions(strange.encode(), "none", "chart x")


def test_only_the_wanted_chart_of_a_large_index_is_read():
    entry = "  - name: chart\n    version: 1.0.{}\n    urls: [https://charts.acme.io/x.tgz]\n"
    many = "".join(f"  chart-{n}:\n" + "".join(entry.format(m) for m in range(20)) for n in range(2000))
    index = f"apiVersion: v1\nentries:\n{many}  broken: [\n".encode()
    # All of it would not even be YAML: nothing but the wanted chart was looked at.
    assert len(read_versions(index, "chart-1234", "x")) == 20

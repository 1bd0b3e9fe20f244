"""Charts that a login is wanted for: helm is given the one that is meant for the address, and nobody else is."""

import base64
import hashlib
import json
import ssl
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.contracts.steps import Network
from bot.core.egress import parse_rules
from bot.engine.egress import Egress
from bot.engine.forward_proxy import forward_proxy
from bot.errors import UserError
from bot.rendering import find_programs
from tests.environment import required
from tests.registry.conftest import RealRegistry
from tests.security.names import Names
from tests.steps.oci import keep_login, registry_for_writer, with_registries
from tests.steps.test_helm_charts import helm, write

BASIC = "Basic " + base64.b64encode(b"writer:secret").decode()
ADVICE = "give Towpath credentials for {}, in the key .dockerconfigjson of this repository's secret 'registry'"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chart, `library-1.0.0.tgz`, with the index of a classic repository beside it."""
    required(find_programs().helm, "helm is not installed")
    folder: Path = tmp_path_factory.mktemp("charts")
    config = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: library}\n"
    write(folder / "library", {"Chart.yaml": "apiVersion: v2\nname: library\nversion: 1.0.0\n"})
    write(folder / "library", {"templates/x.yaml": config, "values.yaml": "{}\n"})
    helm(folder, "package", "library")
    helm(folder, "repo", "index", ".")
    return folder / "library-1.0.0.tgz"


@pytest.fixture(scope="module")
def registry(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    """A real registry, with the chart, for nobody but `writer`."""
    folder = tmp_path_factory.mktemp("registry")
    with registry_for_writer(folder) as registry:
        config = folder / "login.json"
        config.write_text(json.dumps({"auths": {registry.host: {"auth": BASIC.removeprefix("Basic ")}}}))
        helm(folder, f"--registry-config={config}", "push", str(package), f"oci://{registry.host}/team/charts")
        yield registry


def locked(package: Path) -> web.Application:
    """A classic repository at /charts and a registry, with the chart, for nobody but `writer`."""
    chart = package.read_bytes()
    blobs = {f"sha256:{hashlib.sha256(each).hexdigest()}": each for each in (b"{}", chart)}
    parts = [{"digest": digest, "size": len(content)} for digest, content in blobs.items()]
    kinds = ("application/vnd.cncf.helm.config.v1+json", "application/vnd.cncf.helm.chart.content.v1.tar+gzip")
    config, layer = ({"mediaType": kind, **part} for kind, part in zip(kinds, parts, strict=True))
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [layer]}).encode()
    files = {f"/v2/team/charts/library/blobs/{digest}": content for digest, content in blobs.items()}
    files |= {f"/charts/{name}": (package.parent / name).read_bytes() for name in ("index.yaml", package.name)}

    async def answer(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != BASIC:
            wanted = {"WWW-Authenticate": 'Basic realm="here"'}
            given = request.headers.get("Authorization", "")
            return web.Response(status=401, headers=wanted, text=f"{given} is not known here")
        if request.path.startswith("/v2/team/charts/library/manifests/"):
            return web.Response(body=manifest, content_type=kind)
        return web.Response(body=files[request.path]) if request.path in files else web.Response(status=404)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    return app


@pytest.fixture
async def classic(package: Path) -> AsyncIterator[str]:
    """The host of a classic repository, by plain HTTP."""
    async with TestServer(locked(package), host="127.0.0.1") as server:
        yield f"127.0.0.1:{server.port}"


@pytest.fixture
async def stage(run):
    async with with_registries(run):
        yield run


def names_in(stage) -> list[str]:
    return [one["metadata"]["name"] for one in yaml.safe_load_all((stage.workdir / "out.yaml").read_text())]


def depend_on(stage, *repositories: str) -> None:
    entries = [{"name": "library", "version": "1.0.0", "repository": each} for each in repositories]
    chart = {"apiVersion": "v2", "name": "c", "version": "1.0.0", "dependencies": entries}
    write(stage.workdir / "c", {"Chart.yaml": yaml.safe_dump(chart), "values.yaml": "{}\n"})


async def pulled(stage, registry: str) -> None:
    chart = f"oci://{registry}/team/charts/library:1.0.0"
    await stage("helm-template", {"path": chart, "releaseName": "x", "outPath": "out.yaml"})


async def built(stage, repository: str) -> None:
    depend_on(stage, repository)
    config = {"path": "c", "releaseName": "x", "outPath": "out.yaml", "buildDependencies": True}
    await stage("helm-template", config)


async def updated(stage, repository: str) -> None:
    depend_on(stage, repository)
    charts = [{"repository": repository, "name": "library", "version": "1.0.0"}]
    await stage("helm-update-chart", {"path": "c", "charts": charts})
    await stage("helm-template", {"path": "c", "releaseName": "x", "outPath": "out.yaml"})


async def inflated(stage, repository: str) -> None:
    chart = {"name": "library", "repo": repository, "version": "1.0.0", "releaseName": "x"}
    write(stage.workdir / "k", {"kustomization.yaml": yaml.safe_dump({"helmCharts": [chart]})})
    await stage("kustomize-build", {"path": "k", "outPath": "out.yaml"})


async def generated(stage, repository: str) -> None:
    chart = {"apiVersion": "builtin", "kind": "HelmChartInflationGenerator", "metadata": {"name": "g"},
             "name": "library", "repo": repository, "version": "1.0.0", "releaseName": "x"}  # fmt: skip
    write(
        stage.workdir / "k", {"kustomization.yaml": "generators: [chart.yaml]\n", "chart.yaml": yaml.safe_dump(chart)}
    )
    await stage("kustomize-build", {"path": "k", "outPath": "out.yaml"})


WAYS = [built, updated, inflated, generated]


# --- with a login, and without ----------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", ["classic", "registry"])
async def test_a_private_chart_is_fetched_with_the_repositorys_own_login(stage, way, kind, classic, registry):
    host, address = {
        "classic": (classic, f"http://{classic}/charts"),
        "registry": (registry.host, f"oci://{registry.host}/team/charts"),
    }[kind]
    beside = set(stage.workdir.parent.iterdir())
    with pytest.raises(UserError, match=r"401|denied") as refused:
        await way(stage, address)
    assert "err=<" not in str(refused.value)
    assert ADVICE.format(host) in str(refused.value)

    keep_login(stage, host)
    async with with_registries(stage):
        await way(stage, address)
    assert names_in(stage) == ["library"]
    assert set(stage.workdir.parent.iterdir()) == beside


async def test_a_private_chart_may_be_rendered_as_it_is(stage, registry):
    with pytest.raises(UserError, match=ADVICE.format(registry.host)):
        await pulled(stage, registry.host)
    keep_login(stage, registry.host)
    async with with_registries(stage):
        await pulled(stage, registry.host)
    assert names_in(stage) == ["library"]


@pytest.mark.parametrize("way", WAYS)
async def test_a_login_that_is_not_taken_is_not_shown(stage, way, classic):
    """Though the server sends back what it was sent."""
    wrong = base64.b64encode(b"writer:an0ther").decode()
    stage.secrets.values["registry", ".dockerconfigjson"] = json.dumps({"auths": {classic: {"auth": wrong}}})
    async with with_registries(stage):
        with pytest.raises(UserError, match=r"that Towpath's credentials for .* are right and may read it") as refused:
            await way(stage, f"http://{classic}/charts")
    assert not {word for word in (wrong, "an0ther") if word in str(refused.value)}


# --- through the proxy ------------------------------------------------------------------------------


@pytest.fixture
async def inside(stage, package: Path) -> AsyncIterator[str]:
    """The same server by HTTPS, as `charts.inside.test`, where helm can go by the proxy only; and a login for it."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(stage.workdir / "ca.pem", "charts.inside.test"))
    names = Names({"charts.inside.test": "127.0.0.1"})
    rules = parse_rules("*, *.inside.test")
    server = TestServer(locked(package), host="127.0.0.1", scheme="https")
    await server.start_server(ssl=context)
    try:
        async with forward_proxy(rules, names) as proxy:
            environment = {**proxy.environment(), "SSL_CERT_FILE": str(stage.workdir / "ca.pem")}
            network = Network(environment, Egress(rules, resolver=names).check, proxy.port)
            stage.context = replace(stage.context, programs=replace(stage.context.programs, network=network))
            host = f"charts.inside.test:{server.port}"
            keep_login(stage, host)
            yield host
    finally:
        await server.close()


def certificate(path: Path, host: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    path.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain) + made.public_bytes(pem))
    return path


@pytest.mark.parametrize("way", [built, inflated])
@pytest.mark.parametrize("address", ["https://{}/charts", "oci://{}/team/charts"])
async def test_a_login_goes_through_the_proxy(stage, inside, way, address):
    async with with_registries(stage):
        await way(stage, address.format(inside))
    assert names_in(stage) == ["library"]

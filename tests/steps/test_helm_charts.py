"""Charts and their dependencies, from folders, packages, classic repositories and a real OCI registry."""

import shutil
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml
from aiohttp import web

from bot.contracts.steps import Programs, StepStatus
from bot.core.model import Chart, Freight
from bot.errors import UserError
from bot.rendering import find_programs
from tests.environment import required
from tests.ports import free_port
from tests.steps.conftest import freight_of

OLD, NEW = "0.1.0", "0.2.0"
CHART = """\
apiVersion: v2
name: service
version: 1.0.0
dependencies:
# what we build on
- name: library
  version: "0.1.0"  # promoted
  repository: REPOSITORY
- {name: near, version: 1.0.0, repository: 'file://../near'}
"""


def write(folder: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


def helm(folder: Path, *arguments: str) -> bytes:
    environment = {"HOME": str(folder / ".home"), "KUBECONFIG": "/dev/null"}
    command = [*find_programs().helm, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True).stdout


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a classic chart repository with two versions of `library` serves."""
    folder: Path = tmp_path_factory.mktemp("charts")
    for version in (OLD, NEW):
        config = f"kind: ConfigMap\napiVersion: v1\nmetadata: {{name: library}}\ndata: {{v: {version}}}\n"
        chart = f"apiVersion: v2\nname: library\nversion: {version}\n"
        write(folder / version / "library", {"Chart.yaml": chart, "templates/x.yaml": config})
        write(folder / version / "library", {"values.yaml": "{}\n"})
        helm(folder, "package", f"{version}/library")
    helm(folder, "repo", "index", ".")
    return folder


@pytest.fixture
async def classic(packages: Path) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_static("/", packages)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.fixture(scope="module")
def registry(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real registry that holds both versions."""
    required(shutil.which("docker-registry"), "docker-registry is not installed")
    folder: Path = tmp_path_factory.mktemp("registry")
    port = free_port()
    write(folder, {"config.yml": "version: 0.1\nlog: {accesslog: {disabled: true}, level: error}\n"
                   f"storage: {{filesystem: {{rootdirectory: {folder / 'data'}}}}}\n"
                   f"http: {{addr: '127.0.0.1:{port}'}}\n"})  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(["docker-registry", "serve", str(folder / "config.yml")], stdout=log, stderr=log)
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert process.poll() is None, (folder / "log").read_text()
            time.sleep(0.05)
        for version in (OLD, NEW):
            helm(packages, "push", f"library-{version}.tgz", f"oci://127.0.0.1:{port}/charts")
        yield f"oci://127.0.0.1:{port}/charts"
    finally:
        process.terminate()
        process.wait(10)


@dataclass(frozen=True, slots=True)
class Place:
    """The chart under test, and the repository of what it builds on."""

    chart: Path
    repository: str

    def text(self) -> str:
        return (self.chart / "Chart.yaml").read_text()

    def locked(self) -> dict[str, str]:
        return {
            one["name"]: one["version"]
            for one in yaml.safe_load((self.chart / "Chart.lock").read_text())["dependencies"]
        }


@pytest.fixture(params=["classic", "registry"])
def place(request: pytest.FixtureRequest, run) -> Place:
    repository = request.getfixturevalue(request.param)
    write(run.workdir / "src/near", {"Chart.yaml": "apiVersion: v2\nname: near\nversion: 1.0.0\n"})
    near = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: near}\n"
    write(run.workdir / "src", {"near/templates/x.yaml": near, "chart/values.yaml": "{}\n"})
    write(run.workdir / "src/chart", {"Chart.yaml": CHART.replace("REPOSITORY", repository)})
    return Place(run.workdir / "src/chart", repository)


# --- helm-template ----------------------------------------------------------------------------------


async def test_dependencies_are_built_and_rendered_as_helm_does(run, place):
    config = {"path": "src/chart", "releaseName": "x", "outPath": "out.yaml", "buildDependencies": True}
    await run("helm-template", config)
    rendered = (run.workdir / "out.yaml").read_bytes()
    assert {one["metadata"]["name"] for one in yaml.safe_load_all(rendered)} == {"library", "near"}
    assert rendered == helm(run.workdir, "template", "x", "src/chart")
    assert sorted(path.name for path in run.workdir.iterdir()) == ["out.yaml", "src"]


async def test_a_lock_is_kept_to(run, place):
    write(place.chart, {"Chart.yaml": place.text().replace('"0.1.0"', '">=0.1.0"')})
    config = {"path": "src/chart", "releaseName": "x", "outPath": "out.yaml", "buildDependencies": True}
    await run("helm-template", config)
    assert place.locked()["library"] == NEW
    lock = (place.chart / "Chart.lock").read_bytes()
    shutil.rmtree(place.chart / "charts")
    await run("helm-template", config)
    assert (place.chart / "Chart.lock").read_bytes() == lock


async def test_a_chart_may_be_a_package(run, packages):
    shutil.copy(packages / f"library-{OLD}.tgz", run.workdir / "library.tgz")
    await run("helm-template", {"path": "library.tgz", "releaseName": "x", "outPath": "out.yaml"})
    assert (run.workdir / "out.yaml").read_bytes() == helm(run.workdir, "template", "x", "library.tgz")


@pytest.mark.parametrize("version", [OLD, NEW])
async def test_a_chart_may_be_in_a_registry(run, registry, version):
    reference = f"{registry}/library:{version}"
    await run("helm-template", {"path": reference, "releaseName": "x", "outPath": "out.yaml"})
    rendered = (run.workdir / "out.yaml").read_bytes()
    assert rendered == helm(run.workdir, "template", "x", reference)
    assert f"v: {version}".encode() in rendered


async def test_a_chart_that_is_not_in_the_registry_is_named(run, registry):
    with pytest.raises(UserError, match=r"getting the chart oci://.*/library:9\.9\.9: .*not found"):
        await run("helm-template", {"path": f"{registry}/library:9.9.9", "releaseName": "x", "outPath": "out.yaml"})


# --- helm-update-chart ------------------------------------------------------------------------------


async def test_a_dependency_is_given_another_version(run, place):
    await run(
        "helm-template", {"path": "src/chart", "releaseName": "x", "outPath": "o.yaml", "buildDependencies": True}
    )
    before = place.text()
    charts = [{"repository": place.repository, "name": "library", "version": NEW}]
    result = await run("helm-update-chart", {"path": "src/chart", "charts": charts})
    assert result.status is StepStatus.SUCCEEDED
    assert result.output == {
        "commitMessage": f"Updated chart dependencies for src/chart\n\n- library: {OLD} -> {NEW}",
    }
    assert place.text() == before.replace('"0.1.0"', "0.2.0")
    assert place.locked() == {"library": NEW, "near": "1.0.0"}
    assert sorted(path.name for path in (place.chart / "charts").iterdir()) == ["library-0.2.0.tgz", "near-1.0.0.tgz"]
    assert sorted(path.name for path in run.workdir.iterdir()) == ["o.yaml", "src"]


async def test_what_was_not_locked_before_is_told_as_new(run, place):
    charts = [{"repository": f"{place.repository}/", "name": "library", "version": "~0.1.0"}]
    result = await run("helm-update-chart", {"path": "src/chart", "charts": charts})
    assert result.output["commitMessage"].endswith(f"\n\n- library: {OLD}\n- near: 1.0.0")
    assert (await run("helm-update-chart", {"path": "src/chart", "charts": charts})).output == {}


async def test_a_dependency_that_is_gone_is_told_as_removed(run, place):
    await run("helm-update-chart", {"path": "src/chart"})
    near = "dependencies: [{name: near, version: 1.0.0, repository: 'file://../near'}]\n"
    write(place.chart, {"Chart.yaml": f"apiVersion: v2\nname: service\nversion: 1.0.0\n{near}"})
    result = await run("helm-update-chart", {"path": "src/chart"})
    assert result.output["commitMessage"].endswith("\n\n- library: removed")
    assert place.locked() == {"near": "1.0.0"}


async def test_the_version_may_come_from_the_freight(run, place):
    oci = place.repository.startswith("oci://")
    chart = Chart(f"{place.repository}/library" if oci else place.repository, "" if oci else "library", NEW)
    run.promoting(collection=(carrying(chart),))
    charts = [{"repository": place.repository, "name": "library", "fromOrigin": {"name": "service"}}]
    await run("helm-update-chart", {"path": "src/chart", "charts": charts})
    assert place.locked()["library"] == NEW


def carrying(*charts: Chart) -> Freight:
    return replace(freight_of(), charts=charts)


@pytest.mark.parametrize(
    ("chart", "says"),
    [
        ({"name": "other", "version": "1"}, "no dependency other of .*; it has library of"),
        ({"name": "library", "version": "9.9.9"}, r"fetching the dependencies of src/chart: .*9\.9\.9"),
        ({"name": "library"}, "the freight has no chart library of"),
    ],
)
async def test_what_is_wrong_with_an_update_is_said(run, place, chart, says):
    with pytest.raises(UserError, match=says) as caught:
        await run("helm-update-chart", {"path": "src/chart", "charts": [{"repository": place.repository, **chart}]})
    assert str(run.workdir) not in str(caught.value)


@pytest.mark.parametrize(
    ("files", "config", "says"),
    [
        ({}, {"path": "src/none"}, "'src/none'"),
        ({}, {"path": "../x"}, "leads out"),
        ({"src/chart/Chart.yaml": "dependencies: ["}, {}, "not YAML"),
        *(
            ({"src/chart/Chart.yaml": f"dependencies: [{{name: x, version: 1, repository: '{url}'}}]"}, {}, "leads out")
            for url in ("file:///etc", "file://../../../x", "file://..//../../x")
        ),
    ],
)  # fmt: skip
async def test_charts_that_are_not_touched(run, files, config, says):
    write(run.workdir, files)
    with pytest.raises(UserError, match=says):
        await run("helm-update-chart", {"path": "src/chart", "charts": [], **config})


async def test_without_helm_it_says_how_to_get_it(run):
    run.context = replace(run.context, programs=Programs())
    with pytest.raises(UserError, match=r"towpath\[helm\]"):
        await run("helm-update-chart", {"path": "src/chart", "charts": []})


# --- kustomize-build --------------------------------------------------------------------------------


async def test_kustomize_inflates_charts_from_a_repository(run, classic):
    text = f"helmCharts: [{{name: library, repo: '{classic}', version: {NEW}, releaseName: x}}]\n"
    write(run.workdir, {"src/kustomization.yaml": text})
    await run("kustomize-build", {"path": "src", "outPath": "out.yaml"})
    assert yaml.safe_load((run.workdir / "out.yaml").read_text())["data"] == {"v": NEW}

"""Steps whose programs fetch something: an address that the rules of egress refuse is refused before they run."""

from dataclasses import replace

import pytest

from bot.contracts.steps import Network
from bot.errors import UserError
from tests.environment import required


async def refuse(url: str) -> None:
    raise UserError(f"requests to {url} are refused")


def chart(run, repository):
    folder = run.workdir / "chart"
    folder.mkdir()
    (folder / "Chart.yaml").write_text(
        "apiVersion: v2\nname: c\nversion: 0.1.0\n"
        f"dependencies: [{{name: d, version: 1.0.0, repository: '{repository}'}}]\n"
    )


@pytest.fixture
def closed(run):
    """A run whose programs may ask nobody."""
    programs = replace(run.context.programs, network=Network({}, refuse, 9))
    run.context = replace(run.context, programs=programs)
    return run


@pytest.mark.parametrize("repository", ["http://127.0.0.1:1/charts", "oci://127.0.0.1:1/charts"])
async def test_a_charts_dependency(closed, repository):
    required(closed.context.programs.helm, "helm is not installed")
    chart(closed, repository)
    config = {"path": "chart", "outPath": "out.yaml", "releaseName": "r", "buildDependencies": True}
    with pytest.raises(UserError, match=r"requests to (http|oci)://127\.0\.0\.1:1/charts are refused"):
        await closed("helm-template", config)


@pytest.mark.parametrize(
    "kustomization",
    [
        "resources: ['http://127.0.0.1:1/x.yaml']\n",
        "resources: [base]\n",
        "helmCharts: [{name: c, repo: 'http://127.0.0.1:1/x.yaml', version: 1.0.0, releaseName: c}]\n",
    ],
)
async def test_a_kustomization_and_those_it_is_made_of(closed, kustomization):
    required(closed.context.programs.kustomize, "neither kustomize nor kubectl is installed")
    for folder, text in (("", kustomization), ("base", "resources: ['http://127.0.0.1:1/x.yaml']\n")):
        (closed.workdir / "k" / folder).mkdir(parents=True, exist_ok=True)
        (closed.workdir / "k" / folder / "kustomization.yaml").write_text(text)
    with pytest.raises(UserError, match=r"requests to http://127\.0\.0\.1:1/x\.yaml are refused"):
        await closed("kustomize-build", {"path": "k", "outPath": "out.yaml"})

"""A text that looks like an option stays a text: helm, kustomize and git are told what a step has fields for."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bot.contracts.steps import StepStatus
from bot.errors import UserError
from bot.rendering import find_programs
from tests.environment import required

HELM_OPTIONS = (
    "--post-renderer=OUT/evil.sh",
    "--kubeconfig=OUT/evil.sh",
    "-fOUT/values.yaml",
    "--output-dir=OUT/written",
)
GIT_OPTIONS = ("--upload-pack=OUT/evil.sh", "--exec=OUT/evil.sh", "--output=OUT/written", "-cOUT", "-C OUT")
SECRET = "s3cret-of-the-host"
HELM: list[tuple[str, dict[str, Any]]] = [
    ("helm-template", {"releaseName": "TEXT"}),
    ("helm-template", {"namespace": "TEXT"}),
    ("helm-template", {"kubeVersion": "TEXT"}),
    ("helm-template", {"apiVersions": ["TEXT"]}),
    ("helm-template", {"path": "TEXT"}),
    ("helm-template", {"path": "oci://TEXT"}),
    ("helm-template", {"valuesFiles": ["TEXT"]}),
    ("helm-template", {"valuesFiles": ["TEXT"], "ignoreMissingValueFiles": True}),
    ("helm-template", {"setValues": [{"key": "TEXT", "value": "TEXT"}]}),
    ("helm-template", {"setValues": [{"key": "TEXT", "value": "TEXT", "literal": True}]}),
    ("helm-template", {"outPath": "TEXT"}),
    ("helm-update-chart", {"path": "TEXT"}),
    ("helm-update-chart", {"charts": [{"repository": "TEXT", "name": "TEXT", "version": "TEXT"}]}),
    ("kustomize-build", {"path": "TEXT"}),
    ("kustomize-build", {"outPath": "TEXT"}),
    ("kustomize-build", {"plugin": {"helm": {"kubeVersion": "TEXT"}}}),
    ("kustomize-build", {"plugin": {"helm": {"apiVersions": ["TEXT"]}}}),
]
GIT: list[tuple[str, dict[str, Any]]] = [
    ("git-clone", {"repoURL": "TEXT", "checkout": [{"path": "new"}]}),
    ("git-clone", {"checkout": [{"path": "TEXT"}]}),
    ("git-clone", {"checkout": [{"path": "new", "branch": "TEXT"}]}),
    ("git-clone", {"checkout": [{"path": "new", "branch": "TEXT", "create": True}]}),
    ("git-clone", {"checkout": [{"path": "new", "tag": "TEXT"}]}),
    ("git-clone", {"checkout": [{"path": "new", "commit": "TEXT"}]}),
    ("git-clone", {"checkout": [{"path": "new", "sparse": ["TEXT"]}]}),
    ("git-clear", {"path": "TEXT"}),
    ("git-commit", {"path": "src", "message": "TEXT", "author": {"name": "TEXT", "email": "TEXT"}}),
    ("git-commit", {"path": "TEXT", "message": "m"}),
    ("git-tag", {"path": "src", "tag": "TEXT", "message": "m"}),
    ("git-tag", {"path": "src", "tag": "v1", "message": "TEXT"}),
    ("git-push", {"path": "src", "targetBranch": "TEXT"}),
    ("git-push", {"path": "src", "tag": "TEXT"}),
    ("git-open-pr", {"sourceBranch": "TEXT"}),
    ("git-open-pr", {"sourceBranch": "main", "targetBranch": "TEXT"}),
]  # fmt: skip
BASE: dict[str, dict[str, Any]] = {
    "helm-template": {"path": "chart", "outPath": "out", "releaseName": "r"},
    "helm-update-chart": {"path": "chart"},
    "kustomize-build": {"path": "kustomization", "outPath": "out"},
}


def filled(config: Any, text: str) -> Any:
    if isinstance(config, dict):
        return {key: filled(value, text) for key, value in config.items()}
    if isinstance(config, list):
        return [filled(each, text) for each in config]
    return config.replace("TEXT", text) if isinstance(config, str) else config


def chart(folder: Path) -> None:
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(
        "apiVersion: v2\nname: c\nversion: 0.1.0\ndependencies: [{name: d, version: 1.0.0, repository: 'file://../d'}]\n"
    )
    (folder / "charts/d").mkdir(parents=True)
    (folder / "charts/d/Chart.yaml").write_text("apiVersion: v2\nname: d\nversion: 1.0.0\n")
    (folder / "values.yaml").write_text("a: 1\n")
    (folder / "templates/x.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {all: {{ toJson .Values | quote }}}\n"
    )


@pytest.fixture
async def world(run, tmp_path):
    required(find_programs().helm, "helm is not installed")
    required(find_programs().kustomize, "neither kustomize nor kubectl is installed")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "values.yaml").write_text(f"password: {SECRET}\n")
    (outside / "evil.sh").write_text(f"#!/bin/sh\ntouch {outside}/was-here\ncat\n")
    (outside / "evil.sh").chmod(0o755)
    await run("git-clone", {"checkout": [{"branch": "main", "path": "./src"}]})
    (run.workdir / "src/new.txt").write_text("new\n")
    chart(run.workdir / "chart")
    (run.workdir / "kustomization").mkdir()
    (run.workdir / "kustomization/kustomization.yaml").write_text("helmCharts: [{name: c, releaseName: r}]\n")
    chart(run.workdir / "kustomization/charts/c")
    return run, outside


def written(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def shown(folder: Path) -> str:
    return "".join(path.read_text("utf-8", "replace") for path in folder.rglob("*.yaml"))


@pytest.mark.parametrize(
    ("step", "config", "options"),
    [(*case, HELM_OPTIONS) for case in HELM] + [(*case, GIT_OPTIONS) for case in GIT],
    ids=[f"{step}-{'-'.join(config)}-{number}" for number, (step, config) in enumerate([*HELM, *GIT])],
)
async def test_it_stays_a_text(step, config, options, world):
    run, outside = world
    for option in options:
        text = option.replace("OUT", str(outside))
        with suppress(UserError):  # a good many are no names, and are refused for that
            result = await run(step, {**BASE.get(step, {}), **filled(config, text)})
            assert result.status is not StepStatus.RUNNING, option
        assert written(outside) == ["evil.sh", "values.yaml"], option
        assert SECRET not in shown(run.workdir), option

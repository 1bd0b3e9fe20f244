"""The short form `render`: into a folder, or into a branch of the stage's own."""

from typing import Any

import pytest

from tests.core.configurations import WATCH, loading, steps


def configs(render: str) -> dict[str, Any]:
    """The configuration of each step, by its name."""
    return {step.uses: step.config for step in steps(WATCH + f"stages: {{uat: {{from: service, render: {render}}}}}\n")}


HELM, KUSTOMIZE = "helm: {chart: chart}", "kustomize: {path: envs/uat}"


@pytest.mark.parametrize(("how", "uses"), [(HELM, "helm-template"), (KUSTOMIZE, "kustomize-build")])
@pytest.mark.parametrize(
    ("where", "out", "branch"),
    [
        ("", "./src/out/stages/uat", None),
        (", path: live/uat", "./src/live/uat", None),
        (", out: /live/uat", "./src/live/uat", None),
        (", branch: env/uat", "./target/out/stages/uat", "env/uat"),
        (", targetBranch: env/uat", "./target/out/stages/uat", "env/uat"),
        (", branch: env/uat, path: live", "./target/live", "env/uat"),
    ],
)
def test_manifests_go_into_a_folder_or_a_branch(how: str, uses: str, where: str, out: str, branch: str | None) -> None:
    found = configs(f"{{{how}{where}}}")

    assert found[uses]["outPath"] == f"{out}/manifests.yaml"
    assert found["git-clear"] == {"path": out}
    assert found["git-commit"]["path"] == out
    assert found["git-push"] == {"path": out, "generateTargetBranch": True}
    assert found["git-open-pr"] == ({"targetBranch": branch} if branch else {})
    assert [one.get("branch") for one in found["git-clone"]["checkout"]] == ([None, branch] if branch else [None])


def test_charts_that_a_kustomization_inflates_are_told_what_the_cluster_is() -> None:
    found = configs("{kustomize: {path: k, plugin: {helm: {kubeVersion: 1.30.1, apiVersions: [a/v1]}}}}")

    assert found["kustomize-build"]["plugin"] == {"helm": {"kubeVersion": "1.30.1", "apiVersions": ["a/v1"]}}


@pytest.mark.parametrize(
    ("render", "code", "says"),
    [
        (f"{{{HELM}, path: a, out: b}}", "duplicate-key", "`out` is another word for `path`; leave one out"),
        (f"{{{HELM}, branch: a, targetBranch: b}}", "duplicate-key", "`targetBranch` is another word for `branch`"),
        (f'{{{HELM}, path: "."}}', "bad-path", "`path` must be a folder of its own"),
        (f'{{{HELM}, path: "../x"}}', "bad-path", "leads out of the repository"),
    ],
)
def test_what_is_wrong_is_told(render: str, code: str, says: str) -> None:
    problem = loading(WATCH + f"stages: {{uat: {{from: service, render: {render}}}}}\n").problems[0]

    assert problem.code == code
    assert says in problem.message

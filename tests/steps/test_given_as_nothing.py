"""Where Kargo takes "" for "not given", as an expression easily gives it, so do we; and what is refused says why."""

from dataclasses import replace

import pytest

from bot.contracts.metrics import HttpAnswer, Unreachable
from bot.contracts.steps import StepStatus
from bot.core.configuration.fitting import Fit
from bot.errors import UserError
from bot.steps import BY_NAME

EMPTY = [
    ("git-clone", {"checkout": [{"path": "a", "branch": "", "commit": "", "tag": "", "as": ""}]}),
    ("git-push", {"path": "a", "targetBranch": "", "tag": ""}),
    ("github-push", {"path": "a", "targetBranch": ""}),
    ("helm-template", {"path": "a", "outPath": "b", "releaseName": "r", "namespace": "", "kubeVersion": ""}),
    ("http", {"url": "u", "successExpression": "", "failureExpression": "", "errorExpression": ""}),
    ("kustomize-build", {"path": "a", "outPath": "b", "plugin": {"helm": {"kubeVersion": ""}}}),
    ("kustomize-set-image", {"path": "a", "images": [{"image": "i", "name": "", "newName": "", "digest": ""}]}),
    ("helm-update-chart", {"path": "a"}),
    ("argocd-update", {"apps": [{"name": "a", "sources": [{"repoURL": "r", "kustomize": {"images": [
        {"repoURL": "i", "newName": "", "tag": "", "digest": ""}]}}]}]}),
]  # fmt: skip


@pytest.mark.parametrize(("step", "config"), EMPTY, ids=[step for step, _ in EMPTY])
def test_the_configuration_fits(step, config):
    assert Fit(BY_NAME[step].SCHEMA)(config) == (config, [])


async def test_an_empty_name_is_no_name(run):
    checkout = {"path": "./src", "branch": "", "commit": "", "tag": "", "as": ""}
    cloned = await run("git-clone", {"checkout": [checkout]})
    assert list(cloned.output["commits"]) == ["./src"]
    (run.workdir / "src/new.txt").write_text("new\n")
    await run("git-commit", {"path": "./src", "message": "new"})
    pushed = await run("git-push", {"path": "./src", "targetBranch": "", "tag": "", "generateTargetBranch": True})
    assert pushed.output["branch"] == "promotion/uat"


async def test_an_empty_criterion_is_none(run):
    run.http.answers += [HttpAnswer(200, {}, b"{}"), HttpAnswer(500, {}, b"{}")]
    config = {"url": "https://service.example.com", "successExpression": "", "failureExpression": ""}
    assert (await run("http", config)).status is StepStatus.SUCCEEDED
    assert (await run("http", config)).status is StepStatus.ERRORED


async def test_an_empty_name_of_an_image_is_the_image(run):
    (run.workdir / "kustomization.yaml").write_text("images: []\n")
    image = {"image": "registry.example.com/service", "name": "", "newName": "", "tag": "", "digest": ""}
    await run("kustomize-set-image", {"path": ".", "images": [image]})
    assert (run.workdir / "kustomization.yaml").read_text() == (
        "images:\n- name: registry.example.com/service\n  newTag: 1.0.0\n"
    )


@pytest.mark.parametrize("step", ["git-clone", "git-commit"])
async def test_a_private_key_is_refused(run, step):
    author = {"name": "a", "email": "a@example.com", "signingKey": ""}
    clone = {"checkout": [{"path": "a"}]}
    await run("git-clone", clone | ({"author": author} if step == "git-clone" else {}))
    config = {"git-clone": {"checkout": [{"path": "b"}]}, "git-commit": {"path": "a"}}[step]
    with pytest.raises(UserError, match=rf"{step} takes no `signingKey`.*github-push, whose commits GitHub signs"):
        await run(step, config | {"author": author | {"signingKey": "-----BEGIN PGP PRIVATE KEY BLOCK-----"}})


async def test_the_pull_request_of_another_repository_is_not_taken_for_one_of_ours(run):
    with pytest.raises(UserError, match="there is no !1"):
        await run("git-wait-for-pr", {"repoURL": "https://github.example.com/acme/other", "prNumber": 1})


class Gone:
    async def request(self, *_args, **_more):
        raise Unreachable("GET https://service.example.com: can't connect: Connection refused")


@pytest.mark.parametrize(("step", "more"), [("http", {}), ("http-download", {"outPath": "out"})])
async def test_a_server_that_is_not_there_is_a_fault_that_may_go_away(run, step, more):
    """So that `retry.errorThreshold` means something."""
    run.context = replace(run.context, http=Gone())
    result = await run(step, {"url": "https://service.example.com", **more})
    assert (result.status, "can't connect" in result.message) == (StepStatus.ERRORED, True)

"""A workflow of GitHub Actions between a promotion and its merge."""

from typing import Any

from tests.scenarios.scene import REPO, Scene
from tests.scenarios.test_pull_options import configured, ends_well, is_merged

WORKFLOW = "name: Smoke\non: {workflow_dispatch: {inputs: {tag: {required: true}}}}\njobs: {}\n"
STEPS = """\
    - {uses: git-open-pr}
    - uses: gha-dispatch-workflow
      as: smoke
      config: {workflowFile: smoke.yaml, ref: main, inputs: {tag: "${{ imageFrom('ADDRESS/acme/service').Tag }}"}}
    - {uses: gha-wait-for-workflow, config: {runID: "${{ outputs.smoke.runID }}", pollInterval: 1s}}
    - {uses: git-merge-pr}
    - {uses: deployment, config: {state: success, environmentURL: "https://test.example.com"}}
"""


async def started(shop: Scene) -> list[dict[str, Any]]:
    path = f"{REPO}/actions/workflows/smoke.yaml/runs"
    found: list[dict[str, Any]] = (await shop.who("owner").get(path)).ok()["workflow_runs"]
    return found


async def ends(shop: Scene, conclusion: str) -> None:
    url = f"{shop.github.sandbox.url}/sandbox/runs"
    (await shop.who("owner").call("POST", url, {"conclusion": conclusion})).ok()


async def test_the_merge_waits_for_a_workflow_that_is_started_once(shop: Scene) -> None:
    await shop.write({".github/workflows/smoke.yaml": WORKFLOW}, message="a workflow")
    await configured(shop, STEPS)
    number = (await shop.proposal("test"))["number"]
    assert len(await started(shop)) == 1
    assert not await is_merged(shop, number)

    await ends(shop, "success")

    await ends_well(shop, number)
    assert len(await started(shop)) == 1
    (deployment,) = (await shop.who("owner").get(f"{REPO}/deployments?environment=test")).ok()
    assert deployment["sha"] == (await shop.landed("test"))["merge_commit_sha"]
    (status,) = (await shop.who("owner").get(f"{REPO}/deployments/{deployment['id']}/statuses")).ok()
    assert (status["state"], status["environment_url"]) == ("success", "https://test.example.com")


async def test_a_workflow_that_fails_is_told_and_nothing_is_merged(shop: Scene) -> None:
    await shop.write({".github/workflows/smoke.yaml": WORKFLOW}, message="a workflow")
    await configured(shop, STEPS)
    number = (await shop.proposal("test"))["number"]

    await ends(shop, "failure")

    await shop.comes_true("Towpath says so", lambda: shop.comments(number))
    await shop.hears(number, "doesn't merge this", "ended with failure")
    assert not await is_merged(shop, number)
    assert len(await started(shop)) == 1

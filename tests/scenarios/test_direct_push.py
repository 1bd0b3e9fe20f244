"""A template without a pull request: what is rendered is pushed straight to the branch."""

from pathlib import Path

from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, PIPELINE, REPO, scene

HEAD, _, REST = PIPELINE.partition("stages:\n")
VERIFICATIONS = REST[REST.index("verifications:") :]
STAGES = """\
stages:
  test:
    from: service
    auto: AUTO
    verify: [greeting]
    promotionTemplate:
      spec:
        steps:
          - uses: git-clone
            config: {checkout: [{branch: main, path: ./src}]}
          - uses: git-clear
            config: {path: ./src/out/stages/test}
          - uses: yaml-update
            config:
              path: ./src/chart/values-test.yaml
              updates: [{key: image.tag, value: '${{ imageFrom("ADDRESS/acme/service").Tag }}'}]
          - uses: helm-template
            config:
              path: ./src/chart
              releaseName: service
              valuesFiles: [./src/chart/values-test.yaml]
              outPath: ./src/out/stages/test/manifests.yaml
          - uses: git-commit
            config: {path: ./src/out/stages/test}
          - uses: git-push
            config: {path: ./src, targetBranch: main}
  uat: {from: test, render: {helm: {chart: chart}}, verify: [greeting]}
"""


async def test_it_lands_at_once_and_is_verified(github: GitHub, tmp_path: Path) -> None:
    pipeline = HEAD + STAGES.replace("AUTO", "true") + VERIFICATIONS
    async with scene(github, tmp_path / "bot", {**CHART, ".promotion.yaml": pipeline}) as shop:
        await shop.publish("1.0.0")

        head = (await shop.who("owner").get(f"{REPO}/git/ref/heads/main")).ok()["object"]["sha"]
        assert await shop.holds("test") == "1.0.0"
        assert await shop.checks(head) == {"verification/test": "success"}
        assert not await shop.pulls("test")

        number = await shop.issue()
        await shop.say("writer", number, "/promote uat 1.0.0")
        await shop.hears(number, "on its way into `uat`")


async def test_by_command_it_is_answered_with_the_commit(github: GitHub, tmp_path: Path) -> None:
    pipeline = HEAD + STAGES.replace("AUTO", "false") + VERIFICATIONS
    async with scene(github, tmp_path / "bot", {**CHART, ".promotion.yaml": pipeline}) as shop:
        await shop.publish("1.0.0")
        number = await shop.issue()

        await shop.say("writer", number, "/promote test")

        head = (await shop.who("owner").get(f"{REPO}/git/ref/heads/main")).ok()["object"]["sha"]
        await shop.hears(number, "service 1.0.0 is pushed to `test`", head)
        assert await shop.checks(head) == {"verification/test": "success"}

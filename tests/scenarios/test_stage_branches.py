"""Each stage has a branch of its own for what is rendered; its lock lives there."""

from pathlib import Path

import yaml

from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, REPO, scene

PIPELINE = """\
warehouses:
  service: {interval: 1h, image: {repoURL: ADDRESS/acme/service, constraint: ^1.0.0}}
stages:
  test: {from: service, auto: true, merge: auto, render: RENDER}
  uat: {from: test, render: RENDER}
""".replace("RENDER", '{helm: {chart: chart}, targetBranch: "stage/${{ ctx.stage }}"}')


async def test_a_rendered_branch_for_each_stage(github: GitHub, tmp_path: Path) -> None:
    async with scene(github, tmp_path / "bot", {**CHART, ".promotion.yaml": PIPELINE}) as shop:
        main = (await shop.who("owner").get(f"{REPO}/git/ref/heads/main")).ok()["object"]["sha"]
        await shop.publish("1.0.0")

        first = await shop.landed("test")
        assert first["base"]["ref"] == "stage/test"
        assert await shop.checks(first["merge_commit_sha"]) == {"verification/test": "success"}
        await shop.hears(first["number"], "service 1.0.0 is verified in `test`")
        lock = yaml.safe_load(await shop.read(".promotion/test.lock", "stage/test"))
        assert lock["freight"][0]["images"][0]["tag"] == "1.0.0"
        assert "acme/service:1.0.0" in await shop.read("out/stages/test/manifests.yaml", "stage/test")

        await shop.say("writer", first["number"], "/promote uat")
        await shop.hears(first["number"], "on its way into `uat`")
        second = await shop.proposal("uat")
        assert second["base"]["ref"] == "stage/uat"
        landed = await shop.merge(second["number"])
        assert await shop.checks(landed) == {"verification/uat": "success"}
        await shop.hears(second["number"], "verified in `uat`")

        await shop.publish("1.1.0")
        third = await shop.landed("test")
        await shop.hears(third["number"], "service 1.1.0 is verified in `test`")
        assert (await shop.who("owner").get(f"{REPO}/git/ref/heads/main")).ok()["object"]["sha"] == main

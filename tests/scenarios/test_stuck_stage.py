"""A mistake that only shows when a stage is looked at is said, and keeps no other stage waiting."""

from pathlib import Path

from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, PIPELINE, REPO, scene


async def test_a_branch_that_cannot_be_told_stops_its_own_stage_only(github: GitHub, tmp_path: Path) -> None:
    wrong = "stage/${{ vars.place.name }}"
    stuck = PIPELINE.replace("values: values-uat.yaml}}\n", f'values: values-uat.yaml}}, targetBranch: "{wrong}"}}\n')
    async with scene(github, tmp_path / "bot", {**CHART, ".promotion.yaml": stuck}) as shop:
        await shop.publish("1.0.0")

        pull = await shop.landed("test")
        await shop.hears(pull["number"], "service 1.0.0 is verified in `test`")
        head = (await shop.who("owner").get(f"{REPO}/git/ref/heads/main")).ok()["object"]["sha"]
        check = await shop.check(head, "promotion/uat")
        assert check["conclusion"] == "failure"
        assert wrong in check["output"]["summary"]

        await shop.say("writer", pull["number"], "/promote uat")
        await shop.hears(pull["number"], "was refused", "uat can't be looked at")
        await shop.say("writer", pull["number"], "/status")
        await shop.hears(pull["number"], "✅ verified", "⚠️")

        await shop.write({".promotion.yaml": PIPELINE}, message="mend it")
        await shop.quiet()
        await shop.say("writer", pull["number"], "/promote uat")
        await shop.hears(pull["number"], "on its way into `uat`")

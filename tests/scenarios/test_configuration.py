"""A configuration that is broken is said where it broke, and stops nothing else."""

from pathlib import Path

from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, PIPELINE, Scene, scene


async def test_a_broken_configuration_becomes_a_failed_check_with_line_and_column(shop: Scene) -> None:
    broken = (await shop.read(".promotion.yaml")).replace("    merge: auto\n", "    merge: perhaps\n")

    sha = await shop.write({".promotion.yaml": broken}, message="break it")
    await shop.quiet()

    check = await shop.check(sha, "promotion/config")
    assert check["conclusion"] == "failure"
    assert check["output"]["title"] == "1 problem in the configuration"
    found = (await shop.who("owner").get(f"/repos/acme/shop/check-runs/{check['id']}/annotations")).ok()
    line = broken.splitlines().index("    merge: perhaps") + 1
    assert [(one["path"], one["start_line"], one["start_column"]) for one in found] == [(".promotion.yaml", line, 12)]

    await shop.publish("1.0.0")
    assert not await shop.pulls("test")


async def test_what_is_under_way_is_brought_to_its_end_and_mending_goes_on(shop: Scene) -> None:
    good = await shop.read(".promotion.yaml")
    await shop.write({".promotion.yaml": good.replace("    merge: auto\n", "")}, message="people merge test")
    await shop.publish("1.0.0")
    pull = await shop.proposal("test")
    await shop.write({".promotion.yaml": "stages: ["}, message="break it")
    await shop.quiet()
    check = await shop.check(pull["head"]["sha"], "promotion/test")
    assert check["conclusion"] == "action_required"
    assert "has" in check["output"]["title"]

    landed = await shop.merge(pull["number"])

    assert (await shop.checks(landed))["verification/test"] == "success"
    await shop.hears(pull["number"], "service 1.0.0 is verified in `test`")
    number = await shop.issue()
    await shop.say("writer", number, "/promote uat")
    await shop.hears(number, "`.promotion.yaml` on `main` has", "problem")

    await shop.write({".promotion.yaml": good}, message="mend it")
    await shop.quiet()
    await shop.say("writer", number, "/promote uat")
    await shop.hears(number, "on its way into `uat`")


async def test_a_repository_without_a_pipeline_is_left_alone(github: GitHub, tmp_path: Path) -> None:
    async with scene(github, tmp_path / "bot", CHART) as shop:
        number = await shop.issue()
        await shop.say("writer", number, "/status")

        await shop.hears(number, "no `.promotion.yaml`")


async def test_a_chart_that_does_not_render_is_said_on_the_commit_and_tried_again_with_the_next(
    github: GitHub, tmp_path: Path
) -> None:
    broken = {**CHART, "chart/templates/broken.yaml": '{{ fail "no such thing" }}', ".promotion.yaml": PIPELINE}
    async with scene(github, tmp_path / "bot", broken) as shop:
        await shop.publish("1.0.0")
        head = (await shop.who("owner").get("/repos/acme/shop/git/ref/heads/main")).ok()["object"]["sha"]
        check = await shop.check(head, "promotion/test")
        assert check["conclusion"] == "failure"
        assert "no such thing" in check["output"]["summary"]
        assert not await shop.pulls("test")

        await shop.write({"chart/templates/broken.yaml": "# mended\n"}, message="mend the chart")
        await shop.quiet()

        await shop.hears((await shop.landed("test"))["number"], "service 1.0.0 is verified")

"""Stages fan out to regions and come together again in a stage that holds nothing."""

from pathlib import Path

from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, PIPELINE, scene

HEAD, _, REST = PIPELINE.partition("stages:\n")
VERIFICATIONS = REST[REST.index("verifications:") :]
STAGES = """\
stages:
  test: {from: service, auto: true, merge: auto, render: RENDER, verify: [greeting]}
  fan-out: {from: test}
  east: {from: fan-out, auto: true, merge: auto, render: RENDER, verify: [greeting]}
  west: {from: fan-out, render: RENDER, verify: [greeting]}
  fan-in: {from: [east, west], availability: All}
  prod: {from: fan-in, render: RENDER, verify: [greeting]}
""".replace("RENDER", "{helm: {chart: chart}}")


async def test_prod_wants_both_regions(github: GitHub, tmp_path: Path) -> None:
    async with scene(github, tmp_path / "bot", {**CHART, ".promotion.yaml": HEAD + STAGES + VERIFICATIONS}) as shop:
        await shop.publish("1.0.0")
        await shop.hears((await shop.landed("test"))["number"], "verified in `test`")
        east = (await shop.landed("east"))["number"]
        await shop.hears(east, "verified in `east`")

        await shop.say("writer", east, "/promote prod")
        await shop.hears(east, "was refused", "service 1.0.0 has not been in west")
        await shop.say("writer", east, "/promote fan-in")
        await shop.hears(east, "control-flow stage")

        await shop.say("writer", east, "/promote west")
        await shop.hears(east, "on its way into `west`")
        west = (await shop.proposal("west"))["number"]
        await shop.merge(west)
        await shop.hears(west, "verified in `west`")
        await shop.say("writer", west, "/promote prod")
        await shop.hears(west, "on its way into `prod`")
        await shop.say("writer", west, "/status")
        await shop.hears(west, "| `fan-in` | (control flow) |")
        assert await shop.proposal("prod")

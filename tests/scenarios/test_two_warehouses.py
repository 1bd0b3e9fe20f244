"""A stage takes freight of two warehouses: each comes by itself, both are in the lock, both are judged together."""

import hashlib
from pathlib import Path
from typing import Any

import yaml

from bot.sandbox.oci import push_image, storage_of
from tests.sandbox.driver import GitHub
from tests.scenarios.scene import REPO, Scene, scene

CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: service\nversion: 0.1.0\n",
    "chart/values.yaml": "service: {tag: none}\nproxy: {tag: none}\n",
    "chart/templates/deployment.yaml": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: service}\nspec:\n  template:\n    spec:\n"
        "      containers:\n"
        "        - {name: service, image: 'ADDRESS/acme/service:{{ .Values.service.tag }}'}\n"
        "        - {name: proxy, image: 'ADDRESS/acme/proxy:{{ .Values.proxy.tag }}'}\n"
    ),
}
PIPELINE = """\
warehouses:
  service: {interval: 1h, image: {repoURL: ADDRESS/acme/service, constraint: ^1.0.0}}
  proxy: {interval: 1h, image: {repoURL: ADDRESS/acme/proxy, constraint: ^2.0.0}}
stages:
  test: {from: [service, proxy], auto: true, merge: auto, render: RENDER, verify: [greeting]}
  uat: {from: test, render: RENDER, verify: [greeting]}
verifications:
  greeting:
    args: [{name: stage}]
    metrics:
      - name: greeting
        provider: {web: {url: "http://ADDRESS/cluster/{{args.stage}}/test", jsonPath: "{$.message}"}}
        successCondition: result == "Hello Audience!"
""".replace(
    "RENDER",
    "{helm: {chart: chart, images: [{image: ADDRESS/acme/service, key: service.tag},"
    " {image: ADDRESS/acme/proxy, key: proxy.tag}]}}",
)


async def publish(shop: Scene, image: str, version: str) -> None:
    push_image(storage_of(shop.github.sandbox.world), f"acme/{image}", version)
    (await shop.who("owner").post(f"{REPO}/dispatches", {"event_type": "published"})).ok(204)
    await shop.quiet()


async def lock(shop: Scene, stage: str) -> Any:
    return yaml.safe_load(await shop.read(f".promotion/{stage}.lock"))


def tags(held: Any) -> dict[str, str]:
    return {one["origin"]["name"]: one["images"][0]["tag"] for one in held["freight"]}


async def test_freight_of_both_comes_together_in_the_stage(github: GitHub, tmp_path: Path) -> None:
    async with scene(github, tmp_path / "bot", {**CHART}) as shop:
        push_image(storage_of(github.sandbox.world), "acme/proxy", "2.0.0")
        push_image(storage_of(github.sandbox.world), "acme/service", "1.0.0")
        # Neither renders without the other: what the stage has not got yet stays as the chart has it.
        await shop.write({".promotion.yaml": PIPELINE})
        await shop.quiet()
        for pull in reversed(await shop.pulls("test")):
            await shop.hears(pull["number"], "is verified in `test`")
        assert tags(await lock(shop, "test")) == {"service": "1.0.0", "proxy": "2.0.0"}

        await publish(shop, "proxy", "2.1.0")

        newest = await shop.landed("test")
        assert newest["title"] == "promote(test): proxy 2.0.0 → 2.1.0"
        held = await lock(shop, "test")
        assert tags(held) == {"service": "1.0.0", "proxy": "2.1.0"}
        ids = sorted(one["id"] for one in held["freight"])
        check = await shop.check(newest["merge_commit_sha"], "verification/test")
        assert check["external_id"] == hashlib.sha1(",".join(ids).encode(), usedforsecurity=False).hexdigest()
        manifests = await shop.read("out/stages/test/manifests.yaml")
        assert "acme/service:1.0.0" in manifests
        assert "acme/proxy:2.1.0" in manifests
        await shop.hears(newest["number"], "proxy 2.1.0 is verified in `test`", "/promote uat 2.1.0")


async def test_what_failed_with_newer_freight_of_the_other_warehouse_is_still_well(
    github: GitHub, tmp_path: Path
) -> None:
    async with scene(github, tmp_path / "bot", {**CHART}) as shop:
        push_image(storage_of(github.sandbox.world), "acme/proxy", "2.0.0")
        push_image(storage_of(github.sandbox.world), "acme/service", "1.0.0")
        await shop.write({".promotion.yaml": PIPELINE})
        await shop.quiet()
        for pull in reversed(await shop.pulls("test")):
            await shop.hears(pull["number"], "is verified in `test`")
        await shop.spoil("1.1.0")
        await publish(shop, "service", "1.1.0")
        bad = (await shop.landed("test"))["number"]
        await shop.hears(bad, "service 1.1.0 is not verified in `test`")

        await shop.say("writer", bad, "/promote uat 1.1.0")
        await shop.hears(bad, "verification of service 1.1.0 in test failed")
        await shop.say("writer", bad, "/promote uat 2.0.0")
        await shop.hears(bad, "proxy 2.0.0 is on its way into `uat`")
        proposal = await shop.proposal("uat")
        assert await shop.checks(proposal["head"]["sha"]) == {"promotion/uat": "success"}

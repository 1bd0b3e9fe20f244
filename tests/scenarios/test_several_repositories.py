"""One bot looks after several repositories of an organisation; they don't get in each other's way."""

from typing import Any

from bot.sandbox.oci import push_image, storage_of
from tests.scenarios.scene import CHART, Scene

OTHER = "/repos/acme/market"
BROKEN = "/repos/acme/broken"


async def landed(shop: Scene, repo: str) -> dict[str, Any]:
    pulls: list[dict[str, Any]] = (await shop.who("owner").get(f"{repo}/pulls?state=all&head=acme:promotion/test")).ok()
    (pull,) = pulls
    return pull


async def test_each_is_promoted_by_its_own_configuration(shop: Scene) -> None:
    pipeline = await shop.read(".promotion.yaml")
    for name, repo, text in (("market", OTHER, pipeline.replace("^1.0.0", "~1.0.0")), ("broken", BROKEN, "stages: [")):
        await shop.github.repo(name)
        for path, content in {**CHART, ".promotion.yaml": text}.items():
            await shop.github.file(repo, path, content.replace("ADDRESS", shop.address))
    await shop.quiet()
    for version in ("1.0.0", "1.1.0"):
        push_image(storage_of(shop.github.sandbox.world), "acme/service", version)
    for name in ("shop", "market", "broken"):
        (await shop.who("owner").post(f"/repos/acme/{name}/dispatches", {"event_type": "published"})).ok(204)
    await shop.quiet()

    await shop.hears((await shop.landed("test"))["number"], "service 1.1.0 is verified")
    other = await landed(shop, OTHER)
    assert other["merged_at"]
    assert other["title"] == "promote(test): service 1.0.0"
    (said,) = (await shop.who("owner").get(f"{OTHER}/issues/{other['number']}/comments")).ok()
    assert "service 1.0.0" in said["body"]
    head = (await shop.who("owner").get(f"{BROKEN}/commits/main")).ok()["sha"]
    runs = (await shop.who("owner").get(f"{BROKEN}/commits/{head}/check-runs")).ok()["check_runs"]
    assert [(run["name"], run["conclusion"]) for run in runs] == [("promotion/config", "failure")]

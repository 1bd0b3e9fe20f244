"""The default branch is protected: Towpath's check is required, and another program's status too."""

from typing import Any

from tests.scenarios.scene import REPO, Scene


async def protect(shop: Scene, *contexts: str) -> None:
    rules = {
        "required_status_checks": {"strict": False, "contexts": list(contexts)},
        "enforce_admins": False,
        "required_pull_request_reviews": None,
        "restrictions": None,
    }
    (await shop.who("owner").put(f"{REPO}/branches/main/protection", rules)).ok()


async def status(shop: Scene, sha: str, state: str) -> None:
    (await shop.who("owner").post(f"{REPO}/statuses/{sha}", {"state": state, "context": "policy/scan"})).ok(201)


async def test_our_check_lets_people_merge(shop: Scene) -> None:
    await protect(shop, "promotion/test")
    pipeline = await shop.read(".promotion.yaml")
    await shop.write({".promotion.yaml": pipeline.replace("    merge: auto\n", "")}, message="people merge test")
    await shop.publish("1.0.0")
    number = (await shop.proposal("test"))["number"]

    await shop.merge(number)

    await shop.hears(number, "service 1.0.0 is verified in `test`")


async def test_towpath_waits_for_what_others_require_and_then_merges(shop: Scene) -> None:
    await protect(shop, "promotion/test", "policy/scan")
    await shop.publish("1.0.0")
    pull = await shop.proposal("test")
    await status(shop, pull["head"]["sha"], "failure")
    await shop.quiet()
    assert (await shop.proposal("test"))["number"] == pull["number"]
    assert await shop.state(pull["number"]) == {"awaiting-merge"}

    await status(shop, pull["head"]["sha"], "success")
    await shop.quiet()

    landed: dict[str, Any] = await shop.landed("test")
    assert landed["number"] == pull["number"]
    await shop.hears(landed["number"], "service 1.0.0 is verified in `test`")

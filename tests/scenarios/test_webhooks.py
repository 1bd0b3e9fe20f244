"""Webhooks that are forged, doubled, shuffled or lost: the world ends the same."""

import asyncio
import hashlib
import hmac
import json
from pathlib import Path

from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, PATIENCE, PIPELINE, REPO, Scene, scene

PUSH = json.dumps(
    {"ref": "refs/heads/main", "repository": {"full_name": "acme/shop"}, "sender": {"login": "owner"}}
).encode()


async def deliver(shop: Scene, body: bytes, **changes: str | None) -> int:
    """What a stranger might send; returns the answer's status."""
    secret = shop.github.keys.webhook_secret.encode()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": hashlib.sha256(body).hexdigest()[:36],
        "X-Hub-Signature-256": "sha256=" + hmac.digest(secret, body, "sha256").hex(),
    }
    for name, value in changes.items():
        headers.pop(name.replace("_", "-"))
        if value is not None:
            headers[name.replace("_", "-")] = value
    async with shop.github.session.post(shop.github.keys.webhook_url, data=body, headers=headers) as answer:
        return answer.status


FORGED: tuple[tuple[bytes, str | None, int], ...] = (
    (PUSH, None, 401),
    (PUSH, "", 401),
    (PUSH, "sha256=" + "0" * 64, 401),
    (PUSH, "sha1=" + "0" * 40, 401),
    (PUSH, "sha256=ü", 401),
    (b"{", "right", 400),
    (b"[]", "right", 400),
    (b"\xff\xfe", "right", 400),
    (b"[" * 100_000, "right", 400),
)


async def test_what_github_did_not_send_leaves_no_trace(shop: Scene) -> None:
    calls = shop.github.sandbox.record.calls
    before = len(calls)
    deliveries = (await shop.bot.work.stats()).deliveries

    for body, signature, status in FORGED:
        changes = {} if signature == "right" else {"X_Hub_Signature_256": signature}
        assert await deliver(shop, body, **changes) == status, (body[:20], signature)

    await shop.quiet()
    assert len(calls) == before
    assert (await shop.bot.work.stats()).deliveries == deliveries
    assert await deliver(shop, PUSH) == 202  # so that is how GitHub does it
    await shop.quiet()
    assert len(calls) > before


async def a_promotion_into_uat(shop: Scene) -> None:
    """One version goes through test by itself, then into uat by command; people merge."""
    await shop.publish("1.0.0")
    first = (await shop.landed("test"))["number"]
    number = await shop.issue()
    await shop.say("writer", number, "/promote uat")
    second = await shop.proposal("uat")
    await shop.merge(second["number"])
    await one_of_each(shop, number, first, second["number"])


async def one_of_each(shop: Scene, number: int, first: int, second: int) -> None:
    """The same world, whatever happened to the webhooks."""
    assert [await shop.holds(stage) for stage in ("test", "uat")] == ["1.0.0"] * 2
    for stage, pull in (("test", first), ("uat", second)):
        (only,) = await shop.pulls(stage)
        assert only["number"] == pull
        assert await shop.state(pull) == {"verified"}
        assert await shop.checks(only["head"]["sha"]) == {f"promotion/{stage}": "success"}
        assert await shop.checks(only["merge_commit_sha"]) == {f"verification/{stage}": "success"}
        await shop.check(only["merge_commit_sha"], f"verification/{stage}")
        await shop.hears(pull, f"service 1.0.0 is verified in `{stage}`")
    await shop.hears(number, "on its way into `uat`")


async def test_every_webhook_twice(shop: Scene) -> None:
    await shop.goes_wrong("duplicate", times=10_000)
    await a_promotion_into_uat(shop)


async def test_webhooks_out_of_order(shop: Scene) -> None:
    for _ in range(20):  # in threes, each three backwards
        await shop.goes_wrong("reorder", times=3, seconds=0.2)
    await a_promotion_into_uat(shop)


async def test_every_webhook_lost_but_the_tick_finds_everything(github: GitHub, tmp_path: Path) -> None:
    pipeline = PIPELINE.replace("interval: 1h", "interval: 1s")
    files = {**CHART, ".promotion.yaml": pipeline}
    async with scene(github, tmp_path / "bot", files, TICK_INTERVAL="1s") as shop:
        await shop.goes_wrong("drop", times=10_000)
        await shop.publish("1.0.0")
        first = (await shop.comes_true("verified in test", lambda: ended(shop, "test")))["number"]
        number = await shop.issue()
        await shop.say("writer", number, "/promote uat")
        (second,) = await shop.comes_true("proposed for uat", lambda: shop.pulls("uat", "open"))
        await asyncio.wait_for(green(shop, second["head"]["sha"]), PATIENCE)
        await shop.merge(second["number"])
        await shop.comes_true("verified in uat", lambda: ended(shop, "uat"))

        await shop.comes_true("answered", lambda: shop.comments(number))
        await one_of_each(shop, number, first, second["number"])


async def green(shop: Scene, sha: str) -> None:
    await shop.comes_true("may be merged", lambda: shop.checks(sha))


async def ended(shop: Scene, stage: str) -> dict[str, object] | None:
    """The stage's pull request, once its end was told."""
    pulls = await shop.pulls(stage)
    return pulls[0] if pulls and await shop.state(pulls[0]["number"]) == {"verified"} else None


async def test_a_webhook_about_a_repository_we_are_not_in_is_taken_and_nothing_comes_of_it(shop: Scene) -> None:
    body = PUSH.replace(b"acme/shop", b"someone/else")

    assert await deliver(shop, body) == 202

    await shop.quiet()
    asked = {one.path for one in shop.github.sandbox.record.calls if "someone" in one.path}
    assert asked <= {"/repos/someone/else/installation"}


async def test_a_comment_that_somebody_edited_is_not_its_authors_command(github: GitHub, tmp_path: Path) -> None:
    files = {**CHART, ".promotion.yaml": PIPELINE}
    async with scene(github, tmp_path / "bot", files, TICK_INTERVAL="1s") as shop:
        await shop.publish("1.0.0")
        await shop.hears((await shop.landed("test"))["number"], "verified in `test`")
        number = await shop.issue()
        comment = await shop.say("owner", number, "Looks good to me.")
        await asyncio.sleep(1.1)  # GitHub tells times to the second

        changed = {"body": "/promote uat"}
        (await shop.who("writer").patch(f"{REPO}/issues/comments/{comment}", changed)).ok()

        await shop.comes_true("answered", lambda: shop.comments(number))
        await shop.hears(number, "edited after it was written")
        assert not await shop.pulls("uat")

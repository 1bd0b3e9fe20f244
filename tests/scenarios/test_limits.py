"""GitHub is slow, broken or has had enough of us, at every single thing we write: one of each is there in the end."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from bot.sandbox.observers import Exchange
from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, PIPELINE, Scene, scene

BOT = "towpath[bot]"
# One after the other, at the same thing: each time it is tried again, and at last it is done and nobody is told.
TROUBLE: tuple[dict[str, Any], ...] = (
    {"kind": "http", "status": 429, "headers": {"retry-after": "0"}},
    {"kind": "http", "status": 502},
    {"kind": "secondary_rate_limit", "retry_after": 0},
    {"kind": "http", "status": 502, "after": True},
)


class Patient:
    """A clock a minute slow, so that waiting up to a minute takes no time."""

    def now(self) -> datetime:
        return datetime.now(UTC) - timedelta(seconds=61)


@dataclass
class Writes:
    """What the bot wrote, by method and path, in order."""

    seen: list[tuple[str, str]] = field(default_factory=list)

    def exchange(self, exchange: Exchange) -> None:
        if exchange.account == BOT and exchange.method != "GET" and "access_tokens" not in exchange.path:
            self.seen.append((exchange.method, exchange.path))

    def webhook(self, _: object) -> None:
        """Not what this is about."""


async def done(shop: Scene, version: str) -> dict[str, Any] | None:
    pulls = [pull for pull in await shop.pulls("test") if pull["title"].endswith(version)]
    verified = bool(pulls) and await shop.state(pulls[0]["number"]) == {"verified"}
    return pulls[0] if verified else None


@pytest.mark.timeout(300)
async def test_trouble_at_every_write_of_a_promotion(github: GitHub, tmp_path: Path) -> None:
    async with scene(github, tmp_path / "bot", {**CHART, ".promotion.yaml": PIPELINE}, Patient()) as shop:
        writes = Writes()
        github.sandbox.record.observers.append(writes)
        await shop.publish("1.0.0")
        first = await shop.comes_true("verified in calm", lambda: done(shop, "1.0.0"))
        await one_of_each(shop, first, "1.0.0")
        kinds = list(dict.fromkeys((method, kind(path)) for method, path in writes.seen))
        assert len(kinds) >= 5, kinds

        for turn, (method, path) in enumerate(kinds, 1):
            version = f"1.{turn}.0"
            for fault in TROUBLE:
                await shop.goes_wrong(**fault, method=method, path=path)
            await shop.publish(version)
            what = f"verified, with trouble at {method} {path}"
            pull = await shop.comes_true(what, partial(done, shop, version))
            await shop.quiet()
            assert not [one for one in github.sandbox.faults.http if one.times], f"no trouble at {method} {path}"
            await one_of_each(shop, pull, version)


@pytest.mark.timeout(300)
async def test_trouble_at_every_write_of_a_command(github: GitHub, tmp_path: Path) -> None:
    async with scene(github, tmp_path / "bot", {**CHART, ".promotion.yaml": PIPELINE}, Patient()) as shop:
        await shop.publish("1.0.0")
        pull = await shop.comes_true("verified", lambda: done(shop, "1.0.0"))
        await one_of_each(shop, pull, "1.0.0")
        writes = Writes()
        github.sandbox.record.observers.append(writes)
        number = await shop.issue()
        await shop.say("writer", number, "/promote uat")
        await shop.comes_true("answered in calm", lambda: shop.comments(number))
        await shop.quiet()
        await shop.hears(number, "on its way into `uat`")
        kinds = list(dict.fromkeys((method, kind(path)) for method, path in writes.seen))
        assert len(kinds) >= 4, kinds

        for method, path in kinds:
            await shop.close((await shop.proposal("uat"))["number"])
            await shop.comes_true("closed in calm", lambda: closed(shop))
            if path.endswith("/comments$"):
                await shop.goes_wrong("http", method=method, path=path)  # not for the person, whose comment is first
            for fault in TROUBLE:
                await shop.goes_wrong(**fault, method=method, path=path)
            await shop.say("writer", number, "/promote uat")
            await shop.comes_true(f"answered, with trouble at {method} {path}", lambda: shop.comments(number))
            await shop.quiet()
            await shop.hears(number, "on its way into `uat`")
            assert not [one for one in github.sandbox.faults.http if one.times], f"no trouble at {method} {path}"
            proposal = await shop.proposal("uat")
            await shop.check(proposal["head"]["sha"], "promotion/uat")


async def closed(shop: Scene) -> bool:
    """Towpath has heard that the newest pull request was closed, and has said so."""
    newest = (await shop.pulls("uat"))[0]
    if await shop.state(newest["number"]) != {"aborted"}:
        return False
    await shop.hears(newest["number"], "closed without merging")
    return True


def kind(path: str) -> str:
    """The path with its numbers as patterns."""
    parts = [unquote(part) for part in path.split("/")]
    return "/".join("[^/]+" if part.isdigit() or len(part) == 40 else re.escape(part) for part in parts) + "$"


async def one_of_each(shop: Scene, pull: dict[str, Any], version: str) -> None:
    assert len([one for one in await shop.pulls("test") if one["title"].endswith(version)]) == 1
    await shop.check(pull["head"]["sha"], "promotion/test")
    await shop.check(pull["merge_commit_sha"], "verification/test")
    (said,) = await shop.comments(pull["number"])
    assert f"service {version} is verified in `test`" in said["body"]
    shop.heard.add(said["id"])

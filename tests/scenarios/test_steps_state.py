"""What the steps of a promotion have done is not forgotten: not at a restart, not with the work store, not when the
default branch moves on. What must not be done twice is not."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.app import start as start_bot
from bot.engine.running.under_way import BRANCH
from bot.sandbox.observers import Exchange, Webhook
from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, PIPELINE, REPO, Scene, scene, settings

BOT = "towpath[bot]"
HEAD, _, REST = PIPELINE.partition("stages:\n")
VERIFICATIONS = REST[REST.index("verifications:") :]
RENDER = """\
          - uses: git-clone
            config: {checkout: [{branch: main, path: ./src}]}
          - uses: git-clear
            config: {path: ./src/out/stages/test}
          - uses: helm-template
            as: render
            config: {path: ./src/chart, releaseName: service, outPath: ./src/out/stages/test/manifests.yaml,
                     setValues: [{key: image.tag, value: '${{ imageFrom("ADDRESS/acme/service").Tag }}'}]}
          - uses: git-commit
            config: {path: ./src/out/stages/test}
"""
PROPOSE = """\
          - uses: git-push
            config: {path: ./src, generateTargetBranch: true}
          - uses: git-open-pr
            as: open
          - uses: git-wait-for-pr
"""
ANNOUNCE = "          - {uses: http, as: announce, config: {method: POST, url: 'GATE/announce'}}\n"
WAIT = (
    "          - {uses: http, as: ready, config: {url: 'GATE/ready', pollInterval: 200ms, "
    "successExpression: response.body.open}}\n"
)


def pipeline(steps: str, gate: "Gate") -> dict[str, str]:
    stage = (
        "stages:\n  test:\n    from: service\n    auto: true\n    merge: auto\n    verify: [greeting]\n"
        f"    promotionTemplate:\n      spec:\n        steps:\n{steps.replace('GATE', gate.url)}"
    )
    return {**CHART, ".promotion.yaml": HEAD + stage + VERIFICATIONS}


@dataclass
class Gate:
    """A service that promotions wait for, and tell things."""

    open: bool = False
    asked: int = 0
    announced: list[str] = field(default_factory=list)
    url: str = ""

    async def ready(self, request: web.Request) -> web.Response:
        self.asked += 1
        return web.json_response({"open": self.open})

    async def announce(self, request: web.Request) -> web.Response:
        self.announced.append(request.query_string)
        return web.json_response({"id": len(self.announced)})


@pytest.fixture
async def gate() -> AsyncIterator[Gate]:
    gate = Gate()
    app = web.Application()
    app.router.add_get("/ready", gate.ready)
    app.router.add_post("/announce", gate.announce)
    async with TestServer(app, host="127.0.0.1") as server:
        gate.url = str(server.make_url("")).rstrip("/")
        yield gate


@asynccontextmanager
async def restarted(shop: Scene, folder: Path, **changes: str) -> AsyncIterator[Scene]:
    """The bot once more, after the one before has stopped; without what it had in its work store."""
    forget(folder)
    async with AsyncExitStack() as stack:
        bot = await stack.enter_async_context(start_bot(settings(shop.github, folder, **changes)))
        made = Scene(shop.github, bot, shop.store, shop.crashes, shop.heard)
        yield made
        await made.nothing_is_left()


def forget(folder: Path) -> None:
    for file in folder.glob("towpath.db*"):
        file.unlink()


async def head(shop: Scene, branch: str = "main") -> str:
    sha: str = (await shop.who("owner").get(f"{REPO}/git/ref/heads/{branch}")).ok()["object"]["sha"]
    return sha


async def notes(shop: Scene) -> int:
    """How often something was written to the branch of what is under way."""
    return len((await shop.who("owner").get(f"{REPO}/commits?sha={BRANCH}&per_page=100")).ok())


async def kept(shop: Scene) -> list[str]:
    tree = (await shop.who("owner").get(f"{REPO}/git/trees/{BRANCH}")).ok()["tree"]
    return [one["path"] for one in tree]


async def verified(shop: Scene) -> dict[str, Any]:
    async def look() -> Any:
        pulls = await shop.pulls("test")
        return pulls[0] if pulls and "verified" in await shop.state(pulls[0]["number"]) else None

    pull: dict[str, Any] = await shop.comes_true("the promotion is verified", look)
    await shop.quiet()
    return pull


async def test_a_step_that_waits_before_the_pull_request_is_waited_for_whatever_happens(
    github: GitHub, tmp_path: Path, gate: Gate
) -> None:
    folder = tmp_path / "bot"
    async with scene(github, folder, pipeline(ANNOUNCE + WAIT + RENDER + PROPOSE, gate)) as shop:
        await shop.publish("1.0.0")

        async def polled() -> bool:
            return gate.asked > 4

        await shop.comes_true("it is asked again and again", polled)
        first = await head(shop)
        check = await shop.check(first, "promotion/test")
        assert check["status"] == "in_progress"
        assert check["output"]["title"] == "service 1.0.0 for test waits: ready"
        assert "| ✅ | `announce` | `http` | Succeeded |" in check["output"]["text"]
        assert "| ⏳ | `ready` | `http` | waits |" in check["output"]["text"]
        assert await kept(shop) == ["test.md"]
        assert await notes(shop) == 3  # the branch, what was sent, what is waited for; and nothing for a poll
        promotion = (await shop.read("test.md", BRANCH)).split()[2]

    async with restarted(shop, folder) as shop:
        await shop.write({"README.md": "Meanwhile.\n"})
        await shop.quiet()
        asked = gate.asked

        async def goes_on() -> bool:
            return gate.asked > asked + 1 and await head(shop) != first

        await shop.comes_true("it is asked again after the restart", goes_on)
        check = await shop.check(await head(shop), "promotion/test")
        assert check["status"] == "in_progress"
        assert (await shop.check(first, "promotion/test"))["conclusion"] == "neutral"
        second = await head(shop)
        gate.open = True
        pull = await verified(shop)
        await shop.hears(pull["number"], "is verified in `test`")
        assert (await shop.check(second, "promotion/test"))["conclusion"] == "neutral"
        assert yaml.safe_load(await shop.read(".promotion/test.lock"))["promotion"] == promotion
        assert len(gate.announced) == 1
        assert await kept(shop) == []


async def test_what_was_sent_is_not_sent_again_when_a_later_step_fails_and_is_tried_again(
    github: GitHub, tmp_path: Path, gate: Gate
) -> None:
    broken = {"chart/templates/deployment.yaml": "{{ fail }}\n"}
    async with scene(github, tmp_path / "bot", {**pipeline(ANNOUNCE + RENDER + PROPOSE, gate), **broken}) as shop:
        await shop.publish("1.0.0")
        check = await shop.check(await head(shop), "promotion/test")
        assert check["conclusion"] == "failure"
        assert "`announce` | `http` | Succeeded" in check["output"]["text"]
        assert "`render` | `helm-template` | " in check["output"]["text"]

        deployment = "chart/templates/deployment.yaml"
        await shop.write({deployment: CHART[deployment]}, message="mend it")
        pull = await verified(shop)
        await shop.hears(pull["number"], "is verified in `test`")
        assert len(gate.announced) == 1

        await shop.publish("1.1.0")  # another promotion is another matter
        pull = await verified(shop)
        await shop.hears(pull["number"], "service 1.1.0 is verified in `test`")
        assert len(gate.announced) == 2


async def test_what_was_sent_is_not_sent_again_when_the_proposal_is_rendered_anew(
    github: GitHub, tmp_path: Path, gate: Gate
) -> None:
    files = pipeline(ANNOUNCE + RENDER + PROPOSE, gate)
    files[".promotion.yaml"] = files[".promotion.yaml"].replace("    merge: auto\n", "")
    async with scene(github, tmp_path / "bot", files) as shop:
        await shop.publish("1.0.0")
        before = (await shop.proposal("test"))["head"]["sha"]

        await shop.write({"chart/values.yaml": "image: {tag: none}\nreplicas: 7\n"})
        await shop.quiet()

        assert (await shop.proposal("test"))["head"]["sha"] != before
        assert len(gate.announced) == 1


async def test_newer_freight_takes_the_place_of_what_waits(github: GitHub, tmp_path: Path, gate: Gate) -> None:
    async with scene(github, tmp_path / "bot", pipeline(ANNOUNCE + WAIT + RENDER + PROPOSE, gate)) as shop:
        await shop.publish("1.0.0")
        first = (await shop.read("test.md", BRANCH)).split()[2]
        await shop.publish("1.1.0")

        async def superseded() -> bool:
            return (await shop.read("test.md", BRANCH)).split()[2] != first

        await shop.comes_true("1.1.0 waits in its place", superseded)
        await shop.quiet()
        waited = await head(shop)
        assert (await shop.check(waited, "promotion/test"))["output"]["title"] == "service 1.1.0 for test waits: ready"
        gate.open = True
        pull = await verified(shop)
        await shop.hears(pull["number"], "service 1.1.0 is verified in `test`")
        assert len(await shop.pulls("test")) == 1
        assert len(gate.announced) == 2
        assert (await shop.check(waited, "promotion/test"))["conclusion"] == "neutral"


async def test_it_goes_on_with_the_steps_it_began_with(github: GitHub, tmp_path: Path, gate: Gate) -> None:
    later = "          - {uses: http, config: {method: POST, url: 'GATE/announce?new'}}\n"
    async with scene(github, tmp_path / "bot", pipeline(WAIT + RENDER + PROPOSE, gate)) as shop:
        await shop.publish("1.0.0")
        await shop.write(pipeline(WAIT + later + RENDER + PROPOSE, gate))
        await shop.quiet()

        gate.open = True

        pull = await verified(shop)
        await shop.hears(pull["number"], "is verified in `test`")
        assert gate.announced == []


async def test_waiting_has_an_end(github: GitHub, tmp_path: Path, gate: Gate) -> None:
    bounded = WAIT.replace("as: ready,", "as: ready, retry: {timeout: 1s},")
    async with scene(github, tmp_path / "bot", pipeline(bounded + RENDER + PROPOSE, gate)) as shop:
        await shop.publish("1.0.0")

        async def failed() -> bool:
            return (await shop.checks(await head(shop))).get("promotion/test") == "failure"

        await shop.comes_true("it is given up", failed)
        check = await shop.check(await head(shop), "promotion/test")
        assert "has not come to its end within 1s" in check["output"]["summary"]
        assert not await shop.pulls("test")
        assert await kept(shop) == []


async def test_a_note_that_somebody_changed_is_not_believed(github: GitHub, tmp_path: Path, gate: Gate) -> None:
    folder = tmp_path / "bot"
    async with scene(github, folder, pipeline(WAIT + RENDER + PROPOSE, gate)) as shop:
        await shop.publish("1.0.0")
        text = await shop.read("test.md", BRANCH)
        promotion = text.split()[2]
        block = text.rindex(".")
        forged = text[:block] + "." + ("A" if text[block + 1] != "A" else "B") + text[block + 2 :]
        await shop.write({"test.md": forged}, branch=BRANCH)
        gate.open = True

        pull = await verified(shop)
        await shop.hears(pull["number"], "is verified in `test`")
        assert yaml.safe_load(await shop.read(".promotion/test.lock"))["promotion"] != promotion


async def test_what_cannot_be_noted_is_not_waited_for(github: GitHub, tmp_path: Path, gate: Gate) -> None:
    async with scene(github, tmp_path / "bot", pipeline(WAIT + RENDER + PROPOSE, gate)) as shop:
        body = {"ref": f"refs/heads/{BRANCH}/in-the-way", "sha": await head(shop)}
        (await shop.who("owner").post(f"{REPO}/git/refs", body)).ok(201)
        await shop.publish("1.0.0")

        check = await shop.check(await head(shop), "promotion/test")
        assert check["conclusion"] == "failure"
        assert f"can't be kept on the branch `{BRANCH}`" in check["output"]["summary"]
        assert not await shop.pulls("test")


async def test_steps_after_the_merge_wait_and_repeat_nothing(github: GitHub, tmp_path: Path, gate: Gate) -> None:
    folder = tmp_path / "bot"
    async with scene(github, folder, pipeline(RENDER + PROPOSE + ANNOUNCE + WAIT, gate)) as shop:
        await shop.publish("1.0.0")

        async def polled() -> bool:
            return gate.asked > 3

        await shop.comes_true("it is asked again and again", polled)
        pull = await shop.landed("test")
        assert await shop.state(pull["number"]) == {"syncing"}
        check = await shop.check(pull["merge_commit_sha"], "verification/test")
        assert check["status"] == "in_progress"
        assert check["output"]["title"] == "service 1.0.0 arrives in test: ready"
        assert "| ✅ | `announce` | `http` | Succeeded |" in check["output"]["text"]

    async with restarted(shop, folder) as shop:
        asked = gate.asked

        async def goes_on() -> bool:
            return gate.asked > asked + 1

        await shop.comes_true("it is asked again after the restart", goes_on)
        gate.open = True
        pull = await verified(shop)
        await shop.hears(pull["number"], "is verified in `test`")
        assert len(gate.announced) == 1
        assert await shop.checks(pull["merge_commit_sha"]) == {"verification/test": "success"}


async def test_a_direct_push_is_followed_by_what_comes_after_it(github: GitHub, tmp_path: Path, gate: Gate) -> None:
    push = "          - {uses: git-push, as: push, config: {path: ./src, targetBranch: main}}\n"
    folder = tmp_path / "bot"
    async with scene(github, folder, pipeline(RENDER + push + ANNOUNCE + WAIT, gate)) as shop:
        await shop.publish("1.0.0")
        landed = await head(shop)
        assert await shop.checks(landed) == {"verification/test": "in_progress"}

    async with restarted(shop, folder) as shop:
        await shop.quiet()
        gate.open = True

        async def well() -> bool:
            return (await shop.checks(landed)).get("verification/test") == "success"

        await shop.comes_true("it is verified", well)
        await shop.quiet()
        assert len(gate.announced) == 1
        assert await kept(shop) == []


async def test_a_step_that_fails_after_a_direct_push_is_told_of_what_landed(
    github: GitHub, tmp_path: Path, gate: Gate
) -> None:
    push = "          - {uses: git-push, as: push, config: {path: ./src, targetBranch: main}}\n"
    fail = "          - {uses: fail, as: stop, config: {message: no good}}\n"
    async with scene(github, tmp_path / "bot", pipeline(RENDER + push + fail, gate)) as shop:
        await shop.publish("1.0.0")

        check = await shop.check(await head(shop), "verification/test")
        assert check["conclusion"] == "failure"
        assert "no good" in check["output"]["summary"]
        assert await kept(shop) == []


@dataclass
class Calls:
    """What the bot asks GitHub for."""

    seen: list[str] = field(default_factory=list)

    def exchange(self, exchange: Exchange) -> None:
        if exchange.account == BOT and "access_tokens" not in exchange.path:
            self.seen.append(f"{exchange.method} {exchange.path.removeprefix(REPO)}")

    def webhook(self, webhook: Webhook) -> None:
        """Nothing to see."""


async def test_a_promotion_that_neither_waits_nor_sends_costs_nothing_more(github: GitHub, tmp_path: Path) -> None:
    calls = Calls()
    async with scene(github, tmp_path / "bot", pipeline(RENDER + PROPOSE, Gate())) as shop:
        await shop.publish("1.0.0")
        await verified(shop)
        github.sandbox.record.observers.append(calls)
        await shop.publish("1.1.0")
        await verified(shop)

        proposed = next(place for place, call in enumerate(calls.seen) if call == "POST /pulls")
        assert proposed < 4, calls.seen
        assert not [call for call in calls.seen if call.startswith("PATCH /pulls")]
        branches = [one["name"] for one in (await shop.who("owner").get(f"{REPO}/branches")).ok()]
        assert BRANCH not in branches
        for pull in await shop.pulls("test"):
            await shop.hears(pull["number"], "is verified in `test`")

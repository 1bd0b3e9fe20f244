"""The words of the scenarios: what people do and see, the real bot over real HTTP, the sandbox as GitHub.

At the end of each scenario nothing is left over: every comment of the bot's was heard, every call was served, no
task crashed, and nothing waits to be done.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bot.app import Bot
from bot.app import start as start_bot
from bot.contracts import Clock
from bot.sandbox.oci import push_image, storage_of
from bot.settings import Settings
from tests.sandbox.driver import Client, GitHub
from tests.scenarios.store import give_store, waits

REPOSITORY = "acme/shop"
REPO = f"/repos/{REPOSITORY}"
PATIENCE = 90.0  # for machines much slower than ours: all that is waited for ends the wait
_STATES = "promotion/"

CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: service\nversion: 0.1.0\n",
    "chart/values.yaml": "image: {tag: none}\nreplicas: 1\n",
    "chart/values-test.yaml": "image:\n  tag: none\n",
    "chart/values-uat.yaml": "image:\n  tag: none\nreplicas: 2\n",
    "chart/values-prod.yaml": "image:\n  tag: none\nreplicas: 3\n",
    "chart/templates/deployment.yaml": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: service}\nspec:\n"
        "  replicas: {{ .Values.replicas }}\n  template:\n    spec:\n      containers:\n"
        "        - {name: service, image: 'ADDRESS/acme/service:{{ .Values.image.tag }}'}\n"
    ),
}

PIPELINE = """\
warehouses:
  service: {interval: 1h, image: {repoURL: ADDRESS/acme/service, constraint: ^1.0.0}}
stages:
  test:
    from: service
    auto: true
    merge: auto
    render: {helm: {chart: chart, values: values-test.yaml}}
    verify: [greeting]
  uat:
    from: test
    render: {helm: {chart: chart, values: values-uat.yaml}}
    verify: [greeting]
  prod:
    from: uat
    render: {helm: {chart: chart, values: values-prod.yaml}}
    verify: [greeting]
verifications:
  greeting:
    args: [{name: stage}]
    metrics:
      - name: greeting
        provider: {web: {url: "http://ADDRESS/cluster/{{args.stage}}/test", jsonPath: "{$.message}"}}
        successCondition: result == "Hello Audience!"
"""


class Crashes(logging.Handler):
    """Collects what the bot logs as an error: in a scenario nothing is, unless it says so."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.seen: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.seen.append(logging.Formatter().format(record))


@dataclass(slots=True)
class Scene:
    """One repository with a pipeline, its people, and the bot."""

    github: GitHub
    bot: Bot
    store: Path  # its database
    crashes: Crashes
    heard: set[int] = field(default_factory=set)

    def who(self, login: str) -> Client:
        return self.github.user(login)

    @property
    def address(self) -> str:
        return self.github.sandbox.url.removeprefix("http://")

    # --- what happens ---------------------------------------------------------------------------------

    async def write(self, files: dict[str, str], *, message: str = "change files", branch: str = "main") -> str:
        """One commit by the owner, pushed; `ADDRESS` in a text becomes the sandbox's."""
        owner = self.who("owner")
        parent = (await owner.get(f"{REPO}/git/ref/heads/{branch}")).ok()["object"]["sha"]
        base = (await owner.get(f"{REPO}/git/commits/{parent}")).ok()["tree"]["sha"]
        tree = [
            {"path": path, "mode": "100644", "type": "blob", "content": text.replace("ADDRESS", self.address)}
            for path, text in files.items()
        ]
        made = (await owner.post(f"{REPO}/git/trees", {"base_tree": base, "tree": tree})).ok(201)["sha"]
        commit = {"message": message, "tree": made, "parents": [parent]}
        sha: str = (await owner.post(f"{REPO}/git/commits", commit)).ok(201)["sha"]
        (await owner.patch(f"{REPO}/git/refs/heads/{branch}", {"sha": sha})).ok()
        return sha

    async def publish(self, version: str) -> None:
        """Push an image; the build's pipeline tells of it by a repository dispatch."""
        await asyncio.to_thread(push_image, storage_of(self.github.sandbox.world), "acme/service", version)
        (await self.who("owner").post(f"{REPO}/dispatches", {"event_type": "published"})).ok(204)
        await self.quiet()

    async def spoil(self, version: str) -> None:
        """From now on this version misbehaves, wherever it runs."""
        url = f"{self.github.sandbox.url}/cluster/bad"
        (await self.who("owner").call("POST", url, {"version": version})).ok()

    async def say(self, login: str, number: int, text: str) -> int:
        """A comment; returns once Towpath has nothing more to do about it."""
        made = (await self.who(login).post(f"{REPO}/issues/{number}/comments", {"body": text})).ok(201)
        await self.quiet()
        return int(made["id"])

    async def issue(self, title: str = "Talk") -> int:
        return int((await self.who("writer").post(f"{REPO}/issues", {"title": title})).ok(201)["number"])

    async def merge(self, number: int, login: str = "maintainer", method: str = "squash") -> str:
        pull = await self.github.mergeable(f"{REPO}/pulls/{number}")
        body = {"sha": pull["head"]["sha"], "merge_method": method}
        sha: str = (await self.who(login).put(f"{REPO}/pulls/{number}/merge", body)).ok()["sha"]
        await self.quiet()
        return sha

    async def close(self, number: int) -> None:
        (await self.who("writer").patch(f"{REPO}/pulls/{number}", {"state": "closed"})).ok()
        await self.quiet()

    async def goes_wrong(self, kind: str, **how: Any) -> None:
        """From now on something fails at GitHub, as the sandbox's control API describes it."""
        url = f"{self.github.sandbox.url}/sandbox/faults"
        (await self.who("owner").call("POST", url, {"kind": kind, **how})).ok(201)

    async def comes_true(self, what: str, look: Callable[[], Awaitable[Any]]) -> Any:
        """Wait for what needs more than one look; bounded."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not (seen := await look()):  # noqa: ASYNC110 -- other programs' doing is only seen by looking
                    await asyncio.sleep(0.05)
                return seen
        except TimeoutError:
            raise AssertionError(f"in vain: {what}") from None

    async def quiet(self) -> None:
        """Wait until every webhook is delivered and nothing is left to do now."""
        async with asyncio.timeout(PATIENCE):
            calm = 0
            while calm < 2 or not await self._says_so():
                await self.github.sandbox.settle()
                calm = 0 if waits(self.store) else calm + 1
                await asyncio.sleep(0.02)

    async def _says_so(self) -> bool:
        """Whether the bot itself says that it has nothing left to do now."""
        stats = await self.bot.work.stats()
        return not (stats.looks_waiting + stats.looks_running + stats.commands_waiting + stats.commands_running)

    # --- what can be seen -----------------------------------------------------------------------------

    async def pulls(self, stage: str, state: str = "all") -> list[dict[str, Any]]:
        """Pull requests of a stage, newest first."""
        found: list[dict[str, Any]] = (
            await self.who("owner").get(f"{REPO}/pulls?state={state}&head=acme:promotion/{stage}")
        ).ok()
        return found

    async def proposal(self, stage: str) -> dict[str, Any]:
        """The one open pull request of a stage."""
        (pull,) = await self.pulls(stage, "open")
        return pull

    async def landed(self, stage: str) -> dict[str, Any]:
        """The newest pull request of a stage, which was merged."""
        pull = (await self.pulls(stage))[0]
        assert pull["merged_at"]
        return pull

    async def check(self, sha: str, name: str) -> dict[str, Any]:
        """The one check run of this name on a commit."""
        found = (await self.who("owner").get(f"{REPO}/commits/{sha}/check-runs?filter=all")).ok()["check_runs"]
        (run,) = [run for run in found if run["name"] == name]
        return dict(run)

    async def checks(self, sha: str) -> dict[str, str]:
        """Check runs of a commit: name to conclusion, or status while it runs."""
        found = (await self.who("owner").get(f"{REPO}/commits/{sha}/check-runs?filter=all")).ok()["check_runs"]
        return {run["name"]: run["conclusion"] or run["status"] for run in found}

    async def state(self, number: int) -> set[str]:
        """The labels of ours that say how far a promotion is."""
        labels = (await self.who("owner").get(f"{REPO}/issues/{number}/labels")).ok()
        return {one["name"].removeprefix(_STATES) for one in labels if one["name"].startswith(_STATES)}

    async def read(self, path: str, ref: str = "main") -> str:
        answer = await self.who("owner").get(
            f"{REPO}/contents/{path}?ref={ref}", Accept="application/vnd.github.raw+json"
        )
        body = answer.ok()
        return body.decode() if isinstance(body, bytes) else json.dumps(body)

    async def holds(self, stage: str) -> str:
        """The version a stage holds, as its lock and its manifests say alike."""
        lock = yaml.safe_load(await self.read(f".promotion/{stage}.lock"))
        manifests = yaml.safe_load(await self.read(f"out/stages/{stage}/manifests.yaml"))
        tag: str = lock["freight"][0]["images"][0]["tag"]
        assert manifests["spec"]["template"]["spec"]["containers"][0]["image"].endswith(f"/acme/service:{tag}")
        return tag

    async def comments(self, number: int) -> list[dict[str, Any]]:
        """What Towpath said there that nobody has heard yet."""
        found = (await self.who("owner").get(f"{REPO}/issues/{number}/comments?per_page=100")).ok()
        return [one for one in found if one["user"]["type"] == "Bot" and one["id"] not in self.heard]

    async def hears(self, number: int, *parts: str) -> str:
        """Towpath's next comment there, which says all this."""
        unheard = await self.comments(number)
        assert unheard, f"nothing was said on #{number}; expected {parts}"
        first = unheard[0]
        self.heard.add(first["id"])
        for part in parts:
            assert part in first["body"], f"#{number}: expected {part!r} in {first['body']!r}"
        text: str = first["body"]
        return text

    async def nothing_is_left(self) -> None:
        """The last act of every scenario."""
        await self.quiet()
        everything = (await self.who("owner").get(f"{REPO}/issues/comments?per_page=100")).ok()
        unheard = [c["body"] for c in everything if c["user"]["type"] == "Bot" and c["id"] not in self.heard]
        unserved = self.github.sandbox.record.unserved
        assert not unheard, f"said, and not expected: {unheard}"
        assert not unserved, f"called, and not served: {list(unserved)}"
        assert not self.crashes.seen, "logged as an error:\n" + "\n".join(self.crashes.seen)


def settings(github: GitHub, folder: Path, **changes: str) -> Settings:
    """The bot's settings, as the sandbox's env file would give them, but for `changes`."""
    return Settings.load(
        {
            "APP_ID": str(github.keys.app_id),
            "PRIVATE_KEY_PATH": str(github.keys.private_key_path),
            "WEBHOOK_SECRET": github.keys.webhook_secret,
            "GITHUB_API_URL": github.sandbox.world.api,
            "GITHUB_SERVER_URL": github.sandbox.url,
            "GITHUB_WRITE_INTERVAL": "0",
            "EGRESS_ALLOW": "*,127.0.0.0/8,::1",
            "DATA_DIR": str(folder),
            "PORT": github.keys.webhook_url.rpartition(":")[2].partition("/")[0],
            "TICK_INTERVAL": "1h",
            **changes,
        }
    )


@asynccontextmanager
async def scene(
    github: GitHub, folder: Path, files: dict[str, str], clock: Clock | None = None, **changes: str
) -> AsyncIterator[Scene]:
    """A repository with these files, the bot looking at it. Ends with `nothing_is_left`."""
    crashes = Crashes()
    logging.getLogger("bot").addHandler(crashes)
    async with AsyncExitStack() as stack:
        stack.callback(logging.getLogger("bot").removeHandler, crashes)
        await github.repo("shop")
        store = await asyncio.to_thread(give_store, folder)
        bot = await stack.enter_async_context(start_bot(settings(github, folder, **changes), clock))
        made = Scene(github, bot, store, crashes)
        now = {"delaySeconds": 0}  # what is merged runs at once
        (await made.who("owner").call("POST", f"{github.sandbox.url}/cluster/config", now)).ok()
        await made.write(files)
        await made.quiet()
        yield made
        await made.nothing_is_left()

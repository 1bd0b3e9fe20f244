"""The story itself. Every line is checked as it is told; one that does not come true ends it."""

import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import yaml

from bot.demo.people import NotAsTold, Person, until
from bot.demo.telling import Teller

T = TypeVar("T")
STAGES = ("test", "uat", "prod")
Publish = Callable[[str], Awaitable[object]]


@dataclass(slots=True)
class Story:
    """Who takes part, and how long what took. `publish` pushes a version; `spoil` makes one misbehave."""

    teller: Teller
    maintainer: Person
    reader: Person
    publish: Publish
    spoil: Publish
    issue: int = 0
    landed: list[tuple[str, str, str, float]] = field(default_factory=list)  # version, stage, outcome, seconds

    async def tell(self) -> None:
        """From the first version to the last. Raises NotAsTold."""
        await self._first_version()
        await self._bad_version()
        await self._good_version()

    async def _first_version(self) -> None:
        self.teller.chapter("Version 1.0.0 goes through test, uat and prod")
        await self._lands("1.0.0", "test", "by itself", "success", 0)
        self.issue = await self.maintainer.open_issue("Release 1.0.0", "Commands go here.")
        await self._by_command("1.0.0", "uat")
        await self._refused(self.reader, "/promote prod", "reserves it for", "a reader may not, and is told who may")
        await self._by_command("1.0.0", "prod")

    async def _bad_version(self) -> None:
        self.teller.chapter("Version 1.1.0 misbehaves, and gets no further than test")
        await self.spoil("1.1.0")
        known = await self._count("test")
        await self.publish("1.1.0")
        await self._lands("1.1.0", "test", "by itself", "failure", known)
        await self._refused(
            self.maintainer,
            "/promote uat",
            "verification of service 1.1.0 in test failed",
            "it is refused, with the reason",
        )
        known = await self._count("test")
        await self.maintainer.comment(self.issue, "/rollback test")
        await self._lands("1.0.0", "test", "by `/rollback test`", "success", known)

    async def _good_version(self) -> None:
        self.teller.chapter("Version 1.1.1 goes all the way")
        known = await self._count("test")
        await self.publish("1.1.1")
        await self._lands("1.1.1", "test", "by itself", "success", known)
        await self._by_command("1.1.1", "uat")
        await self._by_command("1.1.1", "prod")

    async def _by_command(self, version: str, stage: str) -> None:
        """Somebody asks for it and merges what Towpath proposes."""
        known = await self._count(stage)
        await self.maintainer.comment(self.issue, f"/promote {stage}")
        await self._lands(
            version, stage, f"by `/promote {stage}`, merged by a maintainer", "success", known, merge=True
        )

    async def _lands(
        self, version: str, stage: str, how: str, outcome: str, known: int, *, merge: bool = False
    ) -> None:
        """The stage's pull request opens, is merged, and its verification ends; `known` are the earlier ones."""
        begun = time.monotonic()
        pull = await self._seen(f"{stage}: pull request", lambda: self._opened(stage, known, version))
        number = pull["number"]
        self.teller.told(f"{stage}: #{number} “{pull['title']}” opened {how}", time.monotonic() - begun)
        if merge:
            head = await self._seen(f"{stage}: check", lambda: self._green(number, stage))
            await self.maintainer.merge(number, head)
        merged = await self._seen(f"{stage}: merge", lambda: self._merged(number))
        await self._rendered(stage, version)
        check = await self._seen(f"{stage}: verification", lambda: self._verified(merged, stage))
        if check["conclusion"] != outcome:
            raise NotAsTold(f"the verification of {version} in {stage} came to {check['conclusion']}, not {outcome}")
        label = "promotion/verified" if outcome == "success" else "promotion/failed"
        await self._seen(f"{stage}: result", lambda: self._closed_off(number, label))
        seconds = time.monotonic() - begun
        word = "verified" if outcome == "success" else "not verified"
        self.teller.told(f"{stage}: {version} is rendered, merged and {word}: {check['output']['title']}", seconds)
        self.landed.append((version, stage, word, seconds))

    async def _refused(self, who: Person, command: str, reason: str, told: str) -> None:
        begun = time.monotonic()
        before = len(await self.maintainer.answers(self.issue))
        await who.comment(self.issue, command)

        async def answered() -> dict[str, Any] | None:
            answers = await self.maintainer.answers(self.issue)
            return answers[before] if len(answers) > before else None

        answer = (await self._seen(f"the answer to {command}", answered))["body"]
        if reason not in answer:
            raise NotAsTold(f"{who.login}'s `{command}` should have been refused ({reason}); Towpath said: {answer}")
        self.teller.told(f"{who.login} comments `{command}`: {told}", time.monotonic() - begun)

    async def _seen(self, what: str, look: Callable[[], Awaitable[T | None]]) -> T:
        with self.teller.waiting(what):
            return await until(what, look)

    # --- what a person would look at -------------------------------------------------------------------

    async def _count(self, stage: str) -> int:
        return len(await self.maintainer.pulls(stage))

    async def _opened(self, stage: str, known: int, version: str) -> dict[str, Any] | None:
        pulls = await self.maintainer.pulls(stage)
        if len(pulls) > known + 1:
            raise NotAsTold(f"{stage} got {len(pulls) - known} pull requests, and should have one")
        newest = pulls[0] if len(pulls) > known else None
        return newest if newest and version in newest["title"] else None

    async def _green(self, number: int, stage: str) -> str | None:
        head: str = (await self.maintainer.ask("GET", f"/pulls/{number}"))["head"]["sha"]
        check = (await self.maintainer.checks(head)).get(f"promotion/{stage}")
        return head if check and check["conclusion"] == "success" else None

    async def _merged(self, number: int) -> str | None:
        pull = await self.maintainer.ask("GET", f"/pulls/{number}")
        return pull["merge_commit_sha"] if pull["merged"] else None

    async def _verified(self, sha: str, stage: str) -> dict[str, Any] | None:
        check = (await self.maintainer.checks(sha)).get(f"verification/{stage}")
        return check if check and check["status"] == "completed" else None

    async def _closed_off(self, number: int, label: str) -> bool | None:
        """Label set and result posted, in that order of looking: the label comes last."""
        labels = await self.maintainer.ask("GET", f"/issues/{number}/labels")
        if label not in {one["name"] for one in labels}:
            return None
        results = [one for one in await self.maintainer.answers(number) if "towpath:result" in one["body"]]
        if len(results) != 1:
            raise NotAsTold(f"#{number} has {len(results)} results posted, and should have one")
        return True

    async def _rendered(self, stage: str, version: str) -> None:
        """What Helm made of the chart is on the default branch, in the stage's folder, beside its lock."""
        manifests = [
            m for m in yaml.safe_load_all(await self.maintainer.file(f"out/stages/{stage}/manifests.yaml")) if m
        ]
        images = [
            container["image"]
            for one in manifests
            if one["kind"] == "Deployment"
            for container in one["spec"]["template"]["spec"]["containers"]
        ]
        if [image.rpartition(":")[2] for image in images] != [version]:
            raise NotAsTold(f"out/stages/{stage}/manifests.yaml should run {version}; it runs {images}")
        lock = yaml.safe_load(await self.maintainer.file(f".promotion/{stage}.lock"))
        if lock["freight"][0]["images"][0]["tag"] != version:
            raise NotAsTold(f".promotion/{stage}.lock should say {version}")

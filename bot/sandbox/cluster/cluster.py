"""A cluster that runs what Git says each stage holds, some time after Git says so.

Nothing runs in the background: what is rolled out follows, whenever somebody asks, from the history of the stage's
manifests and from when each commit was first seen. So a test that moves the clock moves the cluster.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from bot.sandbox.cluster.manifests import Running, read
from bot.sandbox.cluster.source import Change, Source

DEFAULT_DELAY = timedelta(seconds=2)
DEFAULT_PATH = "out/stages/{stage}/manifests.yaml"


class Fault(StrEnum):
    """How a bad version behaves: it answers with the wrong message, or with an error."""

    MESSAGE = "message"
    ERROR = "error"


class Health(StrEnum):
    """Argo CD's words (https://argo-cd.readthedocs.io/en/stable/operator-manual/health/)."""

    PROGRESSING = "Progressing"
    HEALTHY = "Healthy"
    DEGRADED = "Degraded"


@dataclass(frozen=True, slots=True)
class StageStatus:
    """How a stage is. `desired` is what Git says, `synced` what runs ("": nothing yet); both are commits.

    `fault` is how what runs misbehaves, `problem` why the desired commit can't be rolled out.
    """

    stage: str
    repository: str
    desired: str
    synced: str
    running: Running
    health: Health
    fault: Fault | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What can be changed while the cluster runs. `repository` "" means: whichever holds the stage."""

    delay: timedelta = DEFAULT_DELAY
    repository: str = ""
    path: str = DEFAULT_PATH
    bad: Mapping[str, Fault] = field(default_factory=dict)


class Cluster:
    """All stages. What was seen when is kept in the file `state`, so that a restart changes nothing."""

    def __init__(self, source: Source, state: Path, clock: Callable[[], datetime], rules: Rules | None = None) -> None:
        self._source, self._state, self._clock = source, state, clock
        self._lock = asyncio.Lock()
        self._seen: dict[str, dict[str, datetime]] = {}  # "repository path": commit: since when
        self._looked: dict[str, datetime] = {}
        self.rules = rules or Rules()
        if state.exists():
            self._load(json.loads(state.read_text()))

    async def change(self, rules: Rules) -> None:
        """Follow other rules from now on."""
        async with self._lock:
            self.rules = rules
            await asyncio.to_thread(self._save)

    async def spoil(self, version: str, fault: Fault | None) -> None:
        """Make a version bad, or good again (None), wherever it runs."""
        bad = {name: how for name, how in self.rules.bad.items() if name != version}
        await self.change(replace(self.rules, bad={**bad, version: fault} if fault else bad))

    async def status(self, stage: str) -> StageStatus | None:
        """How a stage is now; None when no repository holds its manifests."""
        async with self._lock:
            path = self.rules.path.replace("{stage}", stage)
            followed = [self.rules.repository] if self.rules.repository else await self._source.repositories()
            found = [(name, changes) for name in followed if (changes := await self._source.changes(name, path))]
            if not found:
                return None
            repository, changes = max(found, key=lambda item: item[1][0].made_at)
            since = await self._observe(f"{repository} {path}", changes)
            return await self._rolled_out(stage, repository, path, changes, since)

    async def _rolled_out(
        self, stage: str, repository: str, path: str, changes: Sequence[Change], since: Mapping[str, datetime]
    ) -> StageStatus:
        """What runs: the newest commit that has been there for the delay, and can be read."""
        ripe = self._clock() - self.rules.delay
        running, synced, problem = Running(()), "", ""
        for change in changes:
            if since[change.sha] > ripe:
                continue
            content = await self._source.read(repository, change.sha, path)
            try:
                running, synced = read(content) if content is not None else Running(()), change.sha
                break
            except ValueError as error:
                problem = problem or f"{change.sha}: {error}"
        fault = next((self.rules.bad[name] for name in running.versions if name in self.rules.bad), None)
        desired = changes[0].sha
        if problem or (fault and synced == desired):
            health = Health.DEGRADED
        else:
            health = Health.HEALTHY if synced == desired else Health.PROGRESSING
        return StageStatus(stage, repository, desired, synced, running, health, fault, problem)

    async def _observe(self, key: str, changes: Sequence[Change]) -> Mapping[str, datetime]:
        """Since when each commit has been there.

        One that is new appeared after it was made, and after we last looked: that is all that can be known, and it
        is enough, for a commit is pushed right after it is made.
        """
        now, known = self._clock(), self._seen.get(key, {})
        since: dict[str, datetime] = {}
        earliest = self._looked.get(key)
        before: datetime | None = None
        for change in reversed(changes):
            moment = known.get(change.sha) or min(now, max(filter(None, (change.made_at, earliest, before))))
            since[change.sha] = before = moment
        self._looked[key] = now
        if since != known:
            self._seen[key] = since
        await asyncio.to_thread(self._save)
        return since

    # --- the file -----------------------------------------------------------------------------------

    def _load(self, data: Mapping[str, Any]) -> None:
        self.rules = Rules(
            timedelta(seconds=data["delay_seconds"]),
            data["repository"],
            data["path"],
            {version: Fault(how) for version, how in data["bad"].items()},
        )
        self._seen = {
            key: {sha: datetime.fromisoformat(moment) for sha, moment in commits.items()}
            for key, commits in data["seen"].items()
        }
        self._looked = {key: datetime.fromisoformat(moment) for key, moment in data["looked"].items()}

    def _save(self) -> None:
        data = {
            "delay_seconds": self.rules.delay.total_seconds(),
            "repository": self.rules.repository,
            "path": self.rules.path,
            "bad": dict(self.rules.bad),
            "seen": {
                key: {sha: moment.isoformat() for sha, moment in commits.items()} for key, commits in self._seen.items()
            },
            "looked": {key: moment.isoformat() for key, moment in self._looked.items()},
        }
        draft = self._state.with_name(f".{self._state.name}.new")
        draft.write_text(json.dumps(data, indent=1))
        os.replace(draft, self._state)

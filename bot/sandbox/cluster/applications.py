"""Argo CD's Applications: what they want, the operation that was asked for last, and what came of it.

As with the stages, nothing runs in the background: how far an operation is follows, whenever somebody asks, from when
it was started. It takes the first half of the cluster's delay, and what it brought is rolled out in the second half.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.sandbox.cluster.cluster import Health, Rules
from bot.sandbox.cluster.manifests import version_of
from bot.sandbox.cluster.targets import Repositories, images

NAMESPACE = "argocd"
KIND = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application"}


class Busy(Exception):
    """Another operation is under way."""


@dataclass(slots=True)
class App:
    """One Application. Times are ISO texts, as they are kept; `live` is what the last good operation brought."""

    metadata: dict[str, Any]
    spec: dict[str, Any]
    refreshed_at: str
    operation: dict[str, Any] | None = None
    started_at: str = ""
    wanted: list[dict[str, Any]] = field(default_factory=list)  # the sources and revisions of the operation
    revisions: list[str] = field(default_factory=list)
    failure: str = ""
    live: dict[str, Any] | None = None  # {"revisions", "sources", "at"}
    sync_fails: str = ""  # told to fail, and how

    @property
    def key(self) -> str:
        return f"{self.metadata['namespace']}/{self.metadata['name']}"

    @property
    def sources(self) -> list[dict[str, Any]]:
        return [dict(source) for source in self.spec.get("sources") or [self.spec.get("source") or {}]]

    @property
    def is_automated(self) -> bool:
        automated = (self.spec.get("syncPolicy") or {}).get("automated")
        return automated is not None and automated.get("enabled", True) is not False


class Applications:
    """All of them, kept in the file `state`, so that a restart changes nothing."""

    def __init__(
        self,
        repositories: Repositories,
        state: Path,
        clock: Callable[[], datetime],
        rules: Callable[[], Rules],
    ) -> None:
        self._repositories, self._state, self._clock, self._rules = repositories, state, clock, rules
        self._lock = asyncio.Lock()
        kept = json.loads(state.read_text()) if state.exists() else {}
        self._apps = {key: App(**one) for key, one in kept.items()}

    async def put(self, metadata: Mapping[str, Any], spec: Mapping[str, Any], sync_fails: str) -> App:
        """Make an Application, or change what one wants."""
        async with self._lock:
            whole = {"namespace": NAMESPACE, **metadata}
            key = f"{whole['namespace']}/{whole['name']}"
            app = self._apps.setdefault(key, App(dict(whole), dict(spec), _stamp(self._clock())))
            app.metadata, app.spec, app.sync_fails = dict(whole), dict(spec), sync_fails
            await self._save()
            return app

    def all(self) -> Sequence[App]:
        return [self._apps[key] for key in sorted(self._apps)]

    def get(self, name: str, namespace: str) -> App | None:
        return self._apps.get(f"{namespace or NAMESPACE}/{name}")

    async def change(self, app: App, metadata: Mapping[str, Any], spec: Mapping[str, Any]) -> None:
        """Take over `spec`, labels and annotations, and nothing else of the metadata."""
        async with self._lock:
            app.spec = dict(spec)
            app.metadata |= {name: metadata[name] for name in ("labels", "annotations") if name in metadata}
            await self._save()

    async def refresh(self, app: App) -> None:
        """Compare with Git. An automated Application that is behind starts an operation of its own."""
        async with self._lock:
            self._settle(app)
            app.refreshed_at = _stamp(self._clock())
            if app.is_automated and not self._is_under_way(app) and await self._sync_status(app) != "Synced":
                await self._start(app, {"initiatedBy": {"automated": True}})
            await self._save()

    async def sync(self, app: App, operation: Mapping[str, Any]) -> None:
        """Start an operation. Raises Busy, and ValueError for a revision there is not."""
        async with self._lock:
            self._settle(app)
            if self._is_under_way(app):
                raise Busy
            await self._start(app, operation)
            await self._save()

    async def _start(self, app: App, operation: Mapping[str, Any]) -> None:
        revisions = []
        for source in app.sources:
            target = str(source.get("targetRevision") or "HEAD")
            sha = await self._repositories.resolve(str(source.get("repoURL")), target)
            if sha is None:
                raise ValueError(f"error resolving repo revision: unable to resolve '{target}' to a commit SHA")
            revisions.append(sha)
        app.failure = app.sync_fails
        if not app.failure:
            try:
                await self._images(app.sources, revisions)
            except ValueError as error:
                app.failure = f"ComparisonError: Failed to load target state: {error}"
        app.operation, app.wanted, app.revisions = dict(operation), app.sources, revisions
        app.started_at = _stamp(self._clock())

    # --- how it is now --------------------------------------------------------------------------------

    def _is_under_way(self, app: App) -> bool:
        return app.operation is not None and self._clock() < self._end(app)

    def _end(self, app: App) -> datetime:
        return datetime.fromisoformat(app.started_at) + self._rules().delay / 2

    def _settle(self, app: App) -> None:
        """What an operation brought that has ended meanwhile runs."""
        if app.operation is not None and not self._is_under_way(app) and not app.failure:
            app.live = {"revisions": app.revisions, "sources": app.wanted, "at": _stamp(self._end(app))}

    async def shown(self, app: App) -> dict[str, Any]:
        """The Application as Argo CD's API gives it."""
        self._settle(app)
        status: dict[str, Any] = {
            "sync": {"status": await self._sync_status(app), "revision": (app.live or {}).get("revisions", [""])[0]},
            "health": await self._health(app),
            "reconciledAt": _shown(app.refreshed_at),
            "conditions": [],
            "controllerNamespace": NAMESPACE,
        }
        data: dict[str, Any] = {**KIND, "metadata": app.metadata, "spec": app.spec, "status": status}
        if app.operation is None:
            return data
        state: dict[str, Any] = {"operation": app.operation, "startedAt": _shown(app.started_at), "phase": "Running"}
        status["operationState"] = state
        if self._is_under_way(app):
            return {**data, "operation": app.operation}
        ended = _stamp(self._end(app))
        status["reconciledAt"] = _shown(max(app.refreshed_at, ended))  # Argo CD looks when an operation has ended
        state |= {"finishedAt": _shown(ended), "message": app.failure or "successfully synced (all tasks run)"}
        state["phase"] = "Failed" if app.failure else "Succeeded"
        if app.spec.get("sources"):
            state["syncResult"] = {"revision": "", "revisions": app.revisions, "sources": app.wanted}
        else:
            state["syncResult"] = {"revision": app.revisions[0], "source": app.wanted[0]}
        return data

    async def _sync_status(self, app: App) -> str:
        """Synced when what runs is what the sources hold now, whatever else happened in the repository."""
        if app.live is None or app.live["sources"] != app.sources:
            return "OutOfSync"
        for source, revision in zip(app.sources, app.live["revisions"], strict=True):
            url, folder = str(source.get("repoURL")), str(source.get("path") or "").strip("./")
            now = await self._repositories.resolve(url, str(source.get("targetRevision") or "HEAD"))
            if now is None:
                return "Unknown"
            if now != revision and await self._repositories.files(url, now, folder) != await self._repositories.files(
                url, revision, folder
            ):
                return "OutOfSync"
        return "Synced"

    async def _health(self, app: App) -> dict[str, str]:
        if app.live is None:
            return {"status": "Missing"}
        rules = self._rules()
        if self._clock() < datetime.fromisoformat(app.live["at"]) + rules.delay / 2:
            return {"status": Health.PROGRESSING}
        versions = [version_of(one) for one in await self._images(app.live["sources"], app.live["revisions"])]
        bad = next((version for version in versions if version in rules.bad), None)
        if bad is not None:
            return {"status": Health.DEGRADED, "message": f"version {bad} does not become ready"}
        return {"status": Health.HEALTHY}

    async def _images(self, sources: Sequence[Mapping[str, Any]], revisions: Sequence[str]) -> tuple[str, ...]:
        found: list[str] = []
        for source, revision in zip(sources, revisions, strict=True):
            found += await images(self._repositories, source, revision)
        return tuple(found)

    async def _save(self) -> None:
        text = json.dumps({key: asdict(app) for key, app in self._apps.items()}, indent=1)
        await asyncio.to_thread(_write, self._state, text)


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(text)
    os.replace(draft, path)


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _shown(stamp: str) -> str:
    """Kubernetes tells whole seconds."""
    return stamp.partition(".")[0] + "Z"

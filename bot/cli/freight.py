"""The freight that `towpath render` renders: what a checkout's locks know of, and versions given by hand."""

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bot.core import choosing, discoveries, freight
from bot.core.lock import Lock
from bot.core.model import Artifact, Chart, Commit, CommitSha, Freight, Image, Pipeline, Stage, Subscription, Warehouse
from bot.errors import UserError

FindDigest = Callable[[str, str], Awaitable[str | None]]  # of a repository's tag
FindCommit = Callable[[str, str], Awaitable[str | None]]  # the whole id of a repository's branch, tag or commit


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for: `freight` by id, alias or version, and `versions` as pairs of name and version."""

    freight: Sequence[str] = ()
    versions: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Chosen:
    """`collection` holds one freight for each warehouse of the stage; `promoted` is the one that is asked for."""

    promoted: Freight
    collection: tuple[Freight, ...]


@dataclass(frozen=True, slots=True)
class Finder:
    """Makes artifacts of names and versions. `known` are those of the locks. A digest is asked for only if needed."""

    known: tuple[Artifact, ...]
    needs_digest: bool
    digest: FindDigest
    commit: FindCommit

    async def find(self, subscription: Subscription, version: str) -> Artifact:
        """Raises UserError where that can't be known."""
        for artifact in self.known:
            if discoveries.is_from(artifact, subscription) and freight.version(artifact) == version:
                return artifact
        url, name = str(subscription.config["repoURL"]), subscription.name
        if subscription.kind == "chart":
            return Chart(url, str(subscription.config.get("name", "")), version, name)
        if subscription.kind == "git":
            sha = await self.commit(url, version)
            if sha is None:
                raise UserError(f"{url}: no commit {version!r} is known here; give the whole id, 40 digits")
            return Commit(url, CommitSha(sha), tag="" if sha.startswith(version) else version, subscription_name=name)
        tag, _, digest = version.partition("@")
        if not digest and self.needs_digest:
            digest = await self.digest(url, tag) or ""
            if not digest:
                raise UserError(f"{url} has no tag {tag!r}, and the steps want its digest; give {tag}@sha256:…")
        return Image(url, tag, digest, subscription_name=name)


def needs_digest(stage: Stage) -> bool:
    """Whether any step may look at an image's digest."""
    steps = stage.template.steps if stage.template else ()
    text = json.dumps([[step.config, [one.value for one in step.vars]] for step in steps], default=str)
    every = any(step.uses == "kustomize-set-image" and "images" not in step.config for step in steps)
    return every or "igest" in text


async def choose(pipeline: Pipeline, stage: Stage, locks: Sequence[Lock], wanted: Wanted, finder: Finder) -> Chosen:
    """For each warehouse what is wanted, else what the stage holds, else what a stage before it holds.

    Raises UserError where that leaves something open.
    """
    warehouses = [pipeline.warehouses[request.origin] for request in stage.requests]
    known = _distinct(locks)
    named = _named_freight(wanted.freight, [one for one in known if one.origin in {w.name for w in warehouses}])
    versions = _by_subscription(wanted.versions, warehouses)
    found: list[Freight] = []
    asked: list[Freight] = []
    for warehouse in warehouses:
        meant = next((one for one in named if one.origin == warehouse.name), None)
        base = meant or _held(stage, locks, warehouse)
        own = {place: version for (name, place), version in versions.items() if name == warehouse.name}
        whole = await _with(warehouse, base, own, finder) if own or base is None else base
        found.append(whole)
        if meant is not None or own:
            asked.append(whole)
    return Chosen((asked or found)[0], tuple(found))


def _distinct(locks: Sequence[Lock]) -> list[Freight]:
    return list({one.id: one for lock in locks for one in lock.collection}.values())


def _named_freight(texts: Sequence[str], known: Sequence[Freight]) -> list[Freight]:
    found = [choosing.freight(known, text) for text in texts]
    if len({one.origin for one in found}) < len(found):
        raise UserError("two of the freight named are of the same warehouse; name one of them")
    return found


def _by_subscription(
    versions: Sequence[tuple[str, str]], warehouses: Sequence[Warehouse]
) -> dict[tuple[str, int], str]:
    """Each version by the warehouse's name and the subscription's place in it."""
    given: dict[tuple[str, int], str] = {}
    for name, version in versions:
        places = [
            (warehouse.name, place)
            for warehouse in warehouses
            for place, one in enumerate(warehouse.subscriptions)
            if name.lower() in {known.lower() for known in discoveries.names_of(one)}
        ]
        if not places:
            there = ", ".join(discoveries.names_of(one)[0] for each in warehouses for one in each.subscriptions)
            raise UserError(f"the stage takes nothing called {name!r}; it takes {there}")
        if any(place in given for place in places):
            raise UserError(f"{name!r} is given twice")
        given.update(dict.fromkeys(places, version))  # one artifact in several warehouses is still one
    return given


def _held(stage: Stage, locks: Sequence[Lock], warehouse: Warehouse) -> Freight | None:
    """What the stage holds of a warehouse, else what a stage before it does."""
    for name in (stage.name, *sorted(stage.upstreams)):
        for lock in locks:
            if lock.stage == name and (held := lock.freight_of(warehouse.name)) is not None:
                return held
    return None


async def _with(warehouse: Warehouse, base: Freight | None, own: dict[int, str], finder: Finder) -> Freight:
    artifacts = []
    for place, subscription in enumerate(warehouse.subscriptions):
        held = [one for one in base.artifacts if discoveries.is_from(one, subscription)] if base else []
        if place in own:
            artifacts.append(await finder.find(subscription, own[place]))
        elif held:
            artifacts.append(held[0])
        else:
            name = discoveries.names_of(subscription)[0]
            raise UserError(f"no lock here says which version of {name} to take; give one: --set {name}=VERSION")
    return freight.make_freight(warehouse.name, artifacts, None)

"""What a person means when they name a stage or freight in a command."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from bot.core import freight as freight_data
from bot.core.discoveries import is_from, names_of
from bot.core.messages.markdown import code, plain
from bot.core.model import Freight, Stage, StageName, Warehouse, WarehouseName
from bot.core.snapshot import Snapshot
from bot.errors import UserError


def stage(snapshot: Snapshot, args: Sequence[str], default: str, usage: str) -> Stage:
    """The stage named first, else the one whose pull request this is. Raises UserError."""
    if snapshot.pipeline is None:
        raise UserError("There is no valid `.promotion.yaml` on the default branch, so there are no stages.")
    name = args[0] if args else default
    if not name:
        raise UserError(f"Which stage? Write `{usage}`. Stages here: {_names(snapshot)}.")
    found = snapshot.pipeline.stages.get(StageName(name))
    if found is None:
        near = get_close_matches(name, list(snapshot.pipeline.stages), n=1)
        hint = f" Did you mean `{near[0]}`?" if near else ""
        raise UserError(f"There is no such stage.{hint} Stages here: {_names(snapshot)}.")
    if found.is_control_flow:
        raise UserError(f"`{found.name}` is a control-flow stage: freight passes it, and nothing is promoted into it.")
    return found


def freight(candidates: Sequence[Freight], text: str) -> Freight:
    """The one freight meant by an id, its beginning, an alias or a version. Raises UserError."""
    found = [one for one in candidates if freight_data.matches(one, text)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise UserError(f"No freight by that name is known here.{_known(candidates)}")
    which = ", ".join(f"`{one.alias}` ({plain(freight_data.describe(one))})" for one in found[:5])
    raise UserError(f"That can mean {len(found)} different freight: {which}. Name one by its alias.")


@dataclass(frozen=True, slots=True)
class Named:
    """The versions of one warehouse's subscriptions that somebody named, by the subscriptions' place."""

    warehouse: Warehouse
    versions: Mapping[int, str]

    @property
    def all(self) -> bool:
        return len(self.versions) == len(self.warehouse.subscriptions)

    def fits(self, freight: Freight) -> bool:
        """Whether it has all the versions named."""
        return freight.origin == self.warehouse.name and all(
            any(
                is_from(artifact, self.warehouse.subscriptions[place]) and freight_data.has_version(artifact, version)
                for artifact in freight.artifacts
            )
            for place, version in self.versions.items()
        )


def named(snapshot: Snapshot, stage: Stage, words: Sequence[str]) -> Named:
    """What `name=version` words mean of the one warehouse of the stage's that has them all. Raises UserError."""
    pairs = [word.partition("=")[::2] for word in words]
    if blank := next((word for word, pair in zip(words, pairs, strict=True) if not all(pair)), None):
        raise UserError(f"{code(blank)} is no `name=version`.")
    pipeline = snapshot.pipeline
    warehouses = [pipeline.warehouses[r.origin] for r in stage.requests] if pipeline is not None else []
    meant = {one.name: [_places(one, name) for name, _ in pairs] for one in warehouses}
    for place, (name, _) in enumerate(pairs):
        if not any(found[place] for found in meant.values()):
            raise UserError(_unknown(stage, name, warehouses))
    complete = [one for one in warehouses if all(meant[one.name])]
    if not complete:
        listed = " and ".join(f"`{one.name}`" for one in warehouses if any(meant[one.name]))
        raise UserError(f"These are of different warehouses, {listed}. Promote the freight of one at a time.")
    if len(complete) > 1:
        listed = " or ".join(f"`{one.name}`" for one in complete)
        raise UserError(f"That can mean freight of {listed}. Name more of it, or by its address.")
    versions: dict[int, str] = {}
    for places, (name, version) in zip(meant[complete[0].name], pairs, strict=True):
        if len(places) > 1:
            either = " or ".join(code(_label(warehouses, complete[0], place)) for place in places)
            raise UserError(f"{code(name)} can mean {either}. Write which.")
        if places[0] in versions:
            raise UserError(f"{code(name)} is named twice.")
        versions[places[0]] = version
    return Named(complete[0], versions)


def example(snapshot: Snapshot, stage: Stage, origin: WarehouseName) -> str:
    """What to write for freight of a warehouse put together by hand, the versions left open."""
    assert snapshot.pipeline is not None  # noqa: S101 -- there is a stage
    warehouses = [snapshot.pipeline.warehouses[request.origin] for request in stage.requests]
    wanted = snapshot.pipeline.warehouses[origin]
    labels = [_label(warehouses, wanted, place) for place in range(len(wanted.subscriptions))]
    return f"/promote {stage.name} {' '.join(f'{label}=…' for label in labels)}"


def _places(warehouse: Warehouse, name: str) -> list[int]:
    subscriptions = enumerate(warehouse.subscriptions)
    return [place for place, one in subscriptions if name.lower() in {known.lower() for known in names_of(one)}]


def _unknown(stage: Stage, name: str, warehouses: Sequence[Warehouse]) -> str:
    known = [_label(warehouses, one, place) for one in warehouses for place in range(len(one.subscriptions))]
    near = get_close_matches(name.lower(), known, n=1)
    hint = f" Did you mean {code(near[0])}?" if near else ""
    return f"`{stage.name}` takes nothing called {code(name)}.{hint} It takes: {', '.join(map(code, known))}."


def _label(warehouses: Sequence[Warehouse], warehouse: Warehouse, place: int) -> str:
    """The shortest name of a subscription that is no other's."""
    own = warehouse.subscriptions[place]
    others = {name for one in warehouses for each in one.subscriptions if each is not own for name in names_of(each)}
    names = names_of(own)
    return next((name for name in names if name not in others), names[0])


def _names(snapshot: Snapshot) -> str:
    return ", ".join(f"`{name}`" for name in snapshot.pipeline.stages) if snapshot.pipeline else ""


def _known(candidates: Sequence[Freight]) -> str:
    if not candidates:
        return " There is none at all yet."
    shown = ", ".join(code(freight_data.version_of(one)) for one in candidates[:8])
    return f" Known: {shown}{', …' if len(candidates) > 8 else ''}."

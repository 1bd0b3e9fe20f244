"""What there is to draw of a pipeline: warehouses and stages, and the ways freight takes between them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from typing import Any

from bot.core.durations import format_duration
from bot.core.model import (
    Availability,
    FreightRequest,
    MergePolicy,
    Pipeline,
    Selection,
    Stage,
    Subscription,
    Warehouse,
)


class Kind(Enum):
    WAREHOUSE = "warehouse"
    STAGE = "stage"
    JUNCTION = "control-flow"


@dataclass(frozen=True, slots=True)
class Node:
    """A warehouse or a stage. `lines`: what a warehouse watches, how a stage is verified. Names may be shared by both
    kinds, so edges know nodes by number."""

    kind: Kind
    name: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Edge:
    """A way freight takes, from node to node (their numbers).

    `own`: what is asked on this way alone (a soak, one warehouse of several). `entry`: what holds for every way into
    the target (that promotions start or merge by themselves). `by_hand`: somebody must start the promotion.
    """

    source: int
    target: int
    own: tuple[str, ...] = ()
    entry: tuple[str, ...] = ()
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Graph:
    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]


def graph_of(pipeline: Pipeline) -> Graph:
    """The graph of a valid pipeline; warehouses first, then stages, in the order of the file."""
    nodes = [
        *(Node(Kind.WAREHOUSE, name, _watched(each)) for name, each in pipeline.warehouses.items()),
        *(_stage_node(each) for each in pipeline.stages.values()),
    ]
    warehouses = {name: number for number, name in enumerate(pipeline.warehouses)}
    stages = {name: len(warehouses) + number for number, name in enumerate(pipeline.stages)}
    edges: list[Edge] = []
    for name, stage in pipeline.stages.items():
        sources: dict[int, list[FreightRequest]] = {}
        for request in stage.requests:
            if request.direct and request.origin in warehouses:
                sources.setdefault(warehouses[request.origin], []).append(request)
            for upstream in request.stages:
                if upstream in stages:
                    sources.setdefault(stages[upstream], []).append(request)
        entry = _entry(stage)
        by_hand = not (stage.auto or stage.is_control_flow)
        for source, requests in sources.items():
            from_stage = source >= len(warehouses)
            carried = {each.origin for each in pipeline.stages[_name(nodes[source])].requests} if from_stage else set()
            own = _own(requests, carried) if from_stage else ()
            edges.append(Edge(source, stages[name], own, entry, by_hand))
    return Graph(tuple(nodes), tuple(edges))


def _name(node: Node) -> Any:
    return node.name


def _stage_node(stage: Stage) -> Node:
    if stage.is_control_flow:
        return Node(Kind.JUNCTION, stage.name)
    return Node(Kind.STAGE, stage.name, stage.verification.templates if stage.verification else ())


def _entry(stage: Stage) -> tuple[str, ...]:
    if stage.is_control_flow:
        return ()
    said = ["auto"] if stage.auto else []
    if stage.merge is MergePolicy.AUTO:
        said.append("merge: auto")
    return tuple(said)


def _own(requests: list[FreightRequest], carried: set[Any]) -> tuple[str, ...]:
    """What requests ask on the way from one upstream stage; by warehouse where they differ or leave some out."""
    asked = {each.origin: _asked(each) for each in requests}
    if set(asked) == carried and len(set(asked.values())) == 1:
        return next(iter(asked.values()))
    return tuple(f"{origin}: {', '.join(words)}" if words else str(origin) for origin, words in asked.items())


def _asked(request: FreightRequest) -> tuple[str, ...]:
    said = [f"soak {_short(request.required_soak)}"] if request.required_soak else []
    if request.availability is Availability.ALL and len(request.stages) > 1:
        said.append("all of these")
    if request.selection is Selection.MATCH_UPSTREAM:
        said.append("match upstream")
    return tuple(said)


def _short(duration: timedelta) -> str:
    """As people write it: 1h rather than 1h0m0s."""
    text = format_duration(duration)
    for ending in ("m0s", "h0m"):
        text = text[: -len(ending) + 1] if text.endswith(ending) else text
    return text


def _watched(warehouse: Warehouse) -> tuple[str, ...]:
    return tuple(_subscription(each) for each in warehouse.subscriptions)


def _subscription(subscription: Subscription) -> str:
    """In a few words: the repository, and what narrows it down."""
    config: Mapping[str, Any] = subscription.config
    url = str(config.get("repoURL", "")).removeprefix("https://").removeprefix("oci://").removesuffix(".git")
    named = config.get("name")
    parts = [f"{url}/{named}" if named else url]
    for field in ("constraint", "semverConstraint", "branch"):
        if config.get(field):
            parts.append(str(config[field]))
    return f"{subscription.kind} {' '.join(part for part in parts if part)}".strip()


def as_data(pipeline: Pipeline) -> dict[str, Any]:
    """The graph as JSON takes it, edges by kind and name; durations in seconds."""
    edges = []
    for stage in pipeline.stages.values():
        for request in stage.requests:
            given = [("warehouse", str(request.origin))] if request.direct else []
            given += [("stage", str(name)) for name in request.stages]
            for kind, name in given:
                soak = request.required_soak.total_seconds() if kind == "stage" else 0
                edges.append(
                    {
                        "from": {"kind": kind, "name": name},
                        "to": stage.name,
                        "warehouse": request.origin,
                        "soakSeconds": soak,
                        "availability": request.availability.value,
                        "selection": request.selection.value,
                    }
                )
    return {
        "warehouses": [
            {"name": name, "subscriptions": [{"kind": each.kind, **each.config} for each in warehouse.subscriptions]}
            for name, warehouse in pipeline.warehouses.items()
        ],
        "stages": [
            {
                "name": name,
                "controlFlow": stage.is_control_flow,
                "auto": stage.auto,
                "merge": stage.merge.value,
                "verification": list(stage.verification.templates) if stage.verification else [],
            }
            for name, stage in pipeline.stages.items()
        ],
        "edges": edges,
    }

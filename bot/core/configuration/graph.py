"""The pipeline as a graph: no cycles, nothing that freight can't reach, nothing watched in vain."""

from bot.core.configuration.loading import Loading
from bot.core.configuration.problems import names
from bot.core.configuration.requests import Source, Sources


def check_graph(sources: Sources, loading: Loading) -> None:
    cyclic = _report_cycles(sources, loading)
    for name, entry in loading.gathered.stages.items():
        if name not in cyclic and entry.spec is not None:
            _check_reach(name, sources, loading)
    _check_warehouses(sources, loading)


def _report_cycles(sources: Sources, loading: Loading) -> set[str]:
    """Report each cycle once. Returns the stages in cycles and those that only cycles lead to."""
    upstreams = {stage: {source.name for source in sources.upstreams(stage)} for stage in sources.of}
    downstream: dict[str, list[str]] = {stage: [] for stage in upstreams}
    for stage, above in upstreams.items():
        for each in above:
            downstream[each].append(stage)
    missing = {stage: len(above) for stage, above in upstreams.items()}
    ready = [stage for stage, count in missing.items() if not count]
    while ready:
        for below in downstream[ready.pop()]:
            missing[below] -= 1
            if not missing[below]:
                ready.append(below)
    left = {stage for stage, count in missing.items() if count}
    seen: set[str] = set()
    for start in upstreams:
        if start in left and start not in seen:
            _walk_up(start, upstreams, left, seen, sources, loading)
    return left


def _walk_up(
    start: str,
    upstreams: dict[str, set[str]],
    left: set[str],
    seen: set[str],
    sources: Sources,
    loading: Loading,
) -> None:
    """Go upstream among the stages left until one comes again: from there on it is a cycle."""
    path: dict[str, None] = {}
    stage = start
    while stage not in seen:
        seen.add(stage)
        path[stage] = None
        stage = next(source.name for source in sources.upstreams(stage) if source.name in left)
    if stage not in path:  # leads into a cycle that has been reported
        return
    cycle = list(path)[list(path).index(stage) :]
    first = min(cycle, key=list(upstreams).index)
    turned = [*cycle[cycle.index(first) :], *cycle[: cycle.index(first)]]
    source = next(each for each in sources.upstreams(first) if each.name in cycle)
    shown = turned if len(turned) <= 10 else [*turned[:10], "…"]
    arrows = " ← ".join(f"`{each}`" for each in [*shown, first])
    message = f"stages take freight from each other in a circle: {arrows}; let one of them take it from elsewhere"
    loading.problems.error(source.place, "cycle", message)


def _check_reach(name: str, sources: Sources, loading: Loading) -> None:
    """Each upstream of an explicit request must itself have freight of that warehouse."""
    by_origin: dict[str, list[Source]] = {}
    for source in sources.of[name]:
        by_origin.setdefault(source.origin if source.is_stage else source.name, []).append(source)
    for origin, given in by_origin.items():
        if not origin or origin not in loading.gathered.warehouses:
            continue
        without = [
            source
            for source in given
            if source.is_stage
            and origin not in sources.carried[source.name]
            and loading.gathered.stages[source.name].spec is not None
        ]
        for source in without:
            carried = sources.carried[source.name]
            has = f"it has that of {names(carried)}" if carried else "it has none"
            message = f"freight of `{origin}` never comes to `{source.name}`: {has}; request it there, or remove this"
            if len(without) == len(given):
                loading.problems.error(source.place, "unreachable", message)
            else:
                loading.problems.warn(source.place, "unreachable", message)


def _check_warehouses(sources: Sources, loading: Loading) -> None:
    used = {origin for carried in sources.carried.values() for origin in carried}
    for name, entry in loading.gathered.warehouses.items():
        if name not in used and all(each.spec is not None for each in loading.gathered.stages.values()):
            message = f"no stage takes freight of warehouse `{name}`; remove it, or let a stage have it"
            loading.problems.warn(entry.name_place, "unused", message, key=entry.native)

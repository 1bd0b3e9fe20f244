"""From where stages take freight: `requestedFreight`, and the short form `from`."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from bot.core.configuration.loading import Entry, Loading
from bot.core.configuration.places import Place
from bot.core.configuration.problems import names
from bot.core.durations import parse_duration
from bot.core.model import Availability, FreightRequest, Selection, StageName, WarehouseName


@dataclass(frozen=True, slots=True)
class Source:
    """One name a stage takes freight from, and where it says so. For a stage `origin` limits it to one warehouse."""

    name: str
    place: Place
    is_stage: bool
    origin: str = ""  # "" with a stage: whatever warehouses that stage has freight of


@dataclass(slots=True)
class Sources:
    """Where each stage takes freight from, and of which warehouses that is in the end."""

    of: dict[str, list[Source]]
    carried: dict[str, dict[str, None]]

    def upstreams(self, stage: str) -> list[Source]:
        return [source for source in self.of.get(stage, ()) if source.is_stage]


def find_sources(loading: Loading) -> Sources:
    """Resolve every name stages take freight from; unknown ones become problems."""
    known = [*loading.gathered.warehouses, *loading.gathered.stages]
    of = {name: _sources(entry, known, loading) for name, entry in loading.gathered.stages.items()}
    return Sources(of, _carried(of, loading))


def build_requests(entry: Entry, sources: Sources, loading: Loading) -> tuple[FreightRequest, ...]:
    """The stage's requests, each with exactly one warehouse."""
    spec = entry.spec or {}
    if "requestedFreight" in spec:
        place = entry.place / "requestedFreight"
        return _explicit(spec["requestedFreight"], place, loading)
    return _from_short_form(entry, spec, sources, loading)


def _explicit(given: Iterable[Mapping[str, Any]], place: Place, loading: Loading) -> tuple[FreightRequest, ...]:
    requests: dict[str, FreightRequest] = {}
    for index, each in enumerate(given):
        origin, sources, at = each["origin"]["name"], each["sources"], place / index / "sources"
        request = FreightRequest(
            WarehouseName(origin),
            direct=sources.get("direct", False),
            stages=tuple(dict.fromkeys(StageName(name) for name in sources.get("stages", ()))),
            required_soak=_soak(sources.get("requiredSoakTime")),
            availability=Availability(sources.get("availabilityStrategy") or Availability.ONE_OF),
            selection=Selection(
                sources.get("autoPromotionOptions", {}).get("selectionPolicy", Selection.NEWEST_FREIGHT)
            ),
        )
        if origin in requests:
            message = f"freight of `{origin}` is requested twice; join the two"
            loading.problems.error(place / index / "origin", "duplicate-origin", message)
        if not request.direct and not request.stages:
            message = "no source is given; write direct: true, or the upstream `stages`"
            loading.problems.error(at, "no-source", message, key=True)
        _check_request(request, loading, at, "requiredSoakTime", "autoPromotionOptions", "availabilityStrategy")
        requests.setdefault(origin, request)
    return tuple(requests.values())


def _from_short_form(
    entry: Entry, spec: Mapping[str, Any], sources: Sources, loading: Loading
) -> tuple[FreightRequest, ...]:
    given = sources.of[entry.name]
    direct = {source.name for source in given if not source.is_stage}
    upstreams = [source.name for source in given if source.is_stage]
    requests = []
    for origin in sources.carried.get(entry.name, ()):
        stages = tuple(StageName(name) for name in upstreams if origin in sources.carried.get(name, ()))
        requests.append(
            FreightRequest(
                WarehouseName(origin),
                direct=origin in direct,
                stages=stages,
                required_soak=_soak(spec.get("soak")) if stages else timedelta(0),
                availability=Availability(spec.get("availability", Availability.ONE_OF)),
                selection=Selection(spec.get("selection", Selection.NEWEST_FREIGHT)),
            )
        )
    if "soak" in spec and not upstreams and given:
        _complain_of_soak(entry.place / "soak", loading)
    for request in requests[:1]:
        _check_request(request, loading, entry.place, "", "selection", "availability")
    return tuple(requests)


def _check_request(
    request: FreightRequest, loading: Loading, place: Place, soak: str, selection: str, availability: str
) -> None:
    """What makes no sense together; the last three are the names of the fields in this spelling."""
    if soak and request.required_soak and not request.stages:
        _complain_of_soak(place / soak, loading)
    if request.selection is Selection.MATCH_UPSTREAM and (request.direct or len(request.stages) != 1):
        message = "MatchUpstream wants exactly one upstream stage, and no freight straight from the warehouse"
        loading.problems.error(place / selection, "match-upstream", message, key=True)
    if request.availability is Availability.ALL and not request.stages:
        message = "All asks for every upstream stage, but there is none; remove it"
        loading.problems.warn(place / availability, "no-upstream", message, key=True)


def _complain_of_soak(place: Place, loading: Loading) -> None:
    message = "soaking is time spent in an upstream stage, but freight comes straight from the warehouse; remove it"
    loading.problems.error(place, "soak-without-upstream", message, key=True)


def _soak(text: str | None) -> timedelta:
    return parse_duration(text) if text else timedelta(0)


def _sources(entry: Entry, known: Collection[str], loading: Loading) -> list[Source]:
    spec = entry.spec
    if spec is None:
        return []
    if "requestedFreight" in spec:
        if "from" in spec:
            message = "`from` is short for `requestedFreight`; keep one of them"
            loading.problems.error(entry.place / "from", "not-allowed", message, key=True)
        return _explicit_sources(spec["requestedFreight"], entry.place / "requestedFreight", loading)
    if "from" not in spec:
        message = f"stage `{entry.name}` says nowhere what freight it takes; add `from`, a warehouse or a stage"
        loading.problems.error(entry.name_place, "missing", message, key=True)
        return []
    given, place = spec["from"], entry.place / "from"
    if not given:
        loading.problems.error(place, "missing", "name a warehouse or a stage in `from`", key=True)
    if isinstance(given, str):
        return _named(given, place, known, loading)
    found = [source for index, name in enumerate(given) for source in _named(name, place / index, known, loading)]
    return list({source.name: source for source in reversed(found)}.values())[::-1]


def _named(name: str, place: Place, known: Collection[str], loading: Loading) -> list[Source]:
    gathered = loading.gathered
    is_warehouse, is_stage = name in gathered.warehouses, name in gathered.stages
    if is_warehouse and is_stage:
        message = f"`{name}` is both a warehouse and a stage; rename one, or use `requestedFreight`"
        loading.problems.error(place, "ambiguous-name", message)
    if not is_warehouse and not is_stage:
        near = loading.problems.closest(name, known)
        message = f"there is no warehouse and no stage `{name[:60]}`{near or f'; known are {names(known)}'}"
        loading.problems.error(place, "unknown-source", message)
        return []
    return [Source(name, place, is_stage and not is_warehouse)]


def _explicit_sources(given: Iterable[Mapping[str, Any]], place: Place, loading: Loading) -> list[Source]:
    found = []
    gathered, problems = loading.gathered, loading.problems
    for index, each in enumerate(given):
        origin, at = each["origin"]["name"], place / index
        if origin not in gathered.warehouses:
            near = problems.closest(origin, gathered.warehouses)
            known = f"; known are {names(gathered.warehouses)}" if gathered.warehouses else "; there is none at all"
            message = f"there is no warehouse `{origin[:60]}`{near or known}"
            problems.error(at / "origin" / "name", "unknown-warehouse", message)
        if each["sources"].get("direct"):
            found.append(Source(origin, at / "origin" / "name", False))
        for number, name in enumerate(each["sources"].get("stages", ())):
            where = at / "sources" / "stages" / number
            if name in gathered.stages:
                found.append(Source(name, where, True, origin))
                continue
            near = problems.closest(name, gathered.stages)
            message = f"there is no stage `{name[:60]}`{near or f'; known are {names(gathered.stages)}'}"
            problems.error(where, "unknown-stage", message)
    return found


def _carried(of: Mapping[str, list[Source]], loading: Loading) -> dict[str, dict[str, None]]:
    """The warehouses each stage has freight of: its own requests' and, with `from: <stage>`, those of that stage."""
    stages = loading.gathered.stages
    carried: dict[str, set[str]] = {name: set() for name in of}
    downstream: dict[str, list[str]] = {}
    waiting: deque[tuple[str, str]] = deque()
    for name, entry in stages.items():
        if entry.spec is not None and "requestedFreight" in entry.spec:
            waiting += [(name, each["origin"]["name"]) for each in entry.spec["requestedFreight"]]
            continue
        for source in of[name]:
            if source.is_stage:
                downstream.setdefault(source.name, []).append(name)
            else:
                waiting.append((name, source.name))
    while waiting:
        name, origin = waiting.popleft()
        if origin not in carried[name]:
            carried[name].add(origin)
            waiting += [(each, origin) for each in downstream.get(name, ())]
    order = {origin: index for index, origin in enumerate(loading.gathered.warehouses)}
    return {
        name: dict.fromkeys(sorted(origins, key=lambda each: (order.get(each, len(order)), each)))
        for name, origins in carried.items()
    }

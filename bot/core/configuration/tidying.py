"""What was gathered, Kargo's manifests above all, written as one file in Towpath's own spelling, short where it can be.

Tasks stay tasks and policies that are no plain list of stages stay policies: it is for people to go on with.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from heapq import heappop, heappush
from typing import Any

from bot.core.configuration.loading import Entry, Gathered, Rule
from bot.core.configuration.writing import InLine, given, written_in_sections

_DEFAULT_INTERVALS = ("5m", "5m0s", "300s")


def tidied(gathered: Gathered, kinds: Sequence[str], notes: Sequence[str]) -> str:
    """The text. `kinds` of subscriptions are those that have a short form; `notes` become comments above it."""
    gathered = _ordered(gathered)
    auto = _plain_auto(gathered.policies)
    stages = _Stages(gathered, auto or {})
    document = {
        "warehouses": {name: _warehouse(each, kinds) for name, each in _right(gathered.warehouses)},
        "stages": {name: stages.written(each) for name, each in _right(gathered.stages)},
        "tasks": {name: _task(each) for name, each in _right(gathered.tasks)},
        "verifications": {name: _analysis(each) for name, each in _right(gathered.verifications)},
        "promotionPolicies": [dict(each.spec) for each in gathered.policies] if auto is None else [],
        "promotionWindows": [dict(each.spec) for each in gathered.windows],
        "webhookReceivers": [dict(each.spec) for each in gathered.receivers],
    }
    comments = "".join(f"# {note}\n" if note else "#\n" for note in notes)
    return f"{comments}\n{written_in_sections(given(document))}" if comments else written_in_sections(given(document))


def _ordered(gathered: Gathered) -> Gathered:
    """Upstream before downstream: many files come in no order. Then warehouses as stages ask for them, so that `from`
    can say it shortly; unless some stage says `from` already, whose meaning hangs on their order."""
    stages = gathered.stages
    upstreams = {name: _upstreams(entry.spec or {}) & stages.keys() for name, entry in stages.items()}
    number = {name: index for index, name in enumerate(stages)}
    below: dict[str, list[str]] = {name: [] for name in stages}
    for name, above in upstreams.items():
        for each in above:
            below[each].append(name)
    missing = {name: len(above) for name, above in upstreams.items()}
    ready = [number[name] for name, count in missing.items() if not count]  # in order, so it is a heap
    names, order = list(stages), []
    while ready:
        name = names[heappop(ready)]
        order.append(name)
        for each in below[name]:
            missing[each] -= 1
            if not missing[each]:
                heappush(ready, number[each])
    order += [name for name in stages if missing[name]]  # in circles
    warehouses = gathered.warehouses
    if not any(entry.native for entry in stages.values()):
        requests = [each for name in order for each in (stages[name].spec or {}).get("requestedFreight", ())]
        asked = dict.fromkeys(each["origin"]["name"] for each in requests if each["origin"]["name"] in warehouses)
        warehouses = {name: warehouses[name] for name in {**asked, **warehouses}}
    return replace(gathered, warehouses=warehouses, stages={name: stages[name] for name in order})


def _upstreams(spec: Mapping[str, Any]) -> set[str]:
    named = spec.get("from", ())
    requested = [name for each in spec.get("requestedFreight", ()) for name in each["sources"].get("stages", ())]
    return {*([named] if isinstance(named, str) else named), *requested}


def _right(entries: Mapping[str, Entry]) -> list[tuple[str, Entry]]:
    return [(name, each) for name, each in entries.items() if each.spec is not None]


def _plain_auto(policies: Sequence[Rule]) -> dict[str, bool] | None:
    """By stage whether it starts promotions by itself; None when the policies say more than that."""
    auto: dict[str, bool] = {}
    for rule in policies:
        selector = rule.spec.get("stageSelector", {"name": rule.spec.get("stage", "")})
        name = selector.get("name", "")
        if rule.spec.keys() - {"stage", "stageSelector", "autoPromotionEnabled"} or selector.keys() != {"name"}:
            return None
        if name.startswith(("glob:", "regex:", "regexp:")):
            return None
        auto.setdefault(name, rule.spec.get("autoPromotionEnabled", False))
    return auto


def _warehouse(entry: Entry, kinds: Sequence[str]) -> dict[str, Any]:
    spec = dict(entry.spec or {})
    if entry.native:
        return spec
    spec.pop("shard", None)
    if spec.get("interval") in _DEFAULT_INTERVALS:
        del spec["interval"]
    if spec.get("freightCreationPolicy") == "Automatic":
        del spec["freightCreationPolicy"]
    criteria = spec.get("freightCreationCriteria")
    if isinstance(criteria, dict):
        spec["freightCreationCriteria"] = criteria["expression"]
    return _short_subscriptions(spec, kinds)


def _short_subscriptions(spec: dict[str, Any], kinds: Sequence[str]) -> dict[str, Any]:
    """`image: …` for `subscriptions: [{image: …}]`, where no name and no order gets lost."""
    subscriptions = spec.pop("subscriptions")
    by_kind: dict[str, list[Any]] = {}
    for each in subscriptions:
        ((kind, config), *named) = each.items()
        if named or kind == "name":
            return {**spec, "subscriptions": subscriptions}
        by_kind.setdefault(kind, []).append(config["repoURL"] if config.keys() == {"repoURL"} else config)
    short = [kind for kind in kinds if kind in by_kind]
    in_order = [kind for each in subscriptions for kind in each]
    if in_order != [kind for kind in short for _ in by_kind[kind]]:
        return {**spec, "subscriptions": subscriptions}
    return {**spec, **{kind: each[0] if len(each) == 1 else each for kind, each in by_kind.items()}}


def _task(entry: Entry) -> dict[str, Any]:
    spec = entry.spec or {}
    return given({"vars": _vars(spec.get("vars"))}) | {"steps": [_step(each) for each in spec["steps"]]}


def _step(step: Mapping[str, Any]) -> dict[str, Any]:
    short = dict(step)
    if "vars" in short:
        short["vars"] = _vars(short["vars"])
    if "task" in short:
        short["task"] = {"name": short["task"]["name"]}
    return short


def _vars(listed: Any) -> Any:
    """As a mapping, unless a name is given twice or a value not at all."""
    if not isinstance(listed, list) or any("value" not in each for each in listed):
        return listed
    mapping = {each["name"]: each["value"] for each in listed}
    return mapping if len(mapping) == len(listed) else listed


def _analysis(entry: Entry) -> dict[str, Any]:
    spec = dict(entry.spec or {})
    if "args" in spec:
        spec["args"] = _args(spec["args"])
    return given(spec)


def _args(listed: Any) -> Any:
    if isinstance(listed, list) and all(each.keys() == {"name", "value"} for each in listed):
        return _vars(listed)
    return listed


class _Stages:
    """Writes stages, with all the others at hand: `from: <stage>` means whatever that stage has."""

    def __init__(self, gathered: Gathered, auto: Mapping[str, bool]) -> None:
        self._warehouses = gathered.warehouses
        self._stages = gathered.stages
        self._auto = auto

    def written(self, entry: Entry) -> dict[str, Any]:
        spec = entry.spec or {}
        auto = {"auto": True} if self._auto.get(entry.name) and _has_steps(spec) and "auto" not in spec else {}
        if entry.native:
            return {name: _in_line(each) if name in {"from", "verify"} else each for name, each in spec.items()} | auto
        template = spec.get("promotionTemplate", {}).get("spec", {})
        steps = [_step(each) for each in template.get("steps", ())]
        fields: dict[str, Any] = self._from(spec["requestedFreight"]) or {"requestedFreight": spec["requestedFreight"]}
        fields |= given({"labels": dict(entry.labels), "vars": _vars(spec.get("vars"))}) | auto
        if steps and template.get("vars"):
            fields["promotionTemplate"] = {"spec": {"vars": _vars(template["vars"]), "steps": steps}}
        elif steps:
            fields["steps"] = steps
        if steps and "verification" in spec:
            fields |= _verification(spec["verification"])
        return fields

    def _from(self, requests: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
        """The short form of requests, None when they say what it can't."""
        origins = [each["origin"]["name"] for each in requests]
        direct = [origin for origin, each in zip(origins, requests, strict=True) if each["sources"].get("direct")]
        stages = list(dict.fromkeys(name for each in requests for name in each["sources"].get("stages", ())))
        of_stages = [each["sources"] for each in requests if each["sources"].get("stages")]
        said = [_asked(each["sources"]) for each in requests]
        soaks = {each.get("requiredSoakTime", "") for each in of_stages}
        if not _all_equal(said) or len(soaks) > 1 or any(name in self._warehouses for name in stages):
            return None
        if any(name in self._stages for name in direct) or any(self._origins(name) is None for name in stages):
            return None
        meant = [name for name in self._warehouses if name in direct or name in self._of(stages)]
        if origins != meant:
            return None
        for origin, each in zip(origins, requests, strict=True):
            wanted = [name for name in stages if origin in (self._origins(name) or ())]
            if list(dict.fromkeys(each["sources"].get("stages", ()))) != wanted:
                return None
        names = [*direct, *stages]
        return {"from": names[0] if len(names) == 1 else InLine(names)} | given({"soak": "".join(soaks), **said[0]})

    def _of(self, stages: Collection[str]) -> set[str]:
        return {origin for name in stages for origin in self._origins(name) or ()}

    def _origins(self, stage: str) -> list[str] | None:
        """The warehouses a stage says it has freight of; None when it does not say so itself."""
        entry = self._stages.get(stage)
        if entry is None or entry.spec is None or "requestedFreight" not in entry.spec:
            return None
        return [each["origin"]["name"] for each in entry.spec["requestedFreight"]]


def _in_line(value: Any) -> Any:
    return InLine(value) if isinstance(value, list) and all(isinstance(each, str) for each in value) else value


def _asked(sources: Mapping[str, Any]) -> dict[str, str]:
    selection = sources.get("autoPromotionOptions", {}).get("selectionPolicy", "NewestFreight")
    availability = sources.get("availabilityStrategy") or "OneOf"
    return {
        "availability": "" if availability == "OneOf" else availability,
        "selection": "" if selection == "NewestFreight" else selection,
    }


def _all_equal(items: Sequence[Any]) -> bool:
    return all(each == items[0] for each in items)


def _has_steps(spec: Mapping[str, Any]) -> bool:
    return bool(spec.get("promotionTemplate", {}).get("spec", {}).get("steps") or "render" in spec or spec.get("steps"))


def _verification(spec: Mapping[str, Any]) -> dict[str, Any]:
    """`verify`, unless arguments are for several templates at once or not just values."""
    names = list(dict.fromkeys(each["name"] for each in spec["analysisTemplates"]))
    args = _args(spec.get("args"))
    if not args:
        return {"verify": InLine(names)}
    if len(names) == 1 and isinstance(args, dict):
        return {"verify": [{"name": names[0], "args": args}]}
    return {"verification": {"analysisTemplates": [{"name": name} for name in names], "args": args}}

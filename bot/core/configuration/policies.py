"""Promotion policies and windows: which stages they are for.

https://docs.kargo.io/user-guide/how-to-guides/working-with-projects#promotion-policies
"""

from collections.abc import Callable, Mapping
from typing import Any

import re2

from bot.core.configuration.formats import complain_of_regex
from bot.core.configuration.globs import GlobError, compile_glob
from bot.core.configuration.loading import Loading
from bot.core.configuration.places import Place
from bot.core.configuration.recurrence import complain_of_order, complain_of_rule, complain_of_time
from bot.core.model import PromotionWindow, WindowKind

Selects = Callable[[str, Mapping[str, str]], bool]


class Policies:
    """What the promotion policies and windows say of each stage."""

    def __init__(self, loading: Loading) -> None:
        self._loading = loading
        self._auto: list[tuple[Selects, bool]] = []
        self._windows: list[tuple[Selects, PromotionWindow]] = []
        self._exact: dict[str, tuple[bool, Place]] = {}
        for rule in loading.gathered.policies:
            self._take_policy(rule.spec, rule.place)
        seen: set[str] = set()
        for rule in loading.gathered.windows:
            self._take_window(rule.spec, rule.place, seen)

    def auto(self, stage: str, labels: Mapping[str, str]) -> bool | None:
        """Whether the stage starts promotions by itself; None when no policy is for it. The first match counts."""
        return next((enabled for selects, enabled in self._auto if selects(stage, labels)), None)

    def windows(self, stage: str, labels: Mapping[str, str]) -> tuple[PromotionWindow, ...]:
        return tuple(window for selects, window in self._windows if selects(stage, labels))

    def _take_policy(self, spec: Mapping[str, Any], place: Place) -> None:
        problems = self._loading.problems
        enabled = spec.get("autoPromotionEnabled", False)
        if "stage" in spec:
            at = name_place = place / "stage"
            selector: Mapping[str, Any] = {"name": spec["stage"]}
            message = "`stage` is deprecated; write stageSelector: {name: …} instead"
            problems.warn(at, "deprecated", message, key=True)
        else:
            at, selector = place / "stageSelector", spec["stageSelector"]
            name_place = at / "name"
        selects = self._selector(selector, at, name_place)
        name = selector.get("name", "")
        if "autoRollback" in spec:
            message = "`autoRollback` is understood, but this version does not act on it"
            problems.warn(place / "autoRollback", "not-acted-on", message, key=True)
        if selects is None:
            return
        if name and selector.keys() == {"name"} and not _is_pattern(name):
            known = self._exact.setdefault(name, (enabled, place))
            if known[0] != enabled:
                line, _ = known[1].position()
                message = f"another policy says the opposite for `{name}`, at line {line}, and comes first; remove one"
                problems.error(at, "conflicting-policy", message)
        self._auto.append((selects, enabled))

    def _take_window(self, spec: Mapping[str, Any], place: Place, seen: set[str]) -> None:
        problems = self._loading.problems
        name = spec["name"]
        if name in seen:
            problems.error(place / "name", "duplicate-name", f"there is a window `{name}` already; rename one")
        seen.add(name)
        selects: Selects | None = _every_stage
        if "stageSelector" in spec:
            at = place / "stageSelector"
            selects = self._selector(spec["stageSelector"], at, at / "name")
        rule, start, end = spec.get("rrule", ""), spec.get("dtstart", ""), spec.get("dtend", "")
        if rule and (complaint := complain_of_rule(rule)) is not None:
            problems.error(place / "rrule", "bad-rule", complaint)
        for field, time in (("dtstart", start), ("dtend", end)):
            if not time:
                message = f"`{field}` is missing here; add it, as in 20260101T090000"
                problems.error(place, "missing", message, key=True)
            elif (complaint := complain_of_time(time)) is not None:
                problems.error(place / field, "bad-time", complaint)
        if (complaint := complain_of_order(start, end)) is not None:
            problems.error(place / "dtend", "bad-time", complaint)
        message = "promotion windows are understood, but this version does not hold them"
        problems.warn(place, "not-acted-on", message)
        if selects is not None:
            self._windows.append((selects, PromotionWindow(name, WindowKind(spec["kind"]), rule, start, end)))

    def _selector(self, selector: Mapping[str, Any], place: Place, name_place: Place) -> Selects | None:
        tests: list[Selects] = []
        if not selector:
            self._loading.problems.error(place, "missing", "select stages by `name` or by labels", key=True)
            return None
        name = selector.get("name", "")
        if name:
            test = self._name_test(name, name_place)
            if test is None:
                return None
            tests.append(test)
        for key, value in selector.get("matchLabels", {}).items():
            tests.append(_label_test(key, "In", frozenset((value,))))
        for each in selector.get("matchExpressions", ()):
            tests.append(_label_test(each["key"], each["operator"], frozenset(each.get("values", ()))))
        return lambda stage, labels: all(test(stage, labels) for test in tests)

    def _name_test(self, name: str, place: Place) -> Selects | None:
        problems, stages = self._loading.problems, self._loading.gathered.stages
        prefix, _, pattern = name.partition(":")
        if prefix in {"regex", "regexp"}:
            if (complaint := complain_of_regex(pattern)) is not None:
                problems.error(place, "bad-regex", complaint)
                return None
            compiled = re2.compile(pattern)
            matching = frozenset(stage for stage in stages if compiled.search(stage))
        elif prefix == "glob":
            try:
                compiled = compile_glob(pattern)
            except GlobError as error:
                problems.error(place, "bad-glob", str(error))
                return None
            matching = frozenset(stage for stage in stages if compiled.fullmatch(stage))
        else:
            matching = frozenset({name} & stages.keys())
            if not matching:
                near = problems.closest(name, stages)
                problems.warn(place, "unknown-stage", f"there is no stage `{name[:60]}`{near}; the policy does nothing")
        return lambda stage, labels: stage in matching


def _every_stage(stage: str, labels: Mapping[str, str]) -> bool:
    return True


def _label_test(key: str, operator: str, values: frozenset[str]) -> Selects:
    """https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#set-based-requirement"""
    if operator == "In":
        return lambda stage, labels: labels.get(key) in values
    if operator == "NotIn":
        return lambda stage, labels: labels.get(key) not in values
    if operator == "Exists":
        return lambda stage, labels: key in labels
    return lambda stage, labels: key not in labels


def _is_pattern(name: str) -> bool:
    return name.startswith(("glob:", "regex:", "regexp:"))

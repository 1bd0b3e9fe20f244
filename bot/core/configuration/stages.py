"""Stages, put together from what the other parts say of them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.core.configuration.analyses import STAGE_ARGUMENT, arguments, is_measurable
from bot.core.configuration.loading import Entry, Loading
from bot.core.configuration.places import Place
from bot.core.configuration.policies import Policies
from bot.core.configuration.problems import names
from bot.core.configuration.references import Known, check_references
from bot.core.configuration.rendering import WatchedImage, rendering_steps
from bot.core.configuration.requests import Sources, build_requests
from bot.core.configuration.steps import Task, build_steps, variables
from bot.core.landing_branch import target_branch
from bot.core.model import (
    AnalysisTemplate,
    Argument,
    FreightRequest,
    MergePolicy,
    PromotionTemplate,
    Stage,
    StageName,
    StepSpec,
    Variable,
    Verification,
    Warehouse,
)

_NOTHING_WITHOUT_STEPS = ("auto", "merge", "mergeMethod", "verify")


class StageBuilder:
    """Builds stages one by one, with what they refer to at hand."""

    def __init__(
        self,
        loading: Loading,
        sources: Sources,
        warehouses: Mapping[str, Warehouse | None],
        tasks: Mapping[str, Task | None],
        analyses: Mapping[str, AnalysisTemplate | None],
    ) -> None:
        self._loading = loading
        self._sources = sources
        self._warehouses = warehouses
        self._tasks = tasks
        self._analyses = analyses
        self._policies = Policies(loading)

    def build(self, entry: Entry) -> Stage | None:
        """The stage, or None (and problems) when it is wrong."""
        spec = entry.spec
        if spec is None:
            return None
        requests = build_requests(entry, self._sources, self._loading)
        stage_vars = variables(spec.get("vars"))
        template, complete = self._template(entry, spec, requests, stage_vars)
        verification = self._verification(entry, spec)
        common: dict[str, Any] = {
            "vars": stage_vars,
            "labels": entry.labels,
            "allow": _allow(spec.get("allow", {})),
            "windows": self._policies.windows(entry.name, entry.labels),
        }
        self._check_expressions(entry, spec, [*stage_vars, *(template.vars if template else ())])
        if "targets" in spec:
            message = "`targets` is understood, but this version does not act on it: the stage is promoted as one"
            self._loading.problems.warn(entry.place / "targets", "not-acted-on", message, key=True)
        if not complete:
            return None
        if template is None:
            self._warn_of_control_flow(entry, spec)
            return Stage(StageName(entry.name), requests, **common)
        return Stage(
            StageName(entry.name),
            requests,
            template,
            verification,
            auto=self._auto(entry, spec),
            merge=MergePolicy(spec.get("merge", MergePolicy.PEOPLE)),
            merge_method=spec.get("mergeMethod", "merge"),
            target_branch=target_branch(template.steps),
            **common,
        )

    def _template(
        self, entry: Entry, spec: Mapping[str, Any], requests: Sequence[FreightRequest], outer: Sequence[Variable]
    ) -> tuple[PromotionTemplate | None, bool]:
        """The promotion template (None: control flow), and whether all of it could be built."""
        given = spec.get("promotionTemplate", {}).get("spec", {})
        if given and (short := [name for name in ("render", "steps") if name in spec]):
            message = f"`{short[0]}` is short for `promotionTemplate`; keep one of them"
            self._loading.problems.error(entry.place / short[0], "not-allowed", message, key=True)
        template_vars = variables(given.get("vars"))
        everything = (*outer, *template_vars)
        parts: list[tuple[StepSpec, ...] | None] = []
        if "render" in spec and any(self._warehouses.get(each.origin) is None for each in requests):
            parts.append(None)  # what its warehouses watch is not known; that is told where they are written
        elif "render" in spec:
            rendered = self._rendered(entry, spec["render"], requests)
            parts.append(build_steps(rendered, entry.place / "render", self._loading, {}, everything, trusted=True))
        own, place = given.get("steps", ()), entry.place / "promotionTemplate" / "spec" / "steps"
        if not given:
            own, place = spec.get("steps", ()), entry.place / "steps"
        before = [step for part in parts for step in part or ()]
        parts.append(build_steps(own, place, self._loading, self._tasks, everything, before=before))
        steps = tuple(step for part in parts for step in part or ())
        complete = None not in parts
        return (PromotionTemplate(steps, template_vars) if steps else None), complete

    def _rendered(
        self, entry: Entry, render: Mapping[str, Any], requests: Sequence[FreightRequest]
    ) -> list[dict[str, Any]]:
        watched: dict[str, list[str]] = {}
        for request in requests:
            warehouse = self._warehouses.get(request.origin)
            for subscription in warehouse.subscriptions if warehouse else ():
                if subscription.kind == "image" and "repoURL" in subscription.config:
                    watched.setdefault(subscription.config["repoURL"], []).append(request.origin)
        images = [WatchedImage(url, origins[0], len(origins) > 1) for url, origins in watched.items()]
        release = requests[0].origin if requests else entry.name
        return rendering_steps(render, entry.place / "render", entry.name, release, images, self._loading)

    def _check_expressions(self, entry: Entry, spec: Mapping[str, Any], variables: Sequence[Variable]) -> None:
        """What expressions outside of steps refer to. No step has put out anything when they are evaluated."""
        template = spec.get("promotionTemplate", {}).get("spec", {})
        written = {
            "vars": spec.get("vars"),
            "promotionTemplate": {"spec": {"vars": template.get("vars")}},
            **{name: spec.get(name) for name in ("verification", "verify")},
            "render": {name: each for name, each in spec.get("render", {}).items() if name != "message"},
        }
        known = Known([each.name for each in variables])
        check_references(written, known, entry.place, self._loading.problems)

    def _auto(self, entry: Entry, spec: Mapping[str, Any]) -> bool:
        policy = self._policies.auto(entry.name, entry.labels)
        if "auto" not in spec:
            return bool(policy)
        if policy is not None and policy != spec["auto"]:
            message = "a promotion policy says the opposite of `auto`, which counts here; remove one"
            self._loading.problems.warn(entry.place / "auto", "conflicting-policy", message, key=True)
        return bool(spec["auto"])

    def _warn_of_control_flow(self, entry: Entry, spec: Mapping[str, Any]) -> None:
        without = [name for name in (*_NOTHING_WITHOUT_STEPS, "verification") if name in spec]
        if without:
            message = (
                f"`{without[0]}` does nothing here: `{entry.name}` has no steps, so freight just passes; "
                "add `render` or `steps`, or remove it"
            )
            self._loading.problems.warn(entry.place / without[0], "control-flow", message, key=True)

    def _verification(self, entry: Entry, spec: Mapping[str, Any]) -> Verification | None:
        asked: list[tuple[str, Place]] = []
        given: list[tuple[Argument, Place]] = []
        if "verification" in spec:
            at = entry.place / "verification"
            for index, each in enumerate(spec["verification"]["analysisTemplates"]):
                asked.append((each["name"], at / "analysisTemplates" / index / "name"))
            given += [(each, at / "args") for each in arguments(spec["verification"].get("args"))]
            if "verify" in spec:
                message = "`verify` is short for `verification`; keep one of them"
                self._loading.problems.error(entry.place / "verify", "not-allowed", message, key=True)
        elif "verify" in spec:
            verify = spec["verify"]
            for index, each in enumerate([verify] if isinstance(verify, str) else verify):
                at = entry.place / "verify" if isinstance(verify, str) else entry.place / "verify" / index
                if isinstance(each, str):
                    asked.append((each, at))
                else:
                    asked.append((each["name"], at / "name"))
                    given += [(argument, at / "args") for argument in arguments(each.get("args"))]
        if not asked:
            return None
        known = [(name, place) for name, place in asked if self._is_known(name, place)]
        args = self._arguments(entry, [name for name, _ in known], given)
        return Verification(tuple(dict.fromkeys(name for name, _ in asked)), args)

    def _is_known(self, name: str, place: Place) -> bool:
        problems = self._loading.problems
        if name not in self._analyses:
            near = problems.closest(name, self._analyses)
            known = f"; known are {names(self._analyses)}" if self._analyses else "; there is none at all"
            message = f"there is no verification `{name[:60]}`{near or known}"
            problems.error(place, "unknown-verification", message)
            return False
        return True

    def _arguments(
        self, entry: Entry, templates: Iterable[str], given: Sequence[tuple[Argument, Place]]
    ) -> tuple[Argument, ...]:
        """What is given, plus the stage's name where a template wants an argument `stage` and nobody fills it."""
        problems = self._loading.problems
        filled: dict[str, Argument] = {}
        for argument, place in given:
            first = filled.setdefault(argument.name, argument)
            if first != argument:
                message = f"the argument `{argument.name}` is given twice, with different values; keep one"
                problems.error(place, "duplicate-name", message)
        wanted: dict[str, bool] = {}
        for name in templates:
            template = self._analyses[name]
            if template is None:  # wrong itself: what it wants is not known
                return tuple(filled.values())
            for argument in template.args:
                wanted[argument.name] = wanted.get(argument.name, False) or (
                    argument.value is None and argument.secret is None
                )
            if not is_measurable(template, self._loading):
                missing = [m.provider for m in template.metrics if m.provider not in self._loading.plugins.providers]
                message = f"`{entry.name}` can't be verified with `{name}`: this version has no {names(missing)}"
                field = "verification" if "verification" in (entry.spec or {}) else "verify"
                problems.error(entry.place / field, "provider-not-here", message, key=True)
        if STAGE_ARGUMENT in wanted and STAGE_ARGUMENT not in filled and wanted[STAGE_ARGUMENT]:
            filled[STAGE_ARGUMENT] = Argument(STAGE_ARGUMENT, entry.name)
        self._check_arguments(entry, wanted, filled, given)
        return tuple(filled.values())

    def _check_arguments(
        self,
        entry: Entry,
        wanted: Mapping[str, bool],
        filled: Mapping[str, Argument],
        given: Sequence[tuple[Argument, Place]],
    ) -> None:
        problems = self._loading.problems
        place = entry.place / ("verification" if "verification" in (entry.spec or {}) else "verify")
        for name, needed in wanted.items():
            if needed and name not in filled:
                message = f"the verification wants the argument `{name}`; give it in `args`"
                problems.error(place, "missing-argument", message, key=True)
        for argument, at in given:
            if argument.name not in wanted:
                near = problems.closest(argument.name, wanted)
                message = f"no verification here has an argument `{argument.name[:60]}`{near or '; it does nothing'}"
                problems.warn(at, "unknown-argument", message, key=True)


def _allow(given: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Per command who may use it: "@organisation/team", or a login without the `@`."""
    return {
        command: tuple(
            name if "/" in name else name.removeprefix("@") for name in ([who] if isinstance(who, str) else who)
        )
        for command, who in given.items()
    }

"""Promotion steps: read from a list, tasks inflated, aliases given.

https://docs.kargo.io/user-guide/reference-docs/promotion-templates
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.core.configuration.formats import EXPRESSIONS
from bot.core.configuration.loading import Entry, Loading
from bot.core.configuration.modernising import visit, warn_of_old_expressions, warn_of_old_step
from bot.core.configuration.places import Path, Place
from bot.core.configuration.problems import names
from bot.core.configuration.references import (
    SEPARATOR,
    Kind,
    Known,
    Reference,
    check_reference,
    references,
    templates,
)
from bot.core.configuration.vocabulary import KARGO_STEPS
from bot.core.destinations import OPENS, lands_here
from bot.core.durations import parse_duration
from bot.core.model import StepSpec, Variable
from bot.expressions import has_expressions

_RESERVED = re.compile(r"(?:step|task)-[0-9]+")
_ALIAS = re.compile(r"[^\s\"'`:]+(?:::[^\s\"'`:]+)?")
# Fields that name an earlier step: https://docs.kargo.io/release-notes/ (deprecated, still read)
_FROM_STEP: Mapping[str, Path] = {
    "git-commit": ("messageFromSteps", "*"),
    "git-open-pr": ("sourceBranchFromStep",),
    "git-wait-for-pr": ("prNumberFromStep",),
    "argocd-update": ("apps", "*", "sources", "*", "desiredCommitFromStep"),
}
# The first have something kept in the lock, which the second writes and the third proposes.
_NOTES, _COMMITS = ("set-metadata", "set-freight-alias"), "git-commit"
_NOT_ON_TASKS = ("if", "continueOnError", "retry", "config")


@dataclass(frozen=True, slots=True)
class Task:
    """A task ready to be inflated: its steps with their own aliases, and its variables (None: must be given).

    `wants` is what its expressions refer to that only the stage can have.
    """

    steps: tuple[StepSpec, ...]
    vars: Mapping[str, Any]
    wants: tuple[Reference, ...]


def variables(given: Any) -> tuple[Variable, ...]:
    """Variables from a list or a mapping whose shape is right. A missing value is None."""
    if isinstance(given, Mapping):
        return tuple(Variable(name, value) for name, value in given.items())
    return tuple(Variable(each["name"], each.get("value")) for each in given or ())


def build_task(entry: Entry, loading: Loading) -> Task | None:
    if entry.spec is None:
        return None
    defaults = {each.name: each.value for each in variables(entry.spec.get("vars"))}
    builder = _Builder(loading, {}, (), in_task=True)
    builder.refer(entry.spec.get("vars"), entry.place / "vars", "", ())
    steps = builder.steps(entry.spec["steps"], entry.place / "steps")
    return Task(tuple(steps), defaults, tuple(builder.wanted)) if builder.complete else None


def build_steps(
    given: Sequence[Mapping[str, Any]],
    place: Place,
    loading: Loading,
    tasks: Mapping[str, Task | None],
    outer: Sequence[Variable],
    *,
    before: Sequence[StepSpec] = (),
    trusted: bool = False,
) -> tuple[StepSpec, ...] | None:
    """The steps of a stage, None (and problems) when one is wrong.

    `outer` are the stage's and template's variables, which satisfy a task's. `before` are steps that come earlier.
    `trusted` steps are those this package made itself (`rendering`): nothing in them is checked again.
    """
    builder = _Builder(loading, tasks, outer, before=before, trusted=trusted)
    steps = builder.steps(given, place)
    builder.check_notes(before, steps)
    return tuple(steps) if builder.complete else None


class _Builder:
    """Builds one list of steps; `complete` tells whether all could be built."""

    def __init__(
        self,
        loading: Loading,
        tasks: Mapping[str, Task | None],
        outer: Sequence[Variable],
        *,
        before: Sequence[StepSpec] = (),
        trusted: bool = False,
        in_task: bool = False,
    ) -> None:
        self._loading = loading
        self._problems = loading.problems
        self._tasks = tasks
        self._outer = {each.name for each in outer if _given(each.value)}
        self._variables = {each.name for each in outer}
        self._trusted = trusted
        self._offset = len(before)
        self._aliases: dict[str, None] = dict.fromkeys(step.alias for step in before)
        self._outputs = dict(self._aliases)  # the same, but of a task the steps it was inflated to
        self._later: frozenset[str] = frozenset()
        self._in_task = in_task
        self.wanted: dict[Reference, None] = {}  # what expressions refer to that only the task's stage can have
        self._are_inflated = False
        self._built: list[tuple[str, Place]] = []  # what every step uses, and where that is written
        self.complete = True

    def steps(self, given: Sequence[Mapping[str, Any]], place: Place) -> list[StepSpec]:
        built: list[StepSpec] = []
        # `explain` writes tasks out, which moves steps without a name away from the number they are called by.
        self._are_inflated = any(SEPARATOR in (step.get("as") or "") for step in given)
        self._later = frozenset(step["as"] for step in given if step.get("as"))
        for index, step in enumerate(given):
            at = place / index
            alias = self._alias(step, index, at)
            if "task" in step:
                inflated = self._inflate(step, alias, at)
                self._built += [(each.uses, at / "task") for each in inflated]
                built += inflated
            elif (ready := self._step(step, alias, at)) is not None:
                self._built.append((ready.uses, at / "uses"))
                built.append(ready)
            else:
                self.complete = False
            self._aliases[alias] = None
            if "task" not in step:
                self._outputs[alias] = None
        return built

    def check_notes(self, before: Sequence[StepSpec], steps: Sequence[StepSpec]) -> None:
        """What is to be kept in the stage's lock needs a commit that writes it, before it is proposed. Where nothing is
        brought into this repository it needs none: Towpath writes the lock once the steps are through. Whether a
        `repoURL` means this repository is known when they run, and said then."""
        if not lands_here((*before, *steps), "", lambda _, value: value):
            return
        proposed = any(step.uses == OPENS for step in before)
        for index, (uses, place) in enumerate(self._built):
            proposed = proposed or uses == OPENS
            if uses in _NOTES and (proposed or not any(later == _COMMITS for later, _ in self._built[index + 1 :])):
                message = (
                    f"what `{uses}` sets is kept in the stage's lock, which `{_COMMITS}` writes; put it before that"
                )
                self._error(place, "too-late", message)

    def refer(self, value: Any, place: Place, alias: str, own: Iterable[str]) -> None:
        """Check what the expressions of a value refer to; `own` are the variables of the step called `alias`."""
        for path, text in templates(value):
            warn_of_old_expressions(text, place.at(path), self._loading)
            for reference in references(text):
                self._check(reference, place.at(path), alias, own)

    def _check(self, reference: Reference, place: Place, alias: str, own: Iterable[str]) -> None:
        task, inflated, _ = alias.rpartition(SEPARATOR)
        if self._in_task and reference.kind is not Kind.TASK_OUTPUT:
            if reference.name not in own:
                self.wanted[reference] = None
            return
        siblings: Iterable[str] = self._outputs if self._in_task else ()
        if inflated:
            prefix = task + SEPARATOR
            siblings = [each.removeprefix(prefix) for each in self._outputs if each.startswith(prefix)]
        known = Known(
            {*self._variables, *own}, self._outputs, tuple(siblings), self._later, self._in_task or bool(inflated)
        )
        check_reference(reference, known, place, self._problems)

    def _error(self, place: Place, code: str, message: str, *, key: bool = False) -> None:
        self.complete = False
        self._problems.error(place, code, message, key=key)

    def _alias(self, step: Mapping[str, Any], index: int, place: Place) -> str:
        alias = step.get("as")
        if not alias:
            return f"{'task' if 'task' in step else 'step'}-{self._offset + index + 1}"
        if _RESERVED.fullmatch(alias) and not self._are_inflated:
            message = f"`{alias}` is the name of a step without one; choose another"
            self._error(place / "as", "reserved-name", message)
        elif not _ALIAS.fullmatch(alias):
            message = f"`{alias[:40]}` does not do as a name: no spaces, quotes or single `:`"
            self._error(place / "as", "bad-name", message)
        elif alias in self._aliases:
            self._error(place / "as", "duplicate-name", f"there is a step `{alias}` already; rename one")
        return str(alias)

    def _step(self, step: Mapping[str, Any], alias: str, place: Place) -> StepSpec | None:
        uses = step["uses"]
        config = step.get("config", {})
        if not self._trusted:
            schema = self._loading.plugins.steps.get(uses)
            if schema is None:
                self._unknown_step(uses, place)
                return None
            config = self._loading.fit(f"step {uses}", lambda: schema, config, place / "config", EXPRESSIONS)
            if config is None:
                return None
            warn_of_old_step(uses, config, place, self._loading)
            self._check_earlier(uses, config, place)
            written = {"config": config, "if": step.get("if"), "vars": step.get("vars")}
            self.refer(written, place, alias, [each.name for each in variables(step.get("vars"))])
        retry = step.get("retry", {})
        timeout = parse_duration(retry["timeout"]) if "timeout" in retry else None
        return StepSpec(
            uses,
            alias,
            config,
            condition=step.get("if"),
            continue_on_error=step.get("continueOnError", False),
            timeout=timeout or None,  # 0 is "no limit"
            error_threshold=retry.get("errorThreshold"),
            vars=variables(step.get("vars")),
            task=alias.split(SEPARATOR, maxsplit=1)[0] if SEPARATOR in alias else "",
        )

    def _unknown_step(self, uses: str, place: Place) -> None:
        known = self._loading.plugins.steps
        if uses in KARGO_STEPS:
            message = f"Kargo's step `{uses}` is not available in this version of Towpath yet; do without it for now"
        else:
            near = self._problems.closest(uses, known)
            message = f"unknown step `{uses[:60]}`{near or f'; known are {names(known, 40)}'}"
        self._error(place / "uses", "unknown-step", message)

    def _check_earlier(self, uses: str, config: Mapping[str, Any], place: Place) -> None:
        def check(found: Path, alias: Any) -> None:
            if isinstance(alias, str) and alias not in self._aliases and not has_expressions(alias):
                near = self._problems.closest(alias, self._aliases)
                message = f"no step before this one is called `{alias[:60]}`{near}"
                self._error((place / "config").at(found), "unknown-alias", message)

        if uses in _FROM_STEP:
            visit(config, _FROM_STEP[uses], (), check)

    def _inflate(self, step: Mapping[str, Any], alias: str, place: Place) -> list[StepSpec]:
        for field in _NOT_ON_TASKS:
            if field in step:
                message = f"`{field}` can't be given for a task; put it on the steps inside the task"
                self._error(place / field, "not-allowed", message, key=True)
        name = step["task"]["name"]
        if name not in self._tasks:
            near = self._problems.closest(name, self._tasks)
            known = f"; known are {names(self._tasks)}" if self._tasks else "; there is no task at all"
            self._error(place / "task" / "name", "unknown-task", f"there is no task `{name[:60]}`{near or known}")
            return []
        task = self._tasks[name]
        if task is None:  # wrong itself, and told of where it is written
            self.complete = False
            return []
        given = variables(step.get("vars"))
        self.refer({"vars": step.get("vars")}, place, "", [each.name for each in given])
        filled = {each.name for each in given if _given(each.value)}
        inherited = []
        for variable, value in task.vars.items():
            if variable in self._outer:
                continue
            if _given(value):
                inherited.append(Variable(variable, value))
            elif variable not in filled:
                message = f"the task `{name}` wants the variable `{variable}`; add it to `vars` here"
                self._error(place / "task", "missing-variable", message, key=True)
        inside = [each.alias for each in task.steps]
        there = Known(
            {*self._variables, *task.vars, *(each.name for each in given)},
            {**self._outputs, **dict.fromkeys(f"{alias}{SEPARATOR}{each}" for each in inside)},
            inside,
            self._later,
        )
        for reference in task.wants:
            check_reference(reference, there, place / "task", self._problems, where=f"in `{name}`: ", key=True)
        self._outputs.update(dict.fromkeys(f"{alias}{SEPARATOR}{each}" for each in inside))
        return [
            replace(each, alias=f"{alias}{SEPARATOR}{each.alias}", vars=(*inherited, *given, *each.vars), task=alias)
            for each in task.steps
        ]


def _given(value: Any) -> bool:
    return value is not None and value != ""

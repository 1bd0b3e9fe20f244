"""Promotion steps: read from a list, tasks inflated, aliases given.

https://docs.kargo.io/user-guide/reference-docs/promotion-templates
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.core.configuration.formats import EXPRESSIONS, is_template
from bot.core.configuration.loading import Entry, Loading
from bot.core.configuration.modernising import warn_of_old_expressions, warn_of_old_step
from bot.core.configuration.places import Path, Place
from bot.core.configuration.problems import names
from bot.core.configuration.vocabulary import KARGO_STEPS
from bot.core.durations import parse_duration
from bot.core.model import StepSpec, Variable

SEPARATOR = "::"  # between the alias of a task and that of a step inflated from it
_RESERVED = re.compile(r"(?:step|task)-[0-9]+")
_ALIAS = re.compile(r"[^\s\"'`:]+(?:::[^\s\"'`:]+)?")
# Fields that name an earlier step: https://docs.kargo.io/release-notes/ (deprecated, still read)
_FROM_STEP = {
    "git-commit": "messageFromSteps",
    "git-open-pr": "sourceBranchFromStep",
    "git-wait-for-pr": "prNumberFromStep",
}
_NOT_ON_TASKS = ("if", "continueOnError", "retry", "config")


@dataclass(frozen=True, slots=True)
class Task:
    """A task ready to be inflated: its steps with their own aliases, and its variables (None: must be given)."""

    steps: tuple[StepSpec, ...]
    vars: Mapping[str, Any]


def variables(given: Any) -> tuple[Variable, ...]:
    """Variables from a list or a mapping whose shape is right. A missing value is None."""
    if isinstance(given, Mapping):
        return tuple(Variable(name, value) for name, value in given.items())
    return tuple(Variable(each["name"], each.get("value")) for each in given or ())


def build_task(entry: Entry, loading: Loading) -> Task | None:
    if entry.spec is None:
        return None
    defaults = {each.name: each.value for each in variables(entry.spec.get("vars"))}
    builder = _Builder(loading, {}, ())
    steps = builder.steps(entry.spec["steps"], entry.place / "steps")
    return Task(tuple(steps), defaults) if builder.complete else None


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
    ) -> None:
        self._loading = loading
        self._problems = loading.problems
        self._tasks = tasks
        self._outer = {each.name for each in outer if _given(each.value)}
        self._trusted = trusted
        self._offset = len(before)
        self._aliases: dict[str, None] = dict.fromkeys(step.alias for step in before)
        self._are_inflated = False
        self.complete = True

    def steps(self, given: Sequence[Mapping[str, Any]], place: Place) -> list[StepSpec]:
        built: list[StepSpec] = []
        # `explain` writes tasks out, which moves steps without a name away from the number they are called by.
        self._are_inflated = any(SEPARATOR in (step.get("as") or "") for step in given)
        for index, step in enumerate(given):
            at = place / index
            alias = self._alias(step, index, at)
            if "task" in step:
                built += self._inflate(step, alias, at)
            elif (ready := self._step(step, alias, at)) is not None:
                built.append(ready)
            else:
                self.complete = False
            self._aliases[alias] = None
        return built

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
            for path, text in templates(config):
                warn_of_old_expressions(text, (place / "config").at(path), self._loading)
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
            message = f"this version does not have Kargo's step `{uses}` yet; known are {names(known, 40)}"
        else:
            near = self._problems.closest(uses, known)
            message = f"unknown step `{uses[:60]}`{near or f'; known are {names(known, 40)}'}"
        self._error(place / "uses", "unknown-step", message)

    def _check_earlier(self, uses: str, config: Mapping[str, Any], place: Place) -> None:
        field = _FROM_STEP.get(uses, "")
        given = config.get(field)
        for index, alias in enumerate(given if isinstance(given, list) else [given]):
            if isinstance(alias, str) and alias not in self._aliases and not is_template(alias):
                near = self._problems.closest(alias, self._aliases)
                at = place / "config" / field
                message = f"no step before this one is called `{alias[:60]}`{near}"
                self._error(at / index if isinstance(given, list) else at, "unknown-alias", message)

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
        return [
            replace(each, alias=f"{alias}{SEPARATOR}{each.alias}", vars=(*inherited, *given, *each.vars), task=alias)
            for each in task.steps
        ]


def _given(value: Any) -> bool:
    return value is not None and value != ""


def templates(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text with `${{ }}` inside a value, with the path to it."""
    if isinstance(value, str):
        if is_template(value):
            yield path, value
        return
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in entries:
        yield from templates(item, (*path, step))

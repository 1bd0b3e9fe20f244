"""How the steps of one promotion follow one another, as decisions without I/O.

The rules are Kargo's (reference/kargo.md §2.1): a step without `if` is skipped once an earlier one failed, what
`continueOnError` marks counts for nothing, and the worst of the others is the promotion's outcome.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from secrets import randbits
from typing import Any

from bot.core.model import Freight, FreightId, RepositoryName, Stage, StageName, StepSpec, Variable
from bot.expressions import ExpressionError, render
from bot.expressions.functions import freight_functions, status_functions

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"


class Severity(IntEnum):
    """Order of step outcomes; the promotion's is the worst."""

    Succeeded = 0
    Skipped = 1
    Running = 2
    Failed = 4
    Errored = 5


@dataclass(frozen=True, slots=True)
class Finished:
    """One step that has run: how it ended, and whether that counts."""

    alias: str
    status: Severity
    counts: bool


@dataclass(frozen=True, slots=True)
class Scene:
    """What expressions of one promotion can see, apart from what its steps put out."""

    repository: RepositoryName
    repository_url: str
    stage: Stage
    promotion: str
    promoted: Freight
    collection: tuple[Freight, ...]
    actor: str
    rollback: bool


def promotion_name(stage: StageName, freight: FreightId, now: datetime) -> str:
    """`<stage>.<ulid>.<freight>`, as Kargo names promotions: names sort by time. https://github.com/ulid/spec"""
    value = int(now.timestamp() * 1000) << 80 | randbits(80)
    ulid = "".join(_CROCKFORD[value >> shift & 31] for shift in range(125, -5, -5))
    return f"{stage}.{ulid}.{freight[:7]}".lower()


def environment(
    scene: Scene,
    variables: Mapping[str, Any],
    outputs: Mapping[str, Mapping[str, Any]],
    finished: Sequence[Finished],
    step: StepSpec | None = None,
) -> dict[str, Any]:
    """The names an expression may use at this point (reference/kargo.md §3.3, §3.4)."""
    task = step.task if step else ""
    return {
        "ctx": {
            "project": scene.repository,
            "promotion": scene.promotion,
            "stage": scene.stage.name,
            "targetFreight": {
                "name": scene.promoted.id,
                "alias": scene.promoted.alias,
                "origin": {"kind": "Warehouse", "name": scene.promoted.origin},
            },
            "meta": {
                "promotion": {"actor": scene.actor, "rollback": scene.rollback},
                "step": {"alias": step.alias if step else ""},
            },
            "repository": {"name": scene.repository, "url": scene.repository_url},
        },
        "vars": dict(variables),
        "outputs": dict(outputs),
        "task": {"outputs": _within(outputs, task)},
        **freight_functions(scene.collection),
        **status_functions({one.alias: one.status.name for one in finished}, failed=has_failed(finished), task=task),
    }


def _within(outputs: Mapping[str, Mapping[str, Any]], task: str) -> dict[str, Mapping[str, Any]]:
    prefix = f"{task}::"
    return {alias.removeprefix(prefix): out for alias, out in outputs.items() if task and alias.startswith(prefix)}


def variables(
    layers: Sequence[Sequence[Variable]], env: Mapping[str, Any], before: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Variables evaluated in order: later ones see and override earlier ones. Raises ExpressionError."""
    values = dict(before or {})
    for layer in layers:
        for variable in layer:
            values[variable.name] = render(variable.value, {**env, "vars": values})
    return values


def should_run(step: StepSpec, env: Mapping[str, Any], finished: Sequence[Finished]) -> bool:
    """Raises ExpressionError, also when `if` gives anything but a boolean."""
    if step.condition is None:
        return not has_failed(finished)
    wanted = render(step.condition, env)
    if not isinstance(wanted, bool):
        raise ExpressionError(f"`if` gives {wanted!r}, which is neither true nor false", 0)
    return wanted


def has_failed(finished: Sequence[Finished]) -> bool:
    return any(one.counts and one.status >= Severity.Failed for one in finished)


def outcome(finished: Sequence[Finished]) -> Severity:
    """The worst of the steps that count; a promotion whose steps were all skipped succeeded."""
    worst = max((one.status for one in finished if one.counts), default=Severity.Succeeded)
    return Severity.Succeeded if worst is Severity.Skipped else worst


def step_to_json(step: StepSpec) -> dict[str, Any]:
    """A step as the promotion record carries it."""
    data = asdict(step)
    data["timeout"] = step.timeout.total_seconds() if step.timeout else None
    return data


def step_from_json(data: Mapping[str, Any]) -> StepSpec:
    fields = dict(data)
    fields["timeout"] = timedelta(seconds=fields["timeout"]) if fields["timeout"] else None
    fields["vars"] = tuple(Variable(one["name"], one["value"]) for one in fields["vars"])
    return StepSpec(**fields)

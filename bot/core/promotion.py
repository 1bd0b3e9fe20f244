"""How the steps of one promotion follow one another, as decisions without I/O.

The rules are Kargo's (reference/kargo.md §2.1): a step without `if` is skipped once an earlier one failed, what
`continueOnError` marks counts for nothing, and the worst of the others is the promotion's outcome.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from enum import Enum, IntEnum, auto
from secrets import randbits
from typing import Any

from bot.core.durations import format_duration
from bot.core.model import Freight, FreightId, RepositoryName, Stage, StageName, StepSpec, Variable
from bot.core.notes import Known, Notes, added, renamed, together
from bot.expressions import ExpressionError, render
from bot.expressions.functions import freight_functions, metadata_functions, secret_functions, status_functions

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


def _no_secret(name: str) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Scene:
    """What expressions of one promotion can see, apart from what its steps put out.

    `secrets` gives a secret of the repository's own by key: nothing where none are at hand. Raises UserError.
    `known` is what locks say of stages and freight, with the `notes` that steps of this promotion have taken so far.
    """

    repository: RepositoryName
    repository_url: str
    stage: Stage
    promotion: str
    promoted: Freight
    collection: tuple[Freight, ...]
    actor: str
    rollback: bool
    secrets: Callable[[str], Mapping[str, str]] = field(default=_no_secret, compare=False, repr=False)
    known: Known = field(default_factory=Known, compare=False, repr=False)
    notes: Notes = field(default_factory=Notes, compare=False, repr=False)


def noted(scene: Scene, notes: Notes) -> Scene:
    """The scene from here on, once a step has had this noted. Raises UserError for what can't be."""
    known = added(scene.known, notes, scene.stage.name, scene.collection)
    collection = tuple(renamed(one, notes.aliases.get(one.id, one.alias)) for one in scene.collection)
    promoted = next(one for one in collection if one.id == scene.promoted.id)
    return replace(scene, promoted=promoted, collection=collection, known=known, notes=together(scene.notes, notes))


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
        **metadata_functions(scene.known.stages, scene.known.freight, scene.known.status),
        **secret_functions(scene.secrets),
        **status_functions({one.alias: one.status.name for one in finished}, failed=has_failed(finished), task=task),
    }


def step_environment(
    scene: Scene,
    values: Mapping[str, Any],
    outputs: Mapping[str, Mapping[str, Any]],
    finished: Sequence[Finished],
    step: StepSpec,
) -> dict[str, Any]:
    """The same for one step, whose own variables see the promotion's `values` and override them.

    Raises ExpressionError.
    """
    env = environment(scene, values, outputs, finished, step)
    return {**env, "vars": variables([step.vars], env, values)}


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


# --- one step: again, later, or its end ------------------------------------------------------------------

IN_THE_RUN = timedelta(seconds=10)  # longer waits end the run, and a later one goes on
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=1), timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a step may take: `run` for one run, so that none hangs; `total` from its first start to its end (None: no
    limit); and so many `errors` in a row, of which the last ends it."""

    run: timedelta
    total: timedelta | None
    errors: int


def limits(step: StepSpec, run: timedelta, total: timedelta | None) -> Limits:
    """Those of a configured step, given its plug-in's. `retry` says the rest; one error ends a step unless it does."""
    whole = step.timeout or total
    return Limits(min(run, whole) if whole else run, whole, max(step.error_threshold or 1, 1))


class Next(Enum):
    END = auto()
    AGAIN = auto()  # in this run, after `pause`
    LATER = auto()  # in another run, at `at`


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a step that has returned. `at` None: when something happens. `errors` are those in a row."""

    next: Next
    status: Severity
    message: str
    errors: int = 0
    pause: timedelta = timedelta(0)
    at: datetime | None = None


def decide(
    status: Severity,
    message: str,
    limit: Limits,
    *,
    started: datetime,
    now: datetime,
    errors: int = 0,
    terminal: bool = False,
    at: datetime | None = None,
    intent: bool = False,
    jitter: float = 0.0,
) -> Decision:
    """What to do with a result. `errors` came in a row before it; `at` is when a step that runs wants to be run again.

    The rules are Kargo's (reference/kargo.md §2.1), but that an error is not tried again at once: only what may go
    away by itself is, ever later. `terminal`: it won't. `intent`: the step has written down what it does next.
    `jitter`, from 0 to 1, spreads those who wait for the same thing.
    """
    if status is not Severity.Running and (status is not Severity.Errored or terminal):
        return Decision(Next.END, status, message)
    errors = errors + 1 if status is Severity.Errored else 0
    if errors >= limit.errors:
        return Decision(Next.END, status, message, errors)
    last = started + limit.total if limit.total else None
    if last is not None and now >= last:
        return Decision(Next.END, Severity.Errored, _over(limit, message), errors)
    if status is Severity.Errored:
        pause = backoff(errors, jitter)
        pause = min(pause, last - now) if last else pause
        if pause < IN_THE_RUN:
            return Decision(Next.AGAIN, Severity.Running, message, errors, pause)
        return Decision(Next.LATER, Severity.Running, message, errors, at=now + pause)
    if intent:
        return Decision(Next.AGAIN, status, message)
    return Decision(Next.LATER, status, message, at=min((time for time in (at, last) if time), default=None))


def backoff(errors: int, jitter: float) -> timedelta:
    """How long to wait after so many errors in a row: twice as long each time, at least half of it."""
    doublings = min(errors - 1, 20)  # beyond that it is the longest anyway
    pause: timedelta = min(_FIRST_PAUSE * 2**doublings, _LONGEST_PAUSE)
    return pause * (0.5 + jitter / 2)


def _over(limit: Limits, message: str) -> str:
    assert limit.total is not None  # noqa: S101 -- the caller looked
    said = f" It last said: {message}" if message else ""
    return f"It has not come to its end within {format_duration(limit.total)} (`retry.timeout`).{said}"


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

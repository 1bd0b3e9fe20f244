"""What is remembered of each step of a promotion: when it started, how it went, and what must not be done again.

A run of steps starts from the beginning whenever it is resumed, for the work folder is gone by then. What ended and
would do harm a second time, and what has waited, is taken from here instead (DESIGN §3).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.core.json_values import plain
from bot.core.model import StepSpec
from bot.core.promotion import Finished, Severity, step_to_json

_MESSAGE = 300  # characters of a step's message that are kept
_ROOM = 8_000  # characters that steps of which nothing but the end is wanted may take
_OFTEN = timedelta(minutes=5)
_TIMES = frozenset({"started", "ended", "uses", "spec"})


@dataclass(frozen=True, slots=True)
class StepRun:
    """One step of one promotion, as far as it has come.

    `spec` is the fingerprint of its configuration: what has changed since is another step. `output` is the result's,
    or, while it is `Running`, what it put out last. `errors` counts the last errors in a row. `kept`: it is not to be
    done again, because it says so (`StepResult.once`) or because it has waited for something to come true. `settled`:
    it is not either, unless the promotion fails and is tried again, for a later step says so (`StepResult.settles`).
    """

    alias: str
    uses: str
    spec: str
    status: Severity
    started: datetime | None
    ended: datetime | None = None
    counts: bool = True
    output: Mapping[str, Any] = field(default_factory=dict)
    message: str = ""
    errors: int = 0
    kept: bool = False
    settled: bool = False

    @property
    def waits(self) -> bool:
        return self.status is Severity.Running

    @property
    def stays(self) -> bool:
        """Whether a later run goes on from here, in place of doing it again."""
        return self.kept or self.settled or self.waits

    @property
    def finished(self) -> Finished:
        return Finished(self.alias, self.status, self.counts)


def fingerprint(step: StepSpec) -> str:
    """The same for two steps exactly if they are configured alike, before any expression is evaluated."""
    text = json.dumps(plain(step_to_json(step)), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def finished_before(runs: Iterable[StepRun]) -> list[Finished]:
    """What the status functions may know of steps that ended earlier."""
    return [one.finished for one in runs if not one.waits]


def worth_keeping(before: StepRun | None, now: StepRun, *, intent: bool, age: timedelta) -> bool:
    """Whether a step that waits has changed in a way that must outlive the process: one that is polled writes nothing.

    It does when it begins to wait, when it failed or recovered, when it wrote an intent down, and when it put out
    something of a new name. What only changes in value is written every few minutes (`age`: since it was written).
    """
    if before is None or intent:
        return True
    if (before.errors, before.output.keys()) != (now.errors, now.output.keys()):
        return True
    return age >= _OFTEN and before.output != now.output


def to_json(runs: Iterable[StepRun], *, outputs: bool) -> list[dict[str, Any]]:
    """As the record carries them; `outputs` of steps that are simply run again are left out unless asked for.

    Where there are very many steps, only how they ended is told of those of which nothing else is needed.
    """
    written: list[dict[str, Any]] = plain([_one_to_json(one, outputs=outputs or one.stays) for one in runs])
    if len(json.dumps(written)) > _ROOM:
        needed = {"kept", "settled", "output", "errors", "message"}
        written = [one if needed & one.keys() else {k: one[k] for k in one if k not in _TIMES} for one in written]
    return written


def _one_to_json(run: StepRun, *, outputs: bool) -> dict[str, Any]:
    """Only what says something: the record has little room."""
    every = {
        "alias": run.alias,
        "uses": run.uses,
        "spec": run.spec,
        "status": run.status.name,
        "started": _seconds(run.started),
        "ended": _seconds(run.ended),
        "ignored": not run.counts,
        "output": dict(run.output) if outputs else {},
        "message": run.message[:_MESSAGE],
        "errors": run.errors,
        "kept": run.kept,
        "settled": run.settled,
    }
    return {name: value for name, value in every.items() if value}


def from_json(data: Iterable[Mapping[str, Any]]) -> tuple[StepRun, ...]:
    return tuple(
        StepRun(
            alias=one["alias"],
            uses=one.get("uses", ""),
            spec=one.get("spec", ""),
            status=Severity[one["status"]],
            started=_moment(one.get("started")),
            ended=_moment(one.get("ended")),
            counts=not one.get("ignored"),
            output=one.get("output", {}),
            message=one.get("message", ""),
            errors=one.get("errors", 0),
            kept=bool(one.get("kept")),
            settled=bool(one.get("settled")),
        )
        for one in data
    )


def forgetting_attempts(runs: Iterable[StepRun]) -> tuple[StepRun, ...]:
    """What is left when a promotion failed and may be tried again: what was done once and for all."""
    return tuple(one for one in runs if one.kept and not one.waits)


def begun(step: StepSpec, now: datetime) -> StepRun:
    return StepRun(step.alias, step.uses, fingerprint(step), Severity.Running, now, counts=not step.continue_on_error)


def ended(run: StepRun, status: Severity, now: datetime, **more: Any) -> StepRun:
    return replace(run, status=status, ended=now, **more)


def _seconds(moment: datetime | None) -> float | None:
    return round(moment.timestamp(), 1) if moment else None


def _moment(seconds: float | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds else None

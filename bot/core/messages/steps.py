"""What is said of a promotion's steps: how each went, and which of them is waited for."""

from collections.abc import Iterable
from dataclasses import replace

from bot.core import freight as freight_data
from bot.core.durations import format_duration
from bot.core.facts import CheckRun, CheckStatus, Conclusion
from bot.core.messages.markdown import code, plain, table, when
from bot.core.model import CommitSha, Freight, StageName
from bot.core.promotion import Severity
from bot.core.snapshot import Landing, promotion_check, verification_check
from bot.core.step_runs import StepRun

WAITING = "steps"  # external id of a check run that only says which step is waited for
_MOST = 200  # rows
_SAID = 200  # characters of a step's message
_MARKS = {
    Severity.Succeeded: "✅",
    Severity.Skipped: "⏭️",
    Severity.Running: "⏳",
    Severity.Failed: "❌",
    Severity.Errored: "💥",
}


def step_table(runs: Iterable[StepRun]) -> str:
    """One line for each step that has run, \"\" where none has."""
    shown = [one for one in runs if one.started is not None]
    if not shown:
        return ""
    rows = [_row(one) for one in shown[-_MOST:]]
    left = f"\n\n{len(shown) - _MOST} earlier steps are not shown." if len(shown) > _MOST else ""
    return "### Steps\n\n" + table(("", "step", "uses", "result", "started", "took", "message"), rows) + left


def _row(run: StepRun) -> tuple[str, ...]:
    result = "waits" if run.waits else run.status.name
    if not run.counts and run.status >= Severity.Failed:
        result += " (`continueOnError`)"
    started = f"{run.started:%H:%M:%S} UTC" if run.started else ""
    took = format_duration(run.ended - run.started) if run.started and run.ended else ""
    message = plain(run.message[:_SAID] + ("…" if len(run.message) > _SAID else ""))
    errors = f"{run.errors} {'error' if run.errors == 1 else 'errors'} in a row. " if run.errors and run.waits else ""
    return _MARKS[run.status], code(run.alias), code(run.uses), result, started, took, errors + message


def waiting_check(sha: CommitSha, stage: StageName, freight: Freight, runs: Iterable[StepRun]) -> CheckRun:
    """A promotion that has no pull request yet, since a step waits; said on the head of the default branch."""
    shown = tuple(runs)
    name = freight_data.describe(freight)
    step = next((one for one in shown if one.waits), None)
    alias = step.alias if step else ""
    elsewhere = any(one.output.get("pr") for one in shown)
    why = "" if elsewhere else ", and there is no pull request before it ends"
    said = f": {plain(step.message[:_SAID])}" if step and step.message and elsewhere else ""
    summary = (
        f"{plain(name)} is on its way into `{stage}`; step {code(alias)} waits{_since(step)}{why}{said}.\n\n"
        "Newer freight takes its place. It goes on with the steps it began with; to begin it again with those of now, "
        f"comment `/promote {stage}`."
    )
    return CheckRun(
        promotion_check(stage),
        sha,
        CheckStatus.IN_PROGRESS,
        None,
        WAITING,
        f"{name} for {stage} waits: {alias}"[:255],
        summary,
        text=step_table(shown),
    )


def went_on_check(check: CheckRun) -> CheckRun:
    """The promotion does not wait here any more: it went on, or something took its place."""
    return replace(
        check,
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.NEUTRAL,
        title="No step waits here any more",
        summary="The promotion has gone on, elsewhere perhaps, or something else has taken its place.",
    )


def arriving_check(stage: StageName, landing: Landing, runs: Iterable[StepRun]) -> CheckRun:
    """A step after the landing waits, for the cluster as a rule: the verification has not begun."""
    shown = tuple(runs)
    name = freight_data.describe(landing.lock.freight)
    step = next((one for one in shown if one.waits), None)
    alias = step.alias if step else ""
    return CheckRun(
        verification_check(stage),
        landing.sha,
        CheckStatus.IN_PROGRESS,
        None,
        WAITING,
        f"{name} arrives in {stage}: {alias}"[:255],
        f"{plain(name)} landed in `{stage}`; step {code(alias)} waits{_since(step)}, the verification comes after it.",
        text=step_table(shown),
    )


def _since(step: StepRun | None) -> str:
    return f" since {when(step.started)}" if step and step.started else ""

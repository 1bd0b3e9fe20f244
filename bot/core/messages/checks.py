"""Check runs: the title is the answer, the summary says why and what to do.

https://docs.github.com/en/rest/guides/using-the-rest-api-to-interact-with-checks
"""

from collections.abc import Iterable
from dataclasses import replace

from bot.core import freight as freight_data
from bot.core.analysis import MetricSummary, RunSummary
from bot.core.facts import CheckRun, CheckStatus, Conclusion
from bot.core.gates import Gate, Verdict
from bot.core.messages.config_changes import annotations, problem_table
from bot.core.messages.markdown import block, code, plain, prose, table, when
from bot.core.messages.steps import step_table
from bot.core.model import CommitSha, Freight, MergePolicy, StageName
from bot.core.snapshot import (
    CONFIG_CHECK,
    Landing,
    Proposal,
    Snapshot,
    StageFacts,
    promotion_check,
    verification_check,
)
from bot.core.step_runs import StepRun

_BROKEN_KEPT = 9  # ids of broken freight on one commit; more than that have no warehouses


def with_id(check: CheckRun, number: int) -> CheckRun:
    return replace(check, id=number)


def _done(
    name: str, sha: CommitSha, external_id: str, conclusion: Conclusion, title: str, summary: str, **more: object
) -> CheckRun:
    check = CheckRun(name, sha, CheckStatus.COMPLETED, conclusion, external_id, title, summary)
    return replace(check, **more) if more else check  # type: ignore[arg-type]


# --- the configuration ---------------------------------------------------------------------------------


def config_check(snapshot: Snapshot) -> CheckRun:
    count = len(snapshot.errors)
    summary = (
        f"`{snapshot.repository}` has {count} {'problem' if count == 1 else 'problems'} in its configuration. "
        "Until they are mended nothing new is promoted; what is already under way is brought to its end "
        "by the last configuration that was valid.\n\n" + problem_table(snapshot.problems)
    )
    return _done(
        CONFIG_CHECK,
        snapshot.head,
        "config",
        Conclusion.FAILURE,
        f"{count} {'problem' if count == 1 else 'problems'} in the configuration",
        summary,
        annotations=annotations(snapshot.problems),
    )


# --- the proposal --------------------------------------------------------------------------------------


def proposal_check(facts: StageFacts, proposal: Proposal, answer: Verdict) -> CheckRun:
    """May this be merged, now? Success only while every gate holds (DESIGN §3, invariant 2)."""
    name = freight_data.describe(answer.freight)
    summary = _gates(answer) + "\n\n" + _merging(facts)
    base = CheckRun(
        promotion_check(facts.stage.name),
        proposal.pull.head_sha,
        CheckStatus.COMPLETED,
        Conclusion.SUCCESS,
        answer.freight.id,
        f"{name} may enter {facts.stage.name}",
        summary,
        text=step_table(proposal.record.ran if proposal.record else ()),
    )
    if answer.allowed:
        return base
    first = answer.closed[0]
    more = f" (and {len(answer.closed) - 1} more)" if len(answer.closed) > 1 else ""
    title = f"Not yet: {first.because}{more}" if answer.waiting else f"Do not merge: {first.because}{more}"
    if answer.waiting:
        return replace(base, status=CheckStatus.IN_PROGRESS, conclusion=None, title=title[:255])
    return replace(base, conclusion=Conclusion.ACTION_REQUIRED, title=title[:255])


def _gates(answer: Verdict) -> str:
    return table(("", "gate", "because", "what to do"), [_gate(gate) for gate in answer.gates])


def _gate(gate: Gate) -> tuple[str, str, str, str]:
    mark = "✅" if gate.holds else "⏳" if gate.waiting else "⛔"
    until = f"Opens by itself at {when(gate.until)}" if gate.until else ""
    return mark, gate.name, prose(gate.because), until or prose(gate.remedy)


def _merging(facts: StageFacts) -> str:
    if facts.stage.merge is MergePolicy.AUTO:
        return "Towpath merges this by itself once every gate and every required check holds."
    return "Towpath does not merge this: somebody who may does, when they are content with the diff."


def edited_check(stage: StageName, proposal: Proposal) -> CheckRun:
    who = ", ".join(code(name) for name in proposal.foreign)
    summary = (
        f"There are commits by {who} on this branch. Towpath leaves them alone: it neither updates this pull request "
        "any more nor merges it.\n\n"
        "* Review what they changed and merge it yourself, or\n"
        f"* close this pull request, delete the branch, and comment `/promote {stage}` to start afresh."
    )
    return _done(
        promotion_check(stage),
        proposal.pull.head_sha,
        "edited",
        Conclusion.ACTION_REQUIRED,
        "Somebody's own commits are on this branch",
        summary,
    )


def stale_check(stage: StageName, proposal: Proposal, freight: Freight) -> CheckRun:
    """The rendering failed for the sources of now: what the branch holds is that of older ones."""
    changed = "".join(f"* {code(path)}\n" for path in proposal.outdated[:20])
    summary = (
        "What this pull request was rendered from has changed, and rendering it anew failed; the check run "
        f"`promotion/{stage}` on the default branch says why. Do not merge this diff.\n\n{changed}"
    )
    title = f"Outdated: {freight_data.describe(freight)} could not be rendered anew"
    return _done(promotion_check(stage), proposal.pull.head_sha, freight.id, Conclusion.FAILURE, title[:255], summary)


def broke_check(
    sha: CommitSha,
    stage: StageName,
    freight: Freight,
    step: str,
    reason: str,
    before: CheckRun | None = None,
    runs: Iterable[StepRun] = (),
) -> CheckRun:
    """A promotion that got no pull request; said on the commit it was rendered from.

    `before` is what was said there already, of freight of another warehouse perhaps: that broke as well. `runs` are
    its steps.
    """
    others = before.external_id.split(",") if before and before.conclusion is Conclusion.FAILURE else []
    broken = ",".join(dict.fromkeys((*others[-_BROKEN_KEPT:], freight.id)))
    name = freight_data.describe(freight)
    summary = (
        f"Step {code(step)} of the promotion of {plain(name)} into `{stage}` failed:\n\n{block(reason)}\n\n"
        f"Nothing was changed. It is tried again with the next commit, or when somebody comments `/promote {stage}`."
    )
    title = f"Could not prepare {name} for {stage}: {step} failed"[:255]
    return _done(promotion_check(stage), sha, broken, Conclusion.FAILURE, title, summary, text=step_table(runs))


def stuck_check(sha: CommitSha, stage: StageName, problem: str) -> CheckRun:
    summary = (
        f"Nothing is promoted into `{stage}` and nothing there is verified until this is mended:\n\n{block(problem)}"
    )
    title = f"{stage} can't be looked at"
    return _done(promotion_check(stage), sha, "stuck", Conclusion.FAILURE, title[:255], summary)


# --- the verification ----------------------------------------------------------------------------------


def verifying_check(stage: StageName, landing: Landing, runs: Iterable[StepRun] = ()) -> CheckRun:
    name = freight_data.describe(landing.lock.freight)
    return CheckRun(
        verification_check(stage),
        landing.sha,
        CheckStatus.IN_PROGRESS,
        None,
        landing.lock.content_id,
        f"Verifying {name} in {stage}",
        f"{plain(name)} landed in `{stage}`; its verification is under way.",
        text=step_table(runs),
    )


def nothing_to_verify_check(stage: StageName, landing: Landing, runs: Iterable[StepRun] = ()) -> CheckRun:
    name = freight_data.describe(landing.lock.freight)
    return _done(
        verification_check(stage),
        landing.sha,
        landing.lock.content_id,
        Conclusion.SUCCESS,
        f"{name} is in {stage}; no verification is configured",
        f"`{stage}` has no verification, so what lands there counts as verified at once.",
        text=step_table(runs),
    )


def unfinished_check(
    stage: StageName, landing: Landing, step: str, reason: str, runs: Iterable[StepRun] = ()
) -> CheckRun:
    """A step after the merge failed: the stage is not well with its freight, whatever could be measured."""
    name = freight_data.describe(landing.lock.freight)
    return _done(
        verification_check(stage),
        landing.sha,
        landing.lock.content_id,
        Conclusion.FAILURE,
        f"{name} did not arrive in {stage}: {step} failed"[:255],
        f"Step {code(step)}, which comes after the merge, failed:\n\n{block(reason)}",
        text=step_table(runs),
    )


def judged_check(stage: StageName, landing: Landing, summary: RunSummary) -> CheckRun:
    name = freight_data.describe(landing.lock.freight)
    conclusion = {
        "Successful": Conclusion.SUCCESS,
        "Failed": Conclusion.FAILURE,
        "Error": Conclusion.FAILURE,
        "Inconclusive": Conclusion.ACTION_REQUIRED,
    }[summary.phase]
    word = {"Successful": "is well", "Failed": "is not well", "Error": "could not be judged"}.get(
        summary.phase, "may or may not be well"
    )
    worst = next((m for m in summary.metrics if m.phase == summary.phase and not m.dry_run), None)
    why = f": {worst.name} said {_said(worst)}" if worst and summary.phase in {"Failed", "Inconclusive"} else ""
    text = table(("", "metric", "measured", "last value", "wanted"), [_metric(m) for m in summary.metrics])
    if summary.message:
        text = f"{plain(summary.message)}\n\n{text}" if summary.metrics else plain(summary.message)
    return _done(
        verification_check(stage),
        landing.sha,
        landing.lock.content_id,
        conclusion,
        f"{stage} {word} with {name}{why}"[:255],
        text,
    )


def _said(metric: MetricSummary) -> str:
    return metric.value if len(metric.value) <= 80 else metric.value[:77] + "…"


def _metric(metric: MetricSummary) -> tuple[str, str, str, str, str]:
    mark = {"Successful": "✅", "Failed": "❌", "Error": "💥", "Inconclusive": "❔"}.get(metric.phase, "⏳")
    seen = metric.counts
    counts = f"{seen.successful} good, {seen.failed} bad"
    if seen.inconclusive or seen.error:
        counts += f", {seen.inconclusive} unclear, {seen.error} errors"
    name = code(metric.name) + (" (dry run)" if metric.dry_run else "")
    wanted = code(metric.success_condition) if metric.success_condition else ""
    if metric.failure_condition:
        wanted += ("<br>" if wanted else "") + f"not {code(metric.failure_condition)}"
    last = code(metric.value[:200]) if metric.value else plain(metric.message[:200])
    return mark, name, counts, last, wanted


def overtaken_check(stage: StageName, check: CheckRun) -> CheckRun:
    return replace(
        check,
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.CANCELLED,
        title=f"Overtaken: something newer landed in {stage}",
        summary="What this verification judged is no longer there, so it ends without a result.",
    )

"""Answers to comment commands: what was done, or who may not and who may."""

from collections.abc import Sequence
from datetime import datetime

from bot.core import freight as freight_data
from bot.core.facts import CheckStatus, Permission, PullRequest
from bot.core.gates import Verdict
from bot.core.messages.markdown import code, marker, plain, prose, table, when
from bot.core.model import Freight, StageName
from bot.core.snapshot import Landing, Snapshot, StageFacts


def answer_marker(comment_id: int) -> str:
    """One answer for one comment."""
    return marker("answer", str(comment_id))


def accepted(stage: StageName, freight: Freight, pull: PullRequest | None, url: str = "", waits: str = "") -> str:
    """`url` is what was pushed to where it is for good; `waits` what the steps wait for, where there is neither."""
    name = plain(freight_data.describe(freight))
    if pull is None:
        if not url:
            return f"🚚 {name} is on its way into `{stage}`; its steps wait{f': {plain(waits)}' if waits else ''}."
        return f"🚚 {name} is pushed to `{stage}` ({url})."
    return f"🚚 {name} is on its way into `{stage}`: #{pull.number}."


def refused(actor: str, command: str, needed: Permission, allow: Sequence[str], have: Permission) -> str:
    """Who you are, what it takes, and who can (reference/peers.md §4.2)."""
    if allow:
        who = ", ".join(code(name.removeprefix("@")) for name in allow)
        return (
            f"{code(actor)} may not {code(command)}: the configuration reserves it for {who}. "
            "Ask one of them, or have `allow` in `.promotion.yaml` changed."
        )
    return (
        f"{code(actor)} may not {code(command)}: it takes **{needed.name.lower()}** access to this repository, "
        f"and you have **{have.name.lower()}**. Anybody with {needed.name.lower()} access can."
    )


def refusal_of(answer: Verdict) -> str:
    """Every closed gate, why, until when, and who can change it."""
    lines = []
    for gate in answer.closed:
        until = f" It opens by itself at {when(gate.until)}." if gate.until else ""
        remedy = f" {prose(gate.remedy)}." if gate.remedy else ""
        lines.append(f"* **{gate.name}**: {prose(gate.because)}.{remedy}{until}")
    name = plain(freight_data.describe(answer.freight))
    return f"{name} may not enter `{answer.stage}` now:\n" + "\n".join(lines)


def status(snapshot: Snapshot, now: datetime) -> str:
    """What is in each stage, what is proposed, and what could come next."""
    if snapshot.pipeline is None:
        return "There is no valid `.promotion.yaml` on the default branch."
    rows = [_row(snapshot.stages[stage.name]) for stage in snapshot.pipeline.stages_in_order()]
    parts = [table(("stage", "holds", "since", "verification", "proposed"), rows)]
    for name, problem in snapshot.discovery_problems.items():
        parts.append(f"{'⚠️' if problem.is_fault else '💤'} Warehouse `{name}`: {prose(problem.text)}")
    if snapshot.errors:
        parts.append(f"⚠️ `.promotion.yaml` has {len(snapshot.errors)} problems; nothing new is promoted.")
    return "\n\n".join(parts)


def _row(facts: StageFacts) -> tuple[str, str, str, str, str]:
    stage = f"`{facts.stage.name}`"
    if facts.stage.is_control_flow:
        return stage, "(control flow)", "", "", ""
    landing = facts.current
    proposal = facts.proposal
    proposed = ""
    if proposal is not None:
        name = plain(freight_data.describe(proposal.freight)) if proposal.freight else "?"
        proposed = f"{name} in #{proposal.pull.number}"
    elif facts.under_way is not None and facts.under_way.steps:
        waiting = next((one for one in facts.under_way.ran if one.waits), None)
        said = f": {plain(waiting.message)}" if waiting and waiting.message else ""
        proposed = f"{plain(freight_data.describe(facts.under_way.freight))} is on its way{said}"
    if landing is None:
        problem = facts.problem or facts.lock_problem
        return stage, f"⚠️ {prose(problem)}" if problem else "nothing yet", "", "", proposed
    names = ", ".join(plain(freight_data.describe(one)) for one in landing.lock.collection)
    return stage, names, when(landing.at), _verification(landing), proposed


def _verification(landing: Landing) -> str:
    if landing.check is None:
        return "⏳ not begun"
    if landing.check.status is not CheckStatus.COMPLETED:
        return "⏳ under way"
    return "✅ verified" if landing.verified else f"❌ {landing.check.conclusion or 'failed'}"


def command_help(menu: Sequence[tuple[str, str]]) -> str:
    rows = [(code(usage), text) for usage, text in menu]
    return (
        "Comment one of these at the start of a line, on a promotion's pull request or on any issue:\n\n"
        + table(("command", "what it does"), rows)
        + "\n\nPeople also steer by merging a promotion's pull request, or by closing it."
    )

"""wait-for-approval: wait until enough people have approved the promotion's pull request, as it is now."""

from collections.abc import Mapping
from typing import Any

from bot.contracts.github_areas import Review
from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.core.facts import Permission
from bot.errors import UserError
from bot.steps.asking import ask_again_at
from bot.steps.earlier import latest
from bot.steps.proposing.people import PEOPLE, People, people
from bot.steps.shapes import DURATION, record, told

NAME = "wait-for-approval"
HELP = "Wait for approving reviews of the promotion's pull request; stands after the step that opens it."
SCHEMA: Schema = record(
    approvers=told(PEOPLE, "Whose approval counts: logins and @organisation/team. Left out: whoever may write here."),
    minApprovals=told({"type": "integer", "minimum": 1, "maximum": 50}, "How many must approve: 1 unless given."),
    pollInterval=told(DURATION, "How long to wait for word of a review before looking: 5m unless given."),
)
_APPROVED, _AGAINST = "APPROVED", "CHANGES_REQUESTED"
_SAYS_NOTHING = frozenset({"COMMENTED", "PENDING"})


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: `head`, the commit they are about, and `responses`, each with user, action, time and message.

    Failed where it was merged or closed without. A review of an earlier state does not count, nor one by who may not
    write to the repository.
    """
    opened = latest(context, "pr")
    if not opened:
        raise UserError("there is no pull request to approve; put wait-for-approval after a git-open-pr step")
    pull = await context.github.pull(opened["id"])
    wanted, asked = config.get("minApprovals", 1), people(config.get("approvers", ()))
    said: dict[str, Review] = {}
    for review in await context.github.reviewing.reviews(pull.number):
        if review.state not in _SAYS_NOTHING and review.commit == pull.head_sha:
            said[review.author] = review
    given = [one for one in said.values() if one.state in {_APPROVED, _AGAINST} and await _counts(context, asked, one)]
    approvals = [one for one in given if one.state == _APPROVED]
    against = [one.author for one in given if one.state == _AGAINST]
    output = {"head": pull.head_sha, "responses": [_response(one) for one in given]}
    if len(approvals) >= wanted and not against:
        return StepResult(StepStatus.SUCCEEDED, output)
    lacking = f"{len(approvals)} of {wanted} approvals"
    lacking += f", and {', '.join(against)} asked for changes" if against else ""
    if not pull.open:
        done = "merged" if pull.merged else "closed"
        return StepResult(StepStatus.FAILED, output, f"#{pull.number} was {done} with {lacking}")
    later = ask_again_at(context, config, "5m")
    return StepResult(StepStatus.RUNNING, output, f"#{pull.number} has {lacking}", retry_at=later)


async def _counts(context: StepContext, asked: People, review: Review) -> bool:
    if await context.github.permission(review.author) < Permission.WRITE:
        return False
    return not asked or await asked.include(context.github, review.author)


def _response(review: Review) -> dict[str, str]:
    return {
        "user": review.author,
        "action": "approve" if review.state == _APPROVED else "reject",
        "time": review.submitted_at.isoformat() if review.submitted_at else "",
        "message": review.body,
    }

"""What check runs and statuses add up to, and what still stands between a commit and a protected branch."""

from __future__ import annotations

from bot.sandbox.model.checks import CheckRun, CheckSuite, CommitStatus
from bot.sandbox.model.issues import Issue, ReviewState
from bot.sandbox.model.repos import Protection, Repo, RequiredCheck
from bot.sandbox.payloads.pulls import part_of
from bot.sandbox.world import World

_GREEN = ("success", "neutral", "skipped")
# A suite's conclusion is the weightiest of its runs'.
# https://docs.github.com/en/rest/guides/using-the-rest-api-to-interact-with-checks#about-check-suites
_WEIGHT = ("action_required", "timed_out", "failure", "cancelled", "stale", "success", "neutral", "skipped")


def latest_runs(world: World, repo: Repo, sha: str) -> tuple[CheckRun, ...]:
    """The newest check run of each App and name on a commit."""
    newest = {(row.app_id, row.name): row for row in world.check_runs.of((repo.id, sha))}
    return tuple(newest.values())


def latest_statuses(world: World, repo: Repo, sha: str) -> tuple[CommitStatus, ...]:
    """The newest status of each context on a commit."""
    newest = {row.context: row for row in world.statuses.of((repo.id, sha))}
    return tuple(newest.values())


def suite_runs(world: World, suite: CheckSuite) -> tuple[CheckRun, ...]:
    """The newest check run of each name in a suite."""
    runs = world.check_runs.of((suite.repo_id, suite.head_sha))
    return tuple({row.name: row for row in runs if row.suite_id == suite.id}.values())


def suite_outcome(world: World, suite: CheckSuite) -> tuple[str, str | None]:
    """A suite's status, and its conclusion once that is `completed`."""
    runs = suite_runs(world, suite)
    if suite.rerequested or all(run.status == "queued" for run in runs):
        return "queued", None
    conclusions = [run.conclusion for run in runs if run.conclusion]
    if len(conclusions) < len(runs):
        return "in_progress", None
    return "completed", min(conclusions, key=_WEIGHT.index)


def check_outcome(world: World, repo: Repo, sha: str, check: RequiredCheck) -> str:
    """`success`, `failure`, `pending` or `expected` (nothing said yet) for one required check.

    A context may be reported as a status or as a check run; a failure of either counts.
    """
    said = [
        "pending" if run.conclusion is None else "success" if run.conclusion in _GREEN else "failure"
        for run in latest_runs(world, repo, sha)
        if run.name == check.context and check.app_id in (None, run.app_id)
    ]
    app = world.apps.get(check.app_id)
    said += [
        {"error": "failure"}.get(row.state, row.state)
        for row in latest_statuses(world, repo, sha)
        if row.context == check.context and (check.app_id is None or (app and app.bot_id == row.creator_id))
    ]
    return next((word for word in ("failure", "pending", "success") if word in said), "expected")


def missing_checks(world: World, repo: Repo, rules: Protection, sha: str) -> list[str]:
    """One sentence for each required check that is not green on `sha`."""
    words = {"failure": "is failing", "pending": "is pending", "expected": "is expected"}
    outcomes = [(row.context, check_outcome(world, repo, sha, row)) for row in rules.checks or ()]
    return [
        f'Required status check "{context}" {words[outcome]}.' for context, outcome in outcomes if outcome != "success"
    ]


def missing_reviews(world: World, rules: Protection, issue: Issue) -> list[str]:
    """A sentence if approvals are missing or somebody asked for changes."""
    if rules.reviews is None:
        return []
    latest: dict[int, ReviewState] = {}
    for review in world.reviews.of(issue.id):
        stale = rules.reviews.dismiss_stale and review.commit_sha != part_of(issue).head_sha
        if review.state is ReviewState.COMMENTED or review.author_id == issue.author_id or stale:
            continue
        latest[review.author_id] = review.state
    repo = world.repos[issue.repo_id]
    approvals = sum(
        state is ReviewState.APPROVED and world.role(world.accounts[author], repo).permission in ("write", "admin")
        for author, state in latest.items()
    )
    if ReviewState.CHANGES_REQUESTED in latest.values():
        return ["Changes have been requested."]
    lacking = rules.reviews.approvals - approvals
    if lacking <= 0:
        return []
    return [f"At least {rules.reviews.approvals} approving review is required by reviewers with write access."]


def unhappy(world: World, repo: Repo, sha: str) -> bool:
    """Whether any check or status on a commit is not green, required or not."""
    runs = any(run.conclusion not in _GREEN for run in latest_runs(world, repo, sha))
    return runs or any(row.state != "success" for row in latest_statuses(world, repo, sha))

"""The life of an issue, and of the conversation that issues and pull requests have: labels, comments.

Everything here changes the world and tells the Apps: call it inside a change. What comes in was judged before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from bot.sandbox import pulls
from bot.sandbox.hooks import Hooks
from bot.sandbox.model.accounts import Account
from bot.sandbox.model.issues import Comment, Issue, IssueState, ReactionSubject
from bot.sandbox.payloads.accounts import simple_user
from bot.sandbox.payloads.issues import comment_payload, issue_payload, label
from bot.sandbox.world import World


async def announce(world: World, hooks: Hooks, issue: Issue, action: str, sender: Account, **more: Any) -> None:
    """Tell that something happened to an issue; of a pull request as `pull_request`, which is what GitHub does."""
    if issue.pull is not None:
        await pulls.announce(world, hooks, issue, action, sender, **more)
        return
    payload = {"action": action, "issue": issue_payload(world, issue), **more}
    hooks.emit("issues", payload, sender=sender, repo=world.repos[issue.repo_id])


async def opened(world: World, hooks: Hooks, issue: Issue, sender: Account) -> Issue:
    """Keep a new issue and tell, of each of its labels and assignees too."""
    world.issues.put(issue)
    await announce(world, hooks, issue, "opened", sender)
    await _tell_labels(world, hooks, issue, "labeled", issue.labels, sender)
    await _tell_assignees(world, hooks, issue, "assigned", issue.assignees, sender)
    return issue


async def closed(world: World, hooks: Hooks, issue: Issue, sender: Account, reason: str = "completed") -> Issue:
    """Close an issue; `reason` is `completed`, `not_planned` or `duplicate`."""
    now = world.now()
    shut = replace(
        issue,
        state=IssueState.CLOSED,
        state_reason=reason,
        closed_at=now,
        closed_by_id=sender.id,
        updated_at=now,
    )
    world.issues.put(shut)
    await announce(world, hooks, shut, "closed", sender)
    return shut


async def reopened(world: World, hooks: Hooks, issue: Issue, sender: Account) -> Issue:
    """Open a closed issue again."""
    again = replace(
        issue,
        state=IssueState.OPEN,
        state_reason="reopened",
        closed_at=None,
        closed_by_id=None,
        updated_at=world.now(),
    )
    world.issues.put(again)
    await announce(world, hooks, again, "reopened", sender)
    return again


async def set_labels(world: World, hooks: Hooks, issue: Issue, wanted: Iterable[int], sender: Account) -> Issue:
    """Give an issue or pull request exactly the labels with these ids; one event for each that comes or goes."""
    before, after = issue.labels, tuple(dict.fromkeys(wanted))
    if before == after:
        return issue
    issue = world.issues.put(replace(issue, labels=after, updated_at=world.now()))
    gone, new = [row for row in before if row not in after], [row for row in after if row not in before]
    await _tell_labels(world, hooks, issue, "unlabeled", gone, sender)
    await _tell_labels(world, hooks, issue, "labeled", new, sender)
    return issue


async def set_assignees(world: World, hooks: Hooks, issue: Issue, wanted: Iterable[int], sender: Account) -> Issue:
    """Make exactly these accounts responsible."""
    before, after = issue.assignees, tuple(dict.fromkeys(wanted))
    if before == after:
        return issue
    issue = world.issues.put(replace(issue, assignees=after, updated_at=world.now()))
    gone, new = [row for row in before if row not in after], [row for row in after if row not in before]
    await _tell_assignees(world, hooks, issue, "unassigned", gone, sender)
    await _tell_assignees(world, hooks, issue, "assigned", new, sender)
    return issue


def commented(
    world: World, hooks: Hooks, issue: Issue, body: str, sender: Account, via_app_id: int | None = None
) -> Comment:
    """Add a comment, by `sender` or by the App that writes as it."""
    now = world.now()
    row = Comment(world.new_id(), issue.repo_id, issue.id, sender.id, body, now, now, via_app_id)
    world.comments.put(row)
    world.issues.put(replace(issue, updated_at=now))
    _tell_comment(world, hooks, row, "created", sender)
    return row


def comment_edited(world: World, hooks: Hooks, row: Comment, body: str, sender: Account) -> Comment:
    """Change what a comment says."""
    edited = world.comments.put(replace(row, body=body, updated_at=world.now()))
    _tell_comment(world, hooks, edited, "edited", sender, changes={"body": {"from": row.body}})
    return edited


def comment_deleted(world: World, hooks: Hooks, row: Comment, sender: Account) -> None:
    """Remove a comment and the reactions it got."""
    _tell_comment(world, hooks, row, "deleted", sender)
    for given in world.reactions.of((ReactionSubject.COMMENT, row.id)):
        world.reactions.delete(given.id)
    world.comments.delete(row.id)


def _tell_comment(world: World, hooks: Hooks, row: Comment, action: str, sender: Account, **more: Any) -> None:
    issue = issue_payload(world, world.issues[row.issue_id])
    payload = {"action": action, "issue": issue, "comment": comment_payload(world, row), **more}
    hooks.emit("issue_comment", payload, sender=sender, repo=world.repos[row.repo_id])


async def _tell_labels(
    world: World, hooks: Hooks, issue: Issue, action: str, labels: Iterable[int], sender: Account
) -> None:
    for number in labels:
        one = label(world, world.repos[issue.repo_id], world.labels[number])
        await announce(world, hooks, issue, action, sender, label=one)


async def _tell_assignees(
    world: World, hooks: Hooks, issue: Issue, action: str, people: Iterable[int], sender: Account
) -> None:
    for number in people:
        one = simple_user(world, world.accounts[number])
        await announce(world, hooks, issue, action, sender, assignee=one)

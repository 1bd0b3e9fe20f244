"""Issues, and what they share with pull requests: labels, comments, reactions, and how somebody belongs here."""

from __future__ import annotations

from urllib.parse import quote

from bot.sandbox.model.accounts import Account
from bot.sandbox.model.issues import Comment, Issue, Label, Reaction, ReactionSubject
from bot.sandbox.model.repos import Repo
from bot.sandbox.payloads.accounts import simple_user, user_or_none
from bot.sandbox.payloads.apps import via_app
from bot.sandbox.payloads.repos import repo_page, repo_url
from bot.sandbox.payloads.values import JsonObject, node_id, stamp, stamp_or_none
from bot.sandbox.world import World

REACTIONS = ("+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")


def label(world: World, repo: Repo, row: Label) -> JsonObject:
    """`label`."""
    return {
        "id": row.id,
        "node_id": node_id("Label", row.id),
        "url": f"{repo_url(world, repo)}/labels/{quote(row.name, safe='')}",
        "name": row.name,
        "color": row.color,
        "default": row.default,
        "description": row.description,
    }


def issue_page(world: World, row: Issue) -> str:
    """The page of an issue or pull request."""
    return f"{repo_page(world, world.repos[row.repo_id])}/{'pull' if row.pull else 'issues'}/{row.number}"


def issue_payload(world: World, row: Issue) -> JsonObject:
    """`issue`; a pull request is one with `pull_request`."""
    repo = world.repos[row.repo_id]
    url = f"{repo_url(world, repo)}/issues/{row.number}"
    people = [simple_user(world, world.accounts[number]) for number in row.assignees]
    return {
        "id": row.id,
        "node_id": node_id("PullRequest" if row.pull else "Issue", row.id),
        "url": url,
        "repository_url": repo_url(world, repo),
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "timeline_url": f"{url}/timeline",
        "html_url": issue_page(world, row),
        "number": row.number,
        "state": str(row.state),
        "state_reason": row.state_reason,
        "title": row.title,
        "body": row.body,
        "user": simple_user(world, world.accounts[row.author_id]),
        "labels": [label(world, repo, world.labels[number]) for number in row.labels],
        "assignee": people[0] if people else None,
        "assignees": people,
        "milestone": None,
        "locked": row.locked,
        "active_lock_reason": row.lock_reason,
        "comments": len(world.comments.of(row.id)),
        "created_at": stamp(row.created_at),
        "updated_at": stamp(row.updated_at),
        "closed_at": stamp_or_none(row.closed_at),
        "closed_by": user_or_none(world, row.closed_by_id),
        "author_association": association(world, repo, world.accounts[row.author_id]),
        "performed_via_github_app": via_app(world, row.via_app_id),
        "reactions": rollup(world, ReactionSubject.ISSUE, row.id, url),
        **_as_pull(world, row),
    }


def _as_pull(world: World, row: Issue) -> JsonObject:
    if row.pull is None:
        return {}
    page = issue_page(world, row)
    return {
        "draft": row.pull.draft,
        "pull_request": {
            "url": f"{repo_url(world, world.repos[row.repo_id])}/pulls/{row.number}",
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "merged_at": stamp_or_none(row.pull.merged_at),
        },
    }


def comment_payload(world: World, row: Comment) -> JsonObject:
    """`issue-comment`."""
    repo, issue = world.repos[row.repo_id], world.issues[row.issue_id]
    url = f"{repo_url(world, repo)}/issues/comments/{row.id}"
    author = world.accounts[row.author_id]
    return {
        "id": row.id,
        "node_id": node_id("IssueComment", row.id),
        "url": url,
        "html_url": f"{issue_page(world, issue)}#issuecomment-{row.id}",
        "issue_url": f"{repo_url(world, repo)}/issues/{issue.number}",
        "body": row.body,
        "user": simple_user(world, author),
        "created_at": stamp(row.created_at),
        "updated_at": stamp(row.updated_at),
        "author_association": association(world, repo, author),
        "performed_via_github_app": via_app(world, row.via_app_id),
        "reactions": rollup(world, ReactionSubject.COMMENT, row.id, url),
    }


def reaction(world: World, row: Reaction) -> JsonObject:
    """`reaction`."""
    return {
        "id": row.id,
        "node_id": node_id("Reaction", row.id),
        "user": simple_user(world, world.accounts[row.account_id]),
        "content": row.content,
        "created_at": stamp(row.created_at),
    }


def rollup(world: World, subject: ReactionSubject, number: int, url: str) -> JsonObject:
    """`reaction-rollup`: how many of each kind the thing at `url` got."""
    given = [row.content for row in world.reactions.of((subject, number))]
    counts = {content: given.count(content) for content in REACTIONS}
    return {"url": f"{url}/reactions", "total_count": len(given), **counts}


def association(world: World, repo: Repo, account: Account) -> str:
    """`author-association`. It says who somebody is, not what they may do."""
    owner = world.owner(repo)
    if account.id == owner.id:
        return "OWNER"
    if world.membership(owner, account):
        return "MEMBER"
    if any(row.account_id == account.id for row in world.collaborators.of(repo.id)):
        return "COLLABORATOR"
    merged = (row for row in world.issues.of(repo.id) if row.pull and row.pull.merged_at)
    return "CONTRIBUTOR" if any(row.author_id == account.id for row in merged) else "NONE"

"""Pull requests and their reviews."""

from __future__ import annotations

from dataclasses import dataclass

from bot.sandbox.model.issues import Issue, Pull, Review
from bot.sandbox.model.repos import Repo
from bot.sandbox.payloads.accounts import simple_user, team_simple, user_or_none
from bot.sandbox.payloads.issues import association, label
from bot.sandbox.payloads.repos import merge_settings, repo_page, repo_url, repository
from bot.sandbox.payloads.values import JsonObject, node_id, stamp, stamp_or_none
from bot.sandbox.world import World


@dataclass(frozen=True, slots=True)
class PullFacts:
    """What Git says of a pull request. `mergeable` of None means: being found out, or no longer of interest."""

    commits: int
    additions: int
    deletions: int
    changed_files: int
    mergeable: bool | None = None
    mergeable_state: str = "unknown"
    merge_sha: str | None = None


def part_of(issue: Issue) -> Pull:
    """The pull request in an issue that is one."""
    if issue.pull is None:
        raise ValueError(f"issue {issue.number} is no pull request")
    return issue.pull


def pull_simple(world: World, issue: Issue) -> JsonObject:
    """`pull-request-simple`, as lists give it."""
    pull, repo = part_of(issue), world.repos[issue.repo_id]
    url = f"{repo_url(world, repo)}/pulls/{issue.number}"
    as_issue = f"{repo_url(world, repo)}/issues/{issue.number}"
    page = f"{repo_page(world, repo)}/pull/{issue.number}"
    statuses = f"{repo_url(world, repo)}/statuses/{pull.head_sha}"
    labels = [label(world, repo, world.labels[number]) for number in issue.labels]
    links = {
        "self": url,
        "html": page,
        "issue": as_issue,
        "comments": f"{as_issue}/comments",
        "review_comments": f"{url}/comments",
        "review_comment": f"{repo_url(world, repo)}/pulls/comments{{/number}}",
        "commits": f"{url}/commits",
        "statuses": statuses,
    }
    people = [simple_user(world, world.accounts[number]) for number in issue.assignees]
    return {
        "id": issue.id,
        "node_id": node_id("PullRequest", issue.id),
        "url": url,
        "html_url": page,
        "diff_url": f"{page}.diff",
        "patch_url": f"{page}.patch",
        "issue_url": as_issue,
        "commits_url": links["commits"],
        "review_comments_url": links["review_comments"],
        "review_comment_url": links["review_comment"],
        "comments_url": links["comments"],
        "statuses_url": statuses,
        "number": issue.number,
        "state": str(issue.state),
        "locked": issue.locked,
        "active_lock_reason": issue.lock_reason,
        "title": issue.title,
        "user": simple_user(world, world.accounts[issue.author_id]),
        "body": issue.body,
        "labels": [row | {"description": row["description"] or ""} for row in labels],
        "milestone": None,
        "created_at": stamp(issue.created_at),
        "updated_at": stamp(issue.updated_at),
        "closed_at": stamp_or_none(issue.closed_at),
        "merged_at": stamp_or_none(pull.merged_at),
        "merge_commit_sha": pull.merge_commit_sha,
        "assignee": people[0] if people else None,
        "assignees": people,
        "requested_reviewers": [simple_user(world, world.accounts[number]) for number in pull.requested_reviewers],
        "requested_teams": [team_simple(world, world.teams[number], repo) for number in pull.requested_teams],
        "head": _side(world, pull.head_repo_id, pull.head_ref, pull.head_sha),
        "base": _side(world, repo.id, pull.base_ref, pull.base_sha),
        "_links": {name: {"href": address} for name, address in links.items()},
        "author_association": association(world, repo, world.accounts[issue.author_id]),
        "auto_merge": None,
        "draft": pull.draft,
    }


def pull_full(world: World, issue: Issue, facts: PullFacts) -> JsonObject:
    """`pull-request`. Before the merge `merge_commit_sha` is the test merge, as GitHub documents."""
    pull = part_of(issue)
    return pull_simple(world, issue) | {
        "merged": pull.merged_at is not None,
        "mergeable": facts.mergeable,
        "mergeable_state": facts.mergeable_state,
        "rebaseable": facts.mergeable,
        "merge_commit_sha": pull.merge_commit_sha or facts.merge_sha,
        "merged_by": user_or_none(world, pull.merged_by_id),
        "comments": len(world.comments.of(issue.id)),
        "review_comments": 0,
        "maintainer_can_modify": pull.maintainer_can_modify,
        "commits": facts.commits,
        "additions": facts.additions,
        "deletions": facts.deletions,
        "changed_files": facts.changed_files,
    }


def pull_webhook(world: World, issue: Issue, facts: PullFacts) -> JsonObject:
    """`pull-request-webhook`: with the repository's merge settings."""
    return pull_full(world, issue, facts) | merge_settings(world.repos[issue.repo_id])


def review_payload(world: World, issue: Issue, review: Review) -> JsonObject:
    """`pull-request-review`."""
    repo = world.repos[issue.repo_id]
    url = f"{repo_url(world, repo)}/pulls/{issue.number}"
    page = f"{repo_page(world, repo)}/pull/{issue.number}#pullrequestreview-{review.id}"
    author = world.accounts[review.author_id]
    return {
        "id": review.id,
        "node_id": node_id("PullRequestReview", review.id),
        "user": simple_user(world, author),
        "body": review.body,
        "state": str(review.state),
        "html_url": page,
        "pull_request_url": url,
        "_links": {"html": {"href": page}, "pull_request": {"href": url}},
        **({"submitted_at": stamp(review.submitted_at)} if review.submitted_at else {}),
        "commit_id": review.commit_sha,
        "author_association": association(world, repo, author),
    }


def _side(world: World, repo_id: int, ref: str, sha: str) -> JsonObject:
    repo = world.repos.get(repo_id)
    if repo is None:  # a fork that was deleted since
        return {"label": ref, "ref": ref, "sha": sha, "repo": None, "user": None}
    return {
        "label": head_label(world, repo, ref),
        "ref": ref,
        "sha": sha,
        "user": simple_user(world, world.owner(repo)),
        "repo": repository(world, repo),
    }


def head_label(world: World, repo: Repo, ref: str) -> str:
    """`OWNER:BRANCH`."""
    return f"{world.owner(repo).login}:{ref}"

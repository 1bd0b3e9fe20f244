"""Repositories."""

from __future__ import annotations

from bot.sandbox.model.accounts import AccountKind, Role
from bot.sandbox.model.repos import Repo
from bot.sandbox.payloads.accounts import role_flags, simple_user
from bot.sandbox.payloads.values import JsonObject, node_id, stamp
from bot.sandbox.world import World

_TEMPLATES = {
    "archive_url": "{/archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}


def repo_url(world: World, repo: Repo) -> str:
    """The API address of a repository."""
    return f"{world.api}/repos/{world.full_name(repo)}"


def repo_page(world: World, repo: Repo) -> str:
    """The page of a repository."""
    return f"{world.url}/{world.full_name(repo)}"


def repository(world: World, repo: Repo, role: Role | None = None) -> JsonObject:
    """`repository`, which is also a valid `minimal-repository` and `repository-webhooks`.

    `role` adds what the caller may do.
    """
    url, page = repo_url(world, repo), repo_page(world, repo)
    open_issues = sum(issue.is_open for issue in world.issues.of(repo.id))
    forks = sum(other.parent_id == repo.id for other in world.repos)
    host = world.url.partition("://")[2]
    return {
        "id": repo.id,
        "node_id": node_id("Repository", repo.id),
        "name": repo.name,
        "full_name": world.full_name(repo),
        "owner": simple_user(world, world.owner(repo)),
        "private": repo.private,
        "visibility": "private" if repo.private else "public",
        "html_url": page,
        "description": repo.description,
        "fork": repo.parent_id is not None,
        "url": url,
        **{name: url + suffix for name, suffix in _TEMPLATES.items()},
        "archive_url": f"{url}/{{archive_format}}{{/ref}}",
        "clone_url": f"{page}.git",
        "git_url": f"git://{host}/{world.full_name(repo)}.git",
        "ssh_url": f"git@{host}:{world.full_name(repo)}.git",
        "svn_url": page,
        "mirror_url": None,
        "homepage": repo.homepage,
        "language": None,
        "license": None,
        "size": 0,
        "default_branch": repo.default_branch,
        "forks": forks,
        "forks_count": forks,
        "stargazers_count": 0,
        "watchers": 0,
        "watchers_count": 0,
        "open_issues": open_issues,
        "open_issues_count": open_issues,
        "is_template": repo.is_template,
        "topics": list(repo.topics),
        "has_issues": repo.has_issues,
        "has_projects": repo.has_projects,
        "has_wiki": repo.has_wiki,
        "has_pages": False,
        "has_downloads": True,
        "has_discussions": repo.has_discussions,
        "archived": repo.archived,
        "disabled": False,
        "allow_forking": True,
        "web_commit_signoff_required": False,
        "pushed_at": stamp(repo.pushed_at),
        "created_at": stamp(repo.created_at),
        "updated_at": stamp(repo.updated_at),
        **({} if role is None else {"permissions": role_flags(role)}),
    }


def full_repository(world: World, repo: Repo, role: Role | None = None) -> JsonObject:
    """`full-repository`: what only the repository's own address tells."""
    owner = world.owner(repo)
    parent = world.repos.get(repo.parent_id)
    whole = repository(world, repo, role) | merge_settings(repo)
    whole |= {"subscribers_count": 0, "network_count": whole["forks"], "temp_clone_token": None}
    whole["allow_update_branch"] = repo.allow_update_branch
    if owner.kind is AccountKind.ORGANIZATION:
        whole["organization"] = simple_user(world, owner)
    if parent is not None:
        whole["parent"] = whole["source"] = repository(world, parent)
    return whole


def merge_settings(repo: Repo) -> JsonObject:
    """How pull requests may be merged."""
    return {
        "allow_merge_commit": repo.allow_merge_commit,
        "allow_squash_merge": repo.allow_squash_merge,
        "allow_rebase_merge": repo.allow_rebase_merge,
        "allow_auto_merge": repo.allow_auto_merge,
        "delete_branch_on_merge": repo.delete_branch_on_merge,
        "use_squash_pr_title_as_default": False,
        "squash_merge_commit_title": "COMMIT_OR_PR_TITLE",
        "squash_merge_commit_message": "COMMIT_MESSAGES",
        "merge_commit_title": "MERGE_MESSAGE",
        "merge_commit_message": "PR_TITLE",
    }

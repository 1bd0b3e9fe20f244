"""Commits: list, get, compare, and the pull requests they came by.

https://docs.github.com/en/rest/commits
"""

from __future__ import annotations

from bot.sandbox.access import reads
from bot.sandbox.git import diffs, reading
from bot.sandbox.payloads.commits import commit_full, commit_summary, diff_entry
from bot.sandbox.payloads.pulls import part_of, pull_simple
from bot.sandbox.payloads.repos import repo_page, repo_url
from bot.sandbox.rest.call import Call, Reply, Route
from bot.sandbox.rest.errors import ApiError, conflict, not_found

_MAX_COMMITS, _MAX_FILES = 250, 300


async def list_commits(call: Call) -> Reply:
    """GET /commits: from `sha` (default: the default branch), touching `path`, between `since` and `until`."""
    git, query = call.world.git(call.repo), call.query
    start = await reading.resolve(git, query.get("sha") or call.repo.default_branch)
    if start is None:
        empty = not await reading.refs(git, "refs/heads/")
        raise conflict("Git Repository is empty.") if empty else not_found()
    options = [f"--{name}={query[name]}" for name in ("since", "until", "author") if query.get(name)]
    rows = await reading.log(git, *options, start, path=query.get("path"))
    page = call.page(rows)
    return page.reply([commit_summary(call.world, call.repo, row) for row in page.items])


async def get_commit(call: Call) -> Reply:
    """GET /commits/{ref}, with stats and files; as a diff if the caller accepts that."""
    git = call.world.git(call.repo)
    sha = await resolved(call, call.params["ref"])
    commit = (await reading.log(git, sha, limit=1))[0]
    before = commit.parents[0] if commit.parents else reading.EMPTY_TREE
    if "sha" in call.accept:
        return Reply(sha, content_type="application/vnd.github.sha")
    if "diff" in call.accept or "patch" in call.accept:
        return Reply(await diffs.text(git, before, sha), content_type="application/vnd.github.diff")
    changes = (await diffs.files(git, before, sha))[:_MAX_FILES]
    return Reply(commit_full(call.world, call.repo, commit, changes))


async def commit_pulls(call: Call) -> Reply:
    """GET /commits/{commit_sha}/pulls: those that merged it, or have it in their head."""
    git = call.world.git(call.repo)
    sha = await resolved(call, call.params["commit_sha"])
    rows = []
    for issue in call.world.issues.of(call.repo.id):
        if issue.pull is None:
            continue
        pull = part_of(issue)
        inside = await reading.is_ancestor(git, sha, pull.head_sha) and not await reading.is_ancestor(
            git, sha, pull.base_sha
        )
        if inside or sha == pull.merge_commit_sha:
            rows.append(issue)
    page = call.page(rows)
    return page.reply([pull_simple(call.world, issue) for issue in page.items])


async def compare(call: Call) -> Reply:
    """GET /compare/{basehead}, where basehead is `BASE...HEAD`."""
    git, world, repo = call.world.git(call.repo), call.world, call.repo
    one, dots, other = call.params["basehead"].partition("...")
    if not dots:
        raise not_found()
    base, head = await resolved(call, _own(call, one)), await resolved(call, _own(call, other))
    fork = await reading.merge_base(git, base, head)
    if fork is None:
        raise ApiError(404, f"No common ancestor between {one} and {other}.")
    if "diff" in call.accept or "patch" in call.accept:
        return Reply(await diffs.text(git, fork, head), content_type="application/vnd.github.diff")
    ahead = await reading.log(git, "--reverse", "--topo-order", f"{base}..{head}")
    behind = await reading.count(git, f"{head}..{base}")
    status = "diverged" if ahead and behind else "ahead" if ahead else "behind" if behind else "identical"
    page = call.page(ahead, per_page=_MAX_COMMITS)
    first = call.query.get("page", "1") == "1"  # files come with the first page only
    files = (await diffs.files(git, fork, head))[:_MAX_FILES] if first else ()
    pages, api = f"{repo_page(world, repo)}/compare/", f"{repo_url(world, repo)}/compare/"
    name = call.params["basehead"]
    return page.reply(
        {
            "url": api + name,
            "html_url": pages + name,
            "permalink_url": f"{pages}{base[:7]}...{head[:7]}",
            "diff_url": f"{pages}{name}.diff",
            "patch_url": f"{pages}{name}.patch",
            "base_commit": commit_summary(world, repo, (await reading.log(git, base, limit=1))[0]),
            "merge_base_commit": commit_summary(world, repo, (await reading.log(git, fork, limit=1))[0]),
            "status": status,
            "ahead_by": len(ahead),
            "behind_by": behind,
            "total_commits": len(ahead),
            "commits": [commit_summary(world, repo, row) for row in page.items],
            "files": [diff_entry(world, repo, head, change) for change in files],
        }
    )


def _own(call: Call, name: str) -> str:
    """`OWNER:BRANCH` of this repository's owner is BRANCH."""
    return name.removeprefix(f"{call.world.owner(call.repo).login}:")


async def resolved(call: Call, name: str) -> str:
    """The commit that a branch, tag or object name in a path stands for; 422 or 404 if there is none."""
    sha = await reading.resolve(call.world.git(call.repo), name)
    if sha is None:
        raise ApiError(422, f"No commit found for SHA: {name}") if len(name) == 40 else not_found()
    return sha


_AT = "/repos/{owner}/{repo}"

ROUTES = (
    Route("GET", _AT + "/commits", list_commits, reads("contents")),
    Route("GET", _AT + "/commits/{ref}", get_commit, reads("contents")),
    Route("GET", _AT + "/commits/{commit_sha}/pulls", commit_pulls, reads("pull_requests", "contents")),
    Route("GET", _AT + "/compare/{basehead}", compare, reads("contents")),
)

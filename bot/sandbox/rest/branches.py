"""Branches.

https://docs.github.com/en/rest/branches/branches
"""

from __future__ import annotations

from urllib.parse import quote

from bot.sandbox.access import reads
from bot.sandbox.git import reading
from bot.sandbox.payloads.commits import commit_summary
from bot.sandbox.payloads.protection import branch_protection
from bot.sandbox.payloads.repos import repo_page, repo_url
from bot.sandbox.rest.call import Call, Reply, Route
from bot.sandbox.rest.errors import ApiError


async def list_branches(call: Call) -> Reply:
    """GET /branches, all or only those that are `protected`."""
    found = await reading.refs(call.world.git(call.repo), "refs/heads/")
    rows = [(name.removeprefix("refs/heads/"), sha) for name, sha in sorted(found.items())]
    wanted = call.query.get("protected")
    guarded = {row.branch for row in call.world.protections.of(call.repo.id)}
    page = call.page([row for row in rows if wanted is None or (row[0] in guarded) == (wanted == "true")])
    url = repo_url(call.world, call.repo)
    return page.reply(
        [
            {
                "name": name,
                "commit": {"sha": sha, "url": f"{url}/commits/{sha}"},
                "protected": name in guarded,
                "protection": branch_protection(call.world, call.repo, name),
                "protection_url": f"{url}/branches/{quote(name, safe='')}/protection",
            }
            for name, sha in page.items
        ]
    )


async def get_branch(call: Call) -> Reply:
    """GET /branches/{branch}"""
    name, git = call.params["branch"], call.world.git(call.repo)
    sha = await reading.branch(git, name)
    if sha is None:
        raise ApiError(404, "Branch not found")
    url, safe = f"{repo_url(call.world, call.repo)}/branches", quote(name, safe="")
    commit = (await reading.log(git, sha, limit=1))[0]
    return Reply(
        {
            "name": name,
            "commit": commit_summary(call.world, call.repo, commit),
            "_links": {"self": f"{url}/{safe}", "html": f"{repo_page(call.world, call.repo)}/tree/{name}"},
            "protected": call.world.protection(call.repo, name) is not None,
            "protection": branch_protection(call.world, call.repo, name),
            "protection_url": f"{url}/{safe}/protection",
        }
    )


_AT = "/repos/{owner}/{repo}/branches"

ROUTES = (
    Route("GET", _AT, list_branches, reads("contents")),
    Route("GET", _AT + "/{branch}", get_branch, reads("contents")),
)

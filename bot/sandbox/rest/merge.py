"""Merging: a pull request, a branch into another, and a base into a pull request's head.

https://docs.github.com/en/rest/pulls/pulls#merge-a-pull-request
"""

from __future__ import annotations

from bot.sandbox import merges, pushes
from bot.sandbox.access import is_admin, reads, writes
from bot.sandbox.git import merging, reading, writing
from bot.sandbox.payloads.commits import commit_summary, person
from bot.sandbox.payloads.pulls import part_of
from bot.sandbox.payloads.repos import repo_url
from bot.sandbox.rest.call import Call, Reply, Route
from bot.sandbox.rest.errors import ApiError, conflict, not_found, unprocessable


async def is_merged(call: Call) -> Reply:
    """GET /pulls/{pull_number}/merge: 204 if merged, else 404."""
    if part_of(call.pull()).merged_at is None:
        raise not_found()
    return Reply(status=204)


async def merge_pull(call: Call) -> Reply:
    """PUT /pulls/{pull_number}/merge: 405 if it may not be merged, 409 if the head is not `sha`."""
    method = call.body.text("merge_method") or "merge"
    if method not in tuple(merges.Method):
        raise unprocessable(f"Invalid request.\n\n{method!r} is not a merge method.")
    wish = merges.Merge(
        merges.Method(method),
        call.body.text("commit_title"),
        call.body.text("commit_message"),
        call.body.text("sha"),
        bypass=is_admin(call.world, call.actor, call.repo),
    )
    try:
        issue = await merges.merge(call.world, call.hooks, call.pull(), call.account, wish)
    except merges.Refused as error:
        raise ApiError(405, str(error)) from error
    except merges.HeadMoved as error:
        raise conflict(str(error)) from error
    sha = part_of(issue).merge_commit_sha
    return Reply({"sha": sha, "merged": True, "message": "Pull Request successfully merged"})


async def update_branch(call: Call) -> Reply:
    """PUT /pulls/{pull_number}/update-branch: merge the base into the head; answers 202."""
    issue, world = call.pull(), call.world
    pull = part_of(issue)
    expected = call.body.text("expected_head_sha")
    if expected is not None and expected != pull.head_sha:
        raise unprocessable("expected head sha didn’t match current head ref.")  # noqa: RUF001 - as GitHub has it
    repo = world.repos[pull.head_repo_id]
    if repo.id != call.repo.id:
        raise unprocessable("The head branch belongs to a fork; update it there.")
    base = await reading.branch(world.git(repo), pull.base_ref)
    if base is None or await reading.is_ancestor(world.git(repo), base, pull.head_sha):
        raise unprocessable("There are no new commits on the base branch.")
    message = f"Merge branch '{pull.base_ref}' into {pull.head_ref}"
    try:
        await merge_into(call, pull.head_ref, pull.head_sha, base, message)
    except merging.Conflict as error:
        raise unprocessable("merge conflict between base and head") from error
    url = f"{repo_url(world, call.repo)}/pulls/{issue.number}"
    return Reply({"message": "Updating pull request branch.", "url": url}, 202)


async def merge_branch(call: Call) -> Reply:
    """POST /merges: merge `head` into branch `base`; 204 if there is nothing to do."""
    git, body = call.world.git(call.repo), call.body
    base, head = body.required_text("base"), body.required_text("head")
    tip, other = await reading.branch(git, base), await reading.resolve(git, head)
    if tip is None or other is None:
        raise ApiError(404, "Base does not exist" if tip is None else "Head does not exist")
    if await reading.is_ancestor(git, other, tip):
        return Reply(status=204)
    message = body.text("commit_message") or f"Merge {head} into {base}"
    try:
        sha = await merge_into(call, base, tip, other, message)
    except merging.Conflict as error:
        raise conflict("Merge conflict") from error
    commit = (await reading.log(git, sha, limit=1))[0]
    return Reply(commit_summary(call.world, call.repo, commit), 201)


async def merge_into(call: Call, branch: str, tip: str, other: str, message: str) -> str:
    """Merge commit `other` into `branch`, whose head is `tip`; the new head. Raises merging.Conflict, or 409."""
    git = call.world.git(call.repo)
    tree = await merging.merged_tree(git, tip, other)
    who = reading.Person(*person(call.account), call.world.now())
    sha = await writing.write_commit(git, tree, [tip, other], message, who, who)
    try:
        await writing.set_ref(git, f"refs/heads/{branch}", sha, tip)
    except writing.RefMoved as error:
        raise conflict("Reference cannot be updated") from error
    await pushes.observe(call.world, call.hooks, call.repo, call.account)
    return sha


_AT = "/repos/{owner}/{repo}"
_PULL = _AT + "/pulls/{pull_number}"

ROUTES = (
    Route("GET", _PULL + "/merge", is_merged, reads("contents")),
    Route("PUT", _PULL + "/merge", merge_pull, writes("contents")),
    Route("PUT", _PULL + "/update-branch", update_branch, writes("pull_requests")),
    Route("POST", _AT + "/merges", merge_branch, writes("contents")),
)

"""Git refs: get, list, make, move, remove.

https://docs.github.com/en/rest/git/refs
"""

from __future__ import annotations

from urllib.parse import quote

from bot.sandbox import pushes
from bot.sandbox.access import reads, writes
from bot.sandbox.git import reading, writing
from bot.sandbox.git.guard import objection
from bot.sandbox.git.process import ZERO, is_sha
from bot.sandbox.payloads.repos import repo_url
from bot.sandbox.payloads.values import JsonObject, node_id
from bot.sandbox.rest.call import Call, Reply, Route
from bot.sandbox.rest.errors import conflict, not_found, unprocessable


async def get_ref(call: Call) -> Reply:
    """GET /git/ref/{ref}, with `heads/` or `tags/` in front."""
    await _not_empty(call)
    sha = await _at(call, call.params["ref"])
    if sha is None:
        raise not_found()
    return Reply(await _ref(call, f"refs/{call.params['ref']}", sha))


async def matching_refs(call: Call) -> Reply:
    """GET /git/matching-refs/{ref}: every ref that starts like this."""
    prefix = f"refs/{call.params['ref']}"
    found = await reading.refs(call.world.git(call.repo))
    page = call.page([(name, sha) for name, sha in sorted(found.items()) if name.startswith(prefix)])
    return page.reply([await _ref(call, name, sha) for name, sha in page.items])


async def create_ref(call: Call) -> Reply:
    """POST /git/refs"""
    await _not_empty(call)
    name, sha = call.body.required_text("ref"), call.body.required_text("sha")
    git = call.world.git(call.repo)
    if not name.startswith("refs/") or name.count("/") < 2 or not await writing.valid_ref(git, name):
        raise unprocessable("Reference name is not valid")
    if name.startswith("refs/pull/"):
        raise unprocessable("Reference update failed")
    await _object(call, sha, name)
    try:
        await writing.create_ref(git, name, sha)
    except writing.RefMoved as error:
        raise unprocessable("Reference already exists") from error
    await pushes.observe(call.world, call.hooks, call.repo, call.account)
    body = await _ref(call, name, sha)
    return Reply(body, 201, {"Location": body["url"]})


async def update_ref(call: Call) -> Reply:
    """PATCH /git/refs/{ref}: only forwards, unless `force`."""
    sha, force = call.body.required_text("sha"), call.body.flag("force", False)
    name, git = f"refs/{call.params['ref']}", call.world.git(call.repo)
    before = await _at(call, call.params["ref"])
    if before is None:
        raise unprocessable("Reference does not exist")
    await _object(call, sha, name)
    forward = await reading.is_ancestor(git, before, sha)
    if not forward and not force:
        raise unprocessable("Update is not a fast forward")
    _check_protection(call, name, before, sha, forward=forward)
    try:
        await writing.set_ref(git, name, sha, before)
    except writing.RefMoved as error:
        raise conflict("Reference cannot be updated") from error
    await pushes.observe(call.world, call.hooks, call.repo, call.account)
    return Reply(await _ref(call, name, sha))


async def delete_ref(call: Call) -> Reply:
    """DELETE /git/refs/{ref}"""
    name = f"refs/{call.params['ref']}"
    before = await _at(call, call.params["ref"])
    if before is None:
        raise unprocessable("Reference does not exist")
    if name == f"refs/heads/{call.repo.default_branch}":
        raise unprocessable("Cannot delete the default branch")
    _check_protection(call, name, before, ZERO, forward=True)
    await writing.delete_ref(call.world.git(call.repo), name, before)
    await pushes.observe(call.world, call.hooks, call.repo, call.account)
    return Reply(status=204)


async def _at(call: Call, short: str) -> str | None:
    """What `refs/SHORT` points to (an annotated tag stays a tag)."""
    if not short.startswith(("heads/", "tags/", "pull/", "notes/")):
        return None
    found = await reading.refs(call.world.git(call.repo), f"refs/{short}")
    return found.get(f"refs/{short}")


async def _object(call: Call, sha: str, name: str) -> None:
    if not is_sha(sha):
        raise unprocessable("The sha parameter must be exactly 40 characters and contain only [0-9a-f].")
    kind = await reading.kind_of(call.world.git(call.repo), sha)
    if kind is None:
        raise unprocessable("Object does not exist")
    if name.startswith("refs/heads/") and kind != "commit":
        raise unprocessable("Reference update failed")


async def _not_empty(call: Call) -> None:
    if not await reading.refs(call.world.git(call.repo), "refs/heads/"):
        raise conflict("Git Repository is empty.")


def _check_protection(call: Call, name: str, before: str, after: str, *, forward: bool) -> None:
    rules = call.world.protection(call.repo, name.removeprefix("refs/heads/"))
    if rules is None or not name.startswith("refs/heads/"):
        return
    message = objection(call.world, call.actor, call.repo, rules, before, after)
    if not forward and not rules.allow_force_pushes:
        message = "Cannot force-push to this branch"
    if message:
        raise unprocessable(message)


async def _ref(call: Call, name: str, sha: str) -> JsonObject:
    kind = await reading.kind_of(call.world.git(call.repo), sha) or "commit"
    url = f"{repo_url(call.world, call.repo)}/git"
    return {
        "ref": name,
        "node_id": node_id("Ref", f"{call.repo.id}:{name}"),
        "url": f"{url}/{quote(name)}",
        "object": {"sha": sha, "type": kind, "url": f"{url}/{kind}s/{sha}"},
    }


_AT = "/repos/{owner}/{repo}/git"

ROUTES = (
    Route("GET", _AT + "/ref/{ref}", get_ref, reads("contents")),
    Route("GET", _AT + "/matching-refs/{ref}", matching_refs, reads("contents")),
    Route("POST", _AT + "/refs", create_ref, writes("contents")),
    Route("PATCH", _AT + "/refs/{ref}", update_ref, writes("contents")),
    Route("DELETE", _AT + "/refs/{ref}", delete_ref, writes("contents")),
)

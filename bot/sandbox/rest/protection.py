"""Branch protection: read, set, remove.

https://docs.github.com/en/rest/branches/branch-protection
"""

from __future__ import annotations

from bot.sandbox.access import Needs, Who, writes
from bot.sandbox.git import reading
from bot.sandbox.model.accounts import Level, Role
from bot.sandbox.model.repos import Protection, RequiredCheck, RequiredReviews
from bot.sandbox.payloads.protection import protection
from bot.sandbox.rest.call import Body, Call, Reply, Route
from bot.sandbox.rest.errors import ApiError, unprocessable

_REQUIRED = ("required_status_checks", "enforce_admins", "required_pull_request_reviews", "restrictions")


async def get_protection(call: Call) -> Reply:
    """GET /branches/{branch}/protection"""
    return Reply(protection(call.world, _rules(call)))


async def put_protection(call: Call) -> Reply:
    """PUT /branches/{branch}/protection: replaces all rules; the four main ones must be said, null for none."""
    body, branch = call.body, await _branch(call)
    for name in _REQUIRED:
        if name not in body:
            raise unprocessable(f'Invalid request.\n\n"{name}" wasn\'t supplied.')
    checks, strict = _checks(body.record("required_status_checks"))
    users, teams, apps = _restrictions(call, body.record("restrictions"))
    before = call.world.protection(call.repo, branch)
    rules = Protection(
        before.id if before else call.world.new_id(),
        call.repo.id,
        branch,
        checks,
        strict,
        _reviews(body.record("required_pull_request_reviews")),
        body.flag("enforce_admins", False),
        users,
        teams,
        apps,
        body.flag("required_linear_history", False),
        body.flag("allow_force_pushes", False),
        body.flag("allow_deletions", False),
        body.flag("block_creations", False),
        body.flag("required_conversation_resolution", False),
        body.flag("lock_branch", False),
        body.flag("allow_fork_syncing", False),
    )
    return Reply(protection(call.world, call.world.protections.put(rules)))


async def delete_protection(call: Call) -> Reply:
    """DELETE /branches/{branch}/protection"""
    call.world.protections.delete(_rules(call).id)
    return Reply(status=204)


async def get_checks(call: Call) -> Reply:
    """GET /branches/{branch}/protection/required_status_checks"""
    body = protection(call.world, _rules(call)).get("required_status_checks")
    if body is None:
        raise ApiError(404, "Required status checks not enabled")
    return Reply(body)


def _rules(call: Call) -> Protection:
    rules = call.world.protection(call.repo, call.params["branch"])
    if rules is None:
        raise ApiError(404, "Branch not protected")
    return rules


async def _branch(call: Call) -> str:
    name = call.params["branch"]
    if await reading.branch(call.world.git(call.repo), name) is None:
        raise ApiError(404, "Branch not found")
    return name


def _checks(given: Body | None) -> tuple[tuple[RequiredCheck, ...] | None, bool]:
    """`checks` names App and context; the older `contexts` only the context. -1 stands for any App."""
    if given is None:
        return None, False
    rows = [Body(row) for row in given.array("checks", dict) or ()]
    checks = [RequiredCheck(row.required_text("context"), row.number("app_id")) for row in rows]
    known = {check.context for check in checks}
    checks += [RequiredCheck(name) for name in given.array("contexts", str) or () if name not in known]
    anybody = (RequiredCheck(row.context, None if row.app_id == -1 else row.app_id) for row in checks)
    return tuple(anybody), given.flag("strict", False)


def _reviews(given: Body | None) -> RequiredReviews | None:
    if given is None:
        return None
    count = given.number("required_approving_review_count")
    return RequiredReviews(
        1 if count is None else count,
        given.flag("dismiss_stale_reviews", False),
        given.flag("require_code_owner_reviews", False),
        given.flag("require_last_push_approval", False),
    )


def _restrictions(
    call: Call, given: Body | None
) -> tuple[tuple[int, ...] | None, tuple[int, ...] | None, tuple[int, ...] | None]:
    if given is None:
        return None, None, None
    world = call.world
    users = [world.account(login) for login in given.array("users", str) or ()]
    teams = {team.slug: team.id for team in world.teams.of(call.repo.owner_id)}
    apps = {app.slug: app.id for app in world.apps}
    return (
        tuple(user.id for user in users if user),
        tuple(teams[slug] for slug in given.array("teams", str) or () if slug in teams),
        tuple(apps[slug] for slug in given.array("apps", str) or () if slug in apps),
    )


_AT = "/repos/{owner}/{repo}/branches/{branch}/protection"
_READ = Needs(Who.TOKEN, ("administration",), Level.READ, Role.ADMIN)
_WRITE = writes("administration", role=Role.ADMIN)

ROUTES = (
    Route("GET", _AT, get_protection, _READ),
    Route("PUT", _AT, put_protection, _WRITE),
    Route("DELETE", _AT, delete_protection, _WRITE),
    Route("GET", _AT + "/required_status_checks", get_checks, _READ),
)

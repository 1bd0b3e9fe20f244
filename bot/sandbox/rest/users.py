"""Users, as themselves and as others see them.

https://docs.github.com/en/rest/users
"""

from __future__ import annotations

from bot.sandbox.access import Needs, Who, visible
from bot.sandbox.model.accounts import AccountKind
from bot.sandbox.payloads.accounts import org_simple, private_user, public_user
from bot.sandbox.payloads.repos import repository
from bot.sandbox.rest.call import Call, Reply, Route
from bot.sandbox.rest.errors import not_found

_USER = Needs(Who.USER)


async def get_self(call: Call) -> Reply:
    """GET /user"""
    return Reply(private_user(call.world, call.account))


async def own_orgs(call: Call) -> Reply:
    """GET /user/orgs"""
    rows = [row for row in call.world.memberships if row.account_id == call.account.id]
    page = call.page(rows)
    return page.reply([org_simple(call.world, call.world.accounts[row.org_id]) for row in page.items])


async def own_repos(call: Call) -> Reply:
    """GET /user/repos: every repository in which the user has a role of their own."""
    world, account = call.world, call.account
    mine = [
        repo
        for repo in world.repos
        if repo.owner_id == account.id
        or world.membership(world.owner(repo), account)
        or any(row.account_id == account.id for row in world.collaborators.of(repo.id))
    ]
    page = call.page([repo for repo in mine if visible(world, call.actor, repo)])
    return page.reply([repository(world, repo, world.role(account, repo)) for repo in page.items])


async def get_user(call: Call) -> Reply:
    """GET /users/{username}"""
    account = call.world.account(call.params["username"])
    if account is None:
        raise not_found()
    return Reply(public_user(call.world, account))


async def user_repos(call: Call) -> Reply:
    """GET /users/{username}/repos"""
    account = call.world.account(call.params["username"])
    if account is None:
        raise not_found()
    rows = call.world.repos.of(account.id)
    page = call.page([repo for repo in rows if visible(call.world, call.actor, repo)])
    return page.reply([repository(call.world, repo) for repo in page.items])


async def user_orgs(call: Call) -> Reply:
    """GET /users/{username}/orgs"""
    account = call.world.account(call.params["username"])
    if account is None or account.kind is not AccountKind.USER:
        raise not_found()
    rows = [row for row in call.world.memberships if row.account_id == account.id]
    page = call.page(rows)
    return page.reply([org_simple(call.world, call.world.accounts[row.org_id]) for row in page.items])


ROUTES = (
    Route("GET", "/user", get_self, _USER),
    Route("GET", "/user/orgs", own_orgs, _USER),
    Route("GET", "/user/repos", own_repos, _USER),
    Route("GET", "/users/{username}", get_user, Needs(Who.ANYONE)),
    Route("GET", "/users/{username}/repos", user_repos, Needs(Who.ANYONE)),
    Route("GET", "/users/{username}/orgs", user_orgs, Needs(Who.ANYONE)),
)

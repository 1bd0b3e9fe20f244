"""Organisations and who belongs to them.

https://docs.github.com/en/rest/orgs
"""

from __future__ import annotations

from bot.sandbox.access import Needs, Who, visible
from bot.sandbox.model.accounts import Account
from bot.sandbox.payloads.accounts import org_full, org_simple, simple_user
from bot.sandbox.payloads.repos import repository
from bot.sandbox.rest.call import Call, Reply, Route
from bot.sandbox.rest.errors import not_found

_MEMBERS = Needs(Who.TOKEN, ("members",))


async def get_org(call: Call) -> Reply:
    """GET /orgs/{org}"""
    return Reply(org_full(call.world, org_in(call)))


async def org_repos(call: Call) -> Reply:
    """GET /orgs/{org}/repos"""
    rows = [repo for repo in call.world.repos.of(org_in(call).id) if visible(call.world, call.actor, repo)]
    page = call.page(rows)
    return page.reply([repository(call.world, repo) for repo in page.items])


async def members(call: Call) -> Reply:
    """GET /orgs/{org}/members, all or only those with `role`."""
    role = call.query.get("role", "all")
    rows = [row for row in call.world.memberships.of(org_in(call).id) if role in ("all", row.role)]
    page = call.page(rows)
    return page.reply([simple_user(call.world, call.world.accounts[row.account_id]) for row in page.items])


async def is_member(call: Call) -> Reply:
    """GET /orgs/{org}/members/{username}: 204 or 404."""
    if not _membership(call):
        raise not_found()
    return Reply(status=204)


async def membership(call: Call) -> Reply:
    """GET /orgs/{org}/memberships/{username}"""
    return _membership_reply(call, call.world.account(call.params["username"]))


async def own_membership(call: Call) -> Reply:
    """GET /user/memberships/orgs/{org}"""
    return _membership_reply(call, call.account)


def org_in(call: Call) -> Account:
    """The organisation in the path; 404 if there is none."""
    org = call.world.organization(call.params["org"])
    if org is None:
        raise not_found()
    return org


def _membership(call: Call) -> bool:
    account = call.world.account(call.params["username"])
    return account is not None and call.world.membership(org_in(call), account) is not None


def _membership_reply(call: Call, account: Account | None) -> Reply:
    org = org_in(call)
    row = call.world.membership(org, account) if account else None
    if row is None or account is None:
        raise not_found()
    return Reply(
        {
            "url": f"{call.world.api}/orgs/{org.login}/memberships/{account.login}",
            "state": "active",
            "role": str(row.role),
            "organization_url": f"{call.world.api}/orgs/{org.login}",
            "organization": org_simple(call.world, org),
            "user": simple_user(call.world, account),
        }
    )


ROUTES = (
    Route("GET", "/orgs/{org}", get_org, Needs(Who.ANYONE)),
    Route("GET", "/orgs/{org}/repos", org_repos, Needs(Who.ANYONE)),
    Route("GET", "/orgs/{org}/members", members, _MEMBERS),
    Route("GET", "/orgs/{org}/members/{username}", is_member, _MEMBERS),
    Route("GET", "/orgs/{org}/memberships/{username}", membership, _MEMBERS),
    Route("GET", "/user/memberships/orgs/{org}", own_membership, Needs(Who.USER)),
)

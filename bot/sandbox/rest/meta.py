"""The API about itself.

https://docs.github.com/en/rest/meta and https://docs.github.com/en/rest/rate-limit
"""

from __future__ import annotations

from bot.sandbox.access import Needs, Who
from bot.sandbox.rest.call import Call, Reply, Route

_ANYONE = Needs(Who.ANYONE)


async def get_meta(_: Call) -> Reply:
    """GET /meta"""
    return Reply({"verifiable_password_authentication": False, "hooks": ["127.0.0.1/32"]})


async def rate_limit(call: Call) -> Reply:
    """GET /rate_limit: what the headers of this call say too; asking is free."""
    seen = call.limits.spend(call.actor, call.world.clock().timestamp(), cost=0)
    core = {name: int(seen[f"x-ratelimit-{name}"]) for name in ("limit", "remaining", "reset", "used")}
    search = core | {"limit": 30, "remaining": 30, "used": 0}
    return Reply({"resources": {"core": core, "search": search}, "rate": core})


ROUTES = (
    Route("GET", "/meta", get_meta, _ANYONE),
    Route("GET", "/rate_limit", rate_limit, _ANYONE),
)

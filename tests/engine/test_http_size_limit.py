"""A request may ask for more than answers usually may have."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.core.egress import parse_rules
from bot.engine.http import OutboundHttp
from bot.errors import UserError


async def test_the_limit_of_one_request_stands_for_it_alone() -> None:
    async def large(request: web.Request) -> web.Response:
        return web.Response(body=b"0" * 5000)

    application = web.Application()
    application.router.add_get("/", large)
    rules = parse_rules("127.0.0.0/8")
    async with TestServer(application, host="127.0.0.1") as server, OutboundHttp(rules=rules, size_limit=4096) as http:
        url = str(server.make_url("/"))
        assert len((await http.request("GET", url, size_limit=5000)).body) == 5000
        with pytest.raises(UserError, match="larger than 4 KiB"):
            await http.request("GET", url)
        with pytest.raises(UserError, match="larger than 1 KiB"):
            await http.request("GET", url, size_limit=1024)

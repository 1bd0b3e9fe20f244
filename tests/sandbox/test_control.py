"""Faults on demand, limits, ETags and the shape of refusals."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest

from bot.sandbox.model.hooks import DeliveryState
from tests.sandbox.driver import GitHub


async def control(github: GitHub, method: str, path: str, json: Any = None) -> Any:
    answer = await github.anonymous().call(method, f"{github.sandbox.url}/sandbox/{path}", json)
    assert answer.status in (200, 201), answer.body
    return answer.body


async def test_the_next_calls_fail_as_ordered_and_then_no_more(github: GitHub) -> None:
    client = github.user("owner")
    await control(github, "POST", "faults", {"kind": "http", "path": "/user$", "times": 2, "status": 502})
    assert [(await client.get("/user")).status for _ in range(3)] == [502, 502, 200]
    await control(github, "POST", "faults", {"kind": "secondary_rate_limit", "method": "POST", "retry_after": 7})
    refused = await client.post("/orgs/acme/repos", {"name": "x"})
    assert (refused.status, refused.headers["retry-after"]) == (403, "7")
    await control(github, "POST", "faults", {"kind": "http", "status": 500, "times": 9})
    await control(github, "DELETE", "faults")
    assert (await client.get("/user")).status == 200
    calls = [(row["path"], row["status"]) for row in await control(github, "GET", "calls")]
    assert calls == [
        ("/user", 502),
        ("/user", 502),
        ("/user", 200),
        ("/orgs/acme/repos", 403),
        ("/user", 200),
    ]


async def test_an_answer_may_be_lost_after_the_work_is_done(github: GitHub) -> None:
    client = github.user("owner")
    await control(github, "POST", "faults", {"kind": "http", "method": "POST", "status": 504, "after": True})
    assert (await client.post("/orgs/acme/repos", {"name": "x"})).status == 504
    assert (await client.get("/repos/acme/x")).status == 200


async def test_an_answer_may_be_late(github: GitHub) -> None:
    await control(github, "POST", "faults", {"kind": "http", "seconds": 0.2})
    began = time.monotonic()
    assert (await github.user("owner").get("/user")).status == 200
    assert time.monotonic() - began >= 0.2


@pytest.mark.parametrize(
    "wish", [{}, {"kind": "earthquake"}, {"kind": "http", "path": "("}, {"kind": "http", "times": "x"}]
)
async def test_a_fault_that_makes_no_sense_is_refused(github: GitHub, wish: Any) -> None:
    answer = await github.anonymous().call("POST", f"{github.sandbox.url}/sandbox/faults", wish)
    assert answer.status == 400


async def named(github: GitHub) -> list[str]:
    await control(github, "POST", "settle")
    return [headers["X-GitHub-Event"] for headers, _ in github.received]


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({"kind": "drop", "event": "create"}, ["repository", "push", "check_suite"]),
        ({"kind": "duplicate", "event": "create"}, ["repository", "create", "create", "push", "check_suite"]),
        ({"kind": "reorder", "times": 4, "seconds": 600}, ["check_suite", "push", "create", "repository"]),
        ({"kind": "reorder", "times": 9, "seconds": 60}, ["check_suite", "push", "create", "repository"]),
    ],
)
async def test_webhooks_are_lost_doubled_and_shuffled(github: GitHub, wish: Any, expected: list[str]) -> None:
    await control(github, "POST", "faults", wish)
    await github.repo()
    assert await named(github) == expected
    states = {row["event"]: row["state"] for row in await control(github, "GET", "deliveries")}
    assert (states["create"] == "dropped") == (wish["kind"] == "drop")
    guids = {headers["X-GitHub-Delivery"] for headers, _ in github.received}
    assert len(guids) == len(set(expected))


async def test_a_late_webhook_is_overtaken(github: GitHub) -> None:
    world = github.sandbox.world
    await control(github, "POST", "faults", {"kind": "delay", "event": "create", "seconds": 600})
    await github.repo()
    async with asyncio.timeout(60):
        while len(github.received) < 3:  # noqa: ASYNC110 -- what comes is only put on a list
            await asyncio.sleep(0.01)
    assert [headers["X-GitHub-Event"] for headers, _ in github.received] == ["repository", "push", "check_suite"]
    (late,) = [row for row in world.deliveries if row.event == "create"]
    async with world.change():
        world.deliveries.put(replace(late, state=DeliveryState.DROPPED))  # nobody waits for it at the end


async def test_a_late_webhook_comes_in_the_end(github: GitHub) -> None:
    await control(github, "POST", "faults", {"kind": "delay", "event": "create", "seconds": 0.05})
    await github.repo()
    assert sorted(await named(github)) == ["check_suite", "create", "push", "repository"]


async def test_a_delivery_nobody_takes_is_kept_as_failed_and_can_be_sent_again(github: GitHub) -> None:
    world, hooks = github.sandbox.world, github.sandbox.hooks
    (app,) = world.apps
    async with world.change():
        world.apps.put(
            type(app)(**{name: getattr(app, name) for name in app.__slots__} | {"webhook_url": "http://127.0.0.1:9/"})
        )
    await github.repo()
    await github.sandbox.settle()
    assert {(row.status_code, row.state) for row in world.deliveries} == {(0, "done")}
    async with world.change():
        world.apps.put(app)
        first = next(iter(world.deliveries))
        hooks.redeliver(first)
    await github.sandbox.settle()
    ((headers, body),) = github.received
    assert headers["X-GitHub-Delivery"] == first.guid
    assert body.decode() == first.payload
    assert [row.status_code for row in world.deliveries] == [0, 0, 0, 0, 202]


async def test_an_unchanged_answer_costs_nothing(github: GitHub) -> None:
    repo, client = await github.repo(), github.user("reader")
    first = await client.get(repo)
    again = await client.get(repo, If_None_Match=first.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    assert again.headers["x-ratelimit-used"] == first.headers["x-ratelimit-used"]
    (await github.user("owner").patch(repo, {"description": "changed"})).ok()
    assert (await client.get(repo, If_None_Match=first.headers["ETag"])).status == 200


async def test_the_limit_ends_with_403_and_nothing_left(github: GitHub) -> None:
    await control(github, "POST", "rate_limit", {"limit": 2})
    client = github.user("reader")
    answers = [await client.get("/user") for _ in range(3)]
    assert [answer.status for answer in answers] == [200, 200, 403]
    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["1", "0", "0"]
    assert (await github.user("writer").get("/user")).status == 200


async def test_refusals_have_githubs_shape(github: GitHub) -> None:
    client = github.user("owner")
    lost = await client.get("/no/such/thing")
    assert (lost.status, lost.body["message"], lost.body["status"]) == (404, "Not Found", "404")
    assert await control(github, "GET", "unserved") == ["GET /api/v3/no/such/thing"]
    address = f"{github.sandbox.url}/api/v3/orgs/acme/repos"
    headers = {"Authorization": client.authorization or ""}
    for raw, message in ((b"{", "Problems parsing JSON"), (b"[]", "Body should be a JSON object")):
        async with github.session.post(address, data=raw, headers=headers) as response:
            assert (response.status, (await response.json())["message"]) == (400, message)
    for odd in ("a\0b", "\ud800"):
        assert (await client.post("/orgs/acme/repos", {"name": "x", "description": odd})).status == 422
    missing = await client.post("/orgs/acme/repos", {})
    assert missing.body["message"] == 'Invalid request.\n\n"name" wasn\'t supplied.'


async def test_two_writers_never_meet(github: GitHub) -> None:
    repo = await github.repo()
    await asyncio.gather(*(github.file(repo, f"f{number}", "x", f"b{number}") for number in range(8)))
    await asyncio.gather(*(github.pull(repo, f"b{number}") for number in range(8)))
    rows = (await github.user("owner").get(f"{repo}/pulls")).ok()
    assert sorted(row["number"] for row in rows) == list(range(1, 9))

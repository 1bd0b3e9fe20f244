"""What an App can see and do about its own webhook."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.sandbox.driver import GitHub

_AT = "/app/hook/deliveries"


async def test_an_app_sees_and_changes_where_its_webhook_goes(github: GitHub) -> None:
    app = github.app()
    seen = (await app.get("/app/hook/config")).ok()
    assert (seen["url"], seen["secret"]) == (github.keys.webhook_url, "********")
    changed = (await app.patch("/app/hook/config", {"url": "http://127.0.0.1:9/", "secret": "new"})).ok()
    assert (changed["url"], changed["secret"]) == ("http://127.0.0.1:9/", "********")
    assert [row.webhook_secret for row in github.sandbox.world.apps] == ["new"]
    assert (await app.patch("/app/hook/config", {"url": "nowhere"})).status == 422
    assert (await (await github.bot()).get("/app/hook/config")).status == 401


async def test_deliveries_are_listed_page_by_page_newest_first(github: GitHub) -> None:
    await github.repo()
    told = [row.split(".")[0] for row in await github.events()]
    app = github.app()
    assert [row["event"] for row in (await app.get(_AT)).ok()] == told[::-1]
    seen: list[Any] = []
    address: str | None = f"{_AT}?per_page=3"
    while address:
        answer = await app.get(address)
        seen += answer.ok()
        link = answer.headers.get("Link", "")
        assert ("cursor=" in link) == bool(link)
        address = link.partition("<")[2].partition(">")[0]
    assert [row["event"] for row in seen] == told[::-1]
    assert (await app.get(f"{_AT}?cursor=x")).status == 400
    one = (await app.get(f"{_AT}/{seen[0]['id']}")).ok()
    headers, _ = github.received[-1]
    assert one["request"]["headers"]["X-GitHub-Delivery"] == headers["X-GitHub-Delivery"] == one["guid"]
    assert one["request"]["payload"]["repository"]["name"] == "gitops"
    assert (one["status"], one["status_code"], one["redelivery"]) == ("OK", 202, False)


async def test_a_failed_delivery_is_found_and_sent_again(github: GitHub) -> None:
    app, url = github.app(), github.keys.webhook_url
    (await app.patch("/app/hook/config", {"url": "http://127.0.0.1:9/"})).ok()
    await github.repo()
    await github.sandbox.settle()
    (await app.patch("/app/hook/config", {"url": url})).ok()
    failed = (await app.get(f"{_AT}?status=failure")).ok()
    assert (await app.get(f"{_AT}?status=success")).ok() == []
    assert {row["status_code"] for row in failed} == {0}
    assert github.received == []
    assert (await app.post(f"{_AT}/{failed[-1]['id']}/attempts")).ok(202) == {}
    await github.sandbox.settle()
    ((headers, _),) = github.received
    assert (headers["X-GitHub-Event"], headers["X-GitHub-Delivery"]) == ("repository", failed[-1]["guid"])
    (again,) = (await app.get(f"{_AT}?status=success")).ok()
    assert (again["guid"], again["redelivery"]) == (failed[-1]["guid"], True)
    assert again["id"] != failed[-1]["id"]


async def test_what_is_older_than_three_days_is_gone(github: GitHub) -> None:
    await github.repo()
    await github.sandbox.settle()
    app, world = github.app(), github.sandbox.world
    newest, older = (await app.get(f"{_AT}?per_page=2")).ok()
    async with world.change():
        row = world.deliveries[older["id"]]
        world.deliveries.put(replace(row, created_at=row.created_at - timedelta(days=3, minutes=1)))
    listed = [row["id"] for row in (await app.get(_AT)).ok()]
    assert newest["id"] in listed
    assert older["id"] not in listed
    assert (await app.get(f"{_AT}/{older['id']}")).status == 404
    assert (await app.post(f"{_AT}/{older['id']}/attempts")).status == 404

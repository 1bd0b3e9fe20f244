"""Where branches and tags are, by the API: asked of a GitHub that keeps ETags, for whom a token is given."""

import logging

import pytest

from bot.github.answers import Answers
from bot.github.limits import is_scarce

SHOP = "/repos/acme/shop"


@pytest.fixture
def peek(app):
    return app.peek("acme/config")


@pytest.fixture
def url(hub):
    return f"{hub.sandbox.url}/acme/shop.git"


async def test_a_branch_that_has_not_moved_costs_nothing(hub, app, peek, url):
    sha = await hub.file(SHOP, "a.txt", "1")
    assert await peek(url, "heads/main") == {"refs/heads/main": sha}
    before = app.calls.by_status()
    assert await peek(url, "heads/main") == {"refs/heads/main": sha}
    assert app.calls.by_status()[304] == before.get(304, 0) + 1

    newer = await hub.file(SHOP, "a.txt", "2")
    assert await peek(url, "heads/main") == {"refs/heads/main": newer}
    assert await peek(url, "heads/gone") == {}


async def test_names_that_mean_something_in_an_address(hub, peek, url):
    sha = await hub.file(SHOP, "a.txt", "1")
    for name in ("feature/a+b", "100%", "what#for", "ünder"):
        (await hub.user("owner").post(f"{SHOP}/git/refs", {"ref": f"refs/heads/{name}", "sha": sha})).ok(201)
        assert await peek(url, f"heads/{name}") == {f"refs/heads/{name}": sha}


async def test_tags_are_listed(hub, peek, url):
    assert await peek(url, "tags") == {}
    sha = await hub.file(SHOP, "a.txt", "1")
    for number in range(30):
        (await hub.user("owner").post(f"{SHOP}/git/refs", {"ref": f"refs/tags/v{number}", "sha": sha})).ok(201)
    assert await peek(url, "tags") == {f"refs/tags/v{number}": sha for number in range(30)}


@pytest.mark.parametrize(
    "address", ["https://github.example/acme/shop.git", "SERVER/other/shop.git", "SERVER/acme/not"]
)
async def test_other_places_other_owners_and_where_it_is_not_installed_are_left_to_git(hub, app, address):
    peek = app.peek("acme/config")
    assert await peek(address.replace("SERVER", hub.sandbox.url), "heads/main") is None
    assert not [name for name in app.calls.by_route() if "/git/" in name]


async def test_a_github_that_does_not_answer_is_left_to_git(hub, peek, url, caplog):
    caplog.set_level(logging.INFO)
    fault = {"kind": "http", "method": "GET", "path": "/git/", "status": 502, "times": 1}
    (await hub.user("owner").call("POST", f"{hub.sandbox.url}/sandbox/faults", fault)).ok(201)
    assert await peek(url, "heads/main") is None
    assert "Git is asked where heads/main is" in caplog.text
    assert await peek(url, "heads/main") is not None


async def test_with_little_left_to_ask_it_is_left_to_git(hub, app, peek, url):
    await hub.file(SHOP, "a.txt", "1")
    port = await app.repository("acme/shop")
    (await hub.user("owner").call("POST", f"{hub.sandbox.url}/sandbox/rate_limit", {"limit": 9})).ok()
    for path in range(8):
        await port.read_file(f"{path}", "main")
    asked = app.calls.total
    assert await peek(url, "heads/main") is None
    assert app.calls.total == asked

    (await hub.user("owner").call("POST", f"{hub.sandbox.url}/sandbox/rate_limit", {"limit": 5000})).ok()
    await port.read_file("a.txt", "main")
    assert await peek(url, "heads/main") is not None


@pytest.mark.parametrize(
    ("limit", "left", "scarce"),
    [("5000", "1000", False), ("5000", "999", True), ("5000", "", False), ("x", "0", False)],
)
def test_scarce_is_less_than_a_fifth(limit, left, scarce):
    assert is_scarce({"x-ratelimit-limit": limit, "x-ratelimit-remaining": left}) is scarce
    assert not is_scarce({})


def test_refs_and_other_answers_do_not_drive_each_other_out():
    answers, ref, pulls = Answers(), "https://x/repos/a/b/git/ref/heads/{}", "https://x/repos/a/b/pulls?page={}"
    answers[ref.format("main")] = "main"
    for number in range(1000):
        answers[pulls.format(number)] = number
    for number in range(1000):
        answers[ref.format(number)] = number
    assert answers[ref.format("main")] == "main"
    assert answers[pulls.format(999)] == 999
    assert pulls.format(0) not in answers
    assert len(answers) == len(list(answers)) == 1001 + 256
    del answers[ref.format("main")]
    assert ref.format("main") not in answers

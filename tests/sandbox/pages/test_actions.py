"""What can be done on the pages: by whom, with what effect, and what is refused."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.driver import GitHub
from tests.sandbox.pages.site import Site
from tests.sandbox.pages.story import report

REPO = "/acme/service-cicd"
PULL = f"{REPO}/pull/3"


async def latest(github: GitHub, event: str) -> dict[str, object]:
    """The payload of the App's newest webhook of a kind."""
    await github.sandbox.settle()
    rows = [row for row in github.sandbox.world.deliveries if row.event == event]
    payload: dict[str, object] = json.loads(rows[-1].payload)
    return payload


async def test_a_comment_is_written_as_the_account_and_the_app_hears_of_it(
    site: Site, github: GitHub, story: str
) -> None:
    await site.become("reader")
    page = await site.press(await site.open(PULL), "Comment", body="/status\r\nplease")

    assert (page.status, page.path) == (200, PULL)
    assert "/status please" in page.words
    comments = (await github.user("owner").get(f"{story}/issues/3/comments")).ok()
    assert (comments[-1]["user"]["login"], comments[-1]["body"]) == ("reader", "/status\r\nplease")
    heard = await latest(github, "issue_comment")
    assert heard["action"] == "created"
    assert heard["comment"]["body"] == "/status\r\nplease"  # type: ignore[index]
    assert heard["sender"]["login"] == "reader"  # type: ignore[index]


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
async def test_a_maintainer_merges_in_three_ways(site: Site, github: GitHub, story: str, method: str) -> None:
    page = await site.press(await site.open(PULL), "Merge pull request", method=method)

    assert "Merged maintainer merged 3 commits" in page.words
    pull = (await github.user("owner").get(f"{story}/pulls/3")).ok()
    parents = (await github.user("owner").get(f"{story}/commits/{pull['merge_commit_sha']}")).ok()["parents"]
    assert (pull["merged"], pull["merged_by"]["login"]) == (True, "maintainer")
    assert len(parents) == (2 if method == "merge" else 1)
    heard = await latest(github, "pull_request")
    assert (heard["action"], heard["pull_request"]["merged"]) == ("closed", True)  # type: ignore[index]


async def test_a_reader_has_no_merge_button_and_is_refused_without_one(site: Site, github: GitHub, story: str) -> None:
    form = (await site.open(PULL)).form("Merge pull request")
    page = await site.become("reader")
    token = page.form("Switch").fields["token"]
    page = await site.open(PULL)
    forced = await site.send(form.action, form.fields | {"token": token})

    assert not page.has_button("Merge pull request")
    assert not page.has_button("Close pull request")
    assert "reader may not merge: it takes write access, and they have read." in page.words
    assert forced.status == 403
    assert "Not done. reader may not do this here: it takes write, they have read." in forced.words
    assert (await github.user("owner").get(f"{story}/pulls/3")).ok()["merged"] is False


async def test_what_moved_since_it_was_looked_at_is_not_merged(site: Site, github: GitHub, story: str) -> None:
    page = await site.open(PULL)
    await github.file(story, "late.txt", "x\n", branch="promotion/test")
    page = await site.press(page, "Merge pull request")

    assert page.status == 409
    assert "Not done. Head branch was modified." in page.words


async def test_a_required_check_that_lacks_is_told_and_stops_everybody_but_an_administrator(
    site: Site, github: GitHub, story: str
) -> None:
    rules = {
        "required_status_checks": {"strict": False, "contexts": ["promotion/test", "review/security"]},
        "enforce_admins": False, "required_pull_request_reviews": None, "restrictions": None,
    }  # fmt: skip
    (await github.user("owner").put(f"{story}/branches/main/protection", rules)).ok()

    page = await site.open(PULL)
    assert "Not ready to be merged" in page.words
    assert 'Required status check "review/security" is expected.' in page.words
    assert "promotion/test service 1.1.0 may enter test Required" in page.words
    assert not page.has_button("Merge pull request")

    await site.become("owner")
    button = "Merge without waiting, as an administrator may"
    assert (await site.open(PULL)).has_button(button)
    await site.become("maintainer")
    head = (await github.user("owner").get(f"{story}/pulls/3")).ok()["head"]["sha"]
    await report(await github.bot(), story, head, "review/security", "success", "fine", "fine")
    assert (await site.open(PULL)).has_button("Merge pull request")


async def test_a_conflict_is_told_and_there_is_no_button(site: Site, github: GitHub, story: str) -> None:
    await github.file(story, "out/stages/test/manifests.yaml", "something else\n")

    page = await site.open(PULL)

    assert "It conflicts with main" in page.words
    assert not page.has_button("Merge pull request")


async def test_close_with_a_comment_then_reopen(site: Site, github: GitHub, story: str) -> None:
    closed = await site.press(await site.open(PULL), "Close pull request", body="Not now.")
    assert "Closed" in closed.words
    assert closed.words.index("Not now.") < closed.words.index("maintainer closed this")
    assert (await latest(github, "pull_request"))["action"] == "closed"

    opened = await site.press(closed, "Reopen pull request")
    assert opened.has_button("Close pull request")
    assert (await github.user("owner").get(f"{story}/pulls/3")).ok()["state"] == "open"
    assert len((await github.user("owner").get(f"{story}/issues/3/comments")).ok()) == 3


async def test_approving(site: Site, github: GitHub, story: str) -> None:
    page = await site.press(await site.open(PULL), "Approve", body="Well done.")

    assert "maintainer approved this" in page.words
    assert "Well done." in page.words
    assert (await latest(github, "pull_request_review"))["action"] == "submitted"


async def test_an_issue_is_opened_commented_and_closed(site: Site, github: GitHub, story: str) -> None:
    form = await site.open(f"{REPO}/issues/new")
    page = await site.press(form, "Open issue", title="Freeze <b>uat</b>", body="until *Monday*")
    assert page.path == f"{REPO}/issues/5"
    assert "Freeze <b>uat</b> #5" in page.words
    assert ("em", {}) in page.reader.tags
    assert (await latest(github, "issues"))["action"] == "opened"

    page = await site.press(await site.press(page, "Comment", body="/help"), "Close issue")
    assert page.has_button("Reopen issue")
    assert [row["state"] for row in [(await github.user("owner").get(f"{story}/issues/5")).ok()]] == ["closed"]


async def test_what_cannot_be_taken_comes_back_with_the_reason(site: Site, story: str) -> None:
    blank = await site.press(await site.open(PULL), "Comment", body="   ")
    long = await site.press(await site.open(PULL), "Comment", body="x" * 70_000)
    untitled = await site.press(await site.open(f"{REPO}/issues/new"), "Open issue", title=" ", body="keep me")

    assert blank.status == long.status == untitled.status == 422
    assert "Not done." in blank.words
    assert "maximum is 65536 characters" in long.words
    assert "x" * 70_000 in long.html
    assert "keep me" in untitled.words


async def test_a_button_of_a_check_run_is_heard_by_the_app(site: Site, github: GitHub, story: str) -> None:
    bot = await github.bot()
    head = (await github.user("owner").get(f"{story}/pulls/3")).ok()["head"]["sha"]
    action = {"label": "Roll back", "description": "Brings 1.0.0 back", "identifier": "rollback"}
    run = {"name": "verify", "head_sha": head, "conclusion": "failure", "actions": [action]}
    (await bot.post(f"{story}/check-runs", run)).ok(201)

    page = await site.press(await site.open(PULL), "Roll back")

    assert (page.status, page.path) == (200, PULL)
    heard = await latest(github, "check_run")
    assert (heard["action"], heard["requested_action"]) == ("requested_action", {"identifier": "rollback"})
    assert heard["sender"]["login"] == "maintainer"  # type: ignore[index]


async def test_a_check_run_is_asked_for_again(site: Site, github: GitHub, story: str) -> None:
    merged = (await github.user("owner").get(f"{story}/pulls/2")).ok()["merge_commit_sha"]
    page = await site.press(await site.open(f"{REPO}/commit/{merged}"), "Run again")

    assert page.status == 200
    assert (await latest(github, "check_run"))["action"] == "rerequested"


FORGED: tuple[tuple[dict[str, str], str | None, str], ...] = (
    ({"Origin": "http://elsewhere.example"}, None, "sent from another site"),
    ({"Origin": "null"}, None, "sent from another site"),
    ({"Sec_Fetch_Site": "cross-site"}, None, "sent from another site"),
    ({"Sec_Fetch_Site": "same-site"}, None, "sent from another site"),
    ({}, "", "out of date"),
    ({}, "0" * 64, "out of date"),
    ({}, "ä", "out of date"),
    ({"Host": "evil.example"}, None, "does not answer to the name"),
)


@pytest.mark.parametrize("button", ["Comment", "Merge pull request", "Switch"])
async def test_a_form_that_no_page_of_ours_sent_does_nothing(
    site: Site, github: GitHub, story: str, button: str
) -> None:
    before = len(github.sandbox.world.deliveries)
    form = (await site.open(PULL)).form(button)
    for headers, token, said in FORGED:
        fields = form.fields | {"body": "hello", "account": "owner"} | ({} if token is None else {"token": token})
        page = await site.send(form.action, fields, **headers)

        assert (page.status, said in page.words) == (403, True), (headers, token)
    assert len(github.sandbox.world.deliveries) == before
    assert (await site.open(PULL)).form("Switch").fields["account"] == "maintainer"


async def test_a_token_of_one_account_is_none_of_another(site: Site, story: str) -> None:
    form = (await site.open(PULL)).form("Merge pull request")
    await site.become("owner")

    assert (await site.send(form.action, form.fields)).status == 403


@pytest.mark.parametrize(
    "back",
    ["//evil.example/x", "https://evil.example/x", "/\\evil.example", "\\\\evil.example", "/a\r\nSet-Cookie: x=y"],
)
async def test_the_way_back_is_never_to_another_site(site: Site, back: str) -> None:
    form = (await site.open("/")).form("Switch")
    page = await site.send(form.action, form.fields | {"back": back})

    assert page.status == 404
    assert page.headers.get("Server")  # this server answered, and no other was asked


async def test_only_accounts_that_exist_can_be_chosen(site: Site) -> None:
    page = await site.become("acme")

    assert page.status == 422
    assert (await site.open("/")).form("Switch").fields["account"] == "maintainer"

"""Apps and their tokens."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.sandbox.driver import GitHub


async def test_an_app_knows_itself_and_where_it_is_installed(github: GitHub) -> None:
    await github.repo()
    app = (await github.app().get("/app")).ok()
    assert app["slug"] == "towpath"
    (installation,) = (await github.app().get("/app/installations")).ok()
    for path in (
        f"/app/installations/{installation['id']}",
        "/repos/acme/gitops/installation",
        "/orgs/acme/installation",
    ):
        assert (await github.app().get(path)).ok()["id"] == installation["id"]
    assert (await github.app().get("/users/outsider/installation")).status == 404
    by_client_id = github.jwt(issuer=app["client_id"])
    assert (await github.app(by_client_id).get("/app")).ok()["id"] == app["id"]


@pytest.mark.parametrize(
    ("lifetime", "issued", "issuer", "message"),
    [
        (660, -60, None, "too far in the future"),
        (-10, -60, None, "'Expiration time' claim"),
        (540, 300, None, "'Issued at' claim"),
        (540, -60, 4711, "Integration not found"),
    ],
)
async def test_a_jwt_that_breaks_the_rules_is_refused(
    github: GitHub, lifetime: int, issued: int, issuer: object, message: str
) -> None:
    answer = await github.app(github.jwt(lifetime, issuer, issued)).get("/app")
    assert answer.status == 401
    assert message in answer.body["message"]


async def test_a_jwt_signed_by_another_key_is_refused(github: GitHub) -> None:
    head, body, signature = github.jwt().split(".")
    answer = await github.app(f"{head}.{body}.{signature[::-1]}").get("/app")
    assert (answer.status, answer.body["message"]) == (401, "A JSON web token could not be decoded")


async def test_a_token_has_githubs_long_format_and_can_be_narrowed_but_not_widened(github: GitHub) -> None:
    await github.repo("one")
    await github.repo("two")
    token = await github.installation_token()
    assert token.startswith("ghs_")
    assert token.count(".") == 2
    assert len(token) > 450
    bot = await github.bot({"repositories": ["one"], "permissions": {"contents": "read"}})
    listed = (await bot.get("/installation/repositories")).ok()
    assert [row["name"] for row in listed["repositories"]] == ["one"]
    refused = await bot.post("/repos/acme/one/git/blobs", {"content": "x"})
    assert (refused.status, refused.body["message"]) == (403, "Resource not accessible by integration")
    assert (await bot.post("/repos/acme/two/git/blobs", {"content": "x"})).status == 403
    (row,) = (await github.app().get("/app/installations")).ok()
    path = f"/app/installations/{row['id']}/access_tokens"
    assert (await github.app().post(path, {"permissions": {"secrets": "write"}})).status == 422
    assert (await github.app().post(path, {"repositories": ["three"]})).status == 422
    everything = (await github.app().post(path, {"permissions": {}})).ok(201)  # what PyGithub sends
    assert everything["permissions"]["contents"] == "write"


async def test_a_token_ends_after_an_hour_or_when_revoked(github: GitHub) -> None:
    bot = await github.bot()
    (row,) = github.sandbox.world.installation_tokens
    assert row.expires_at - github.sandbox.world.now() > timedelta(minutes=59)
    (await bot.delete("/installation/token")).ok(204)
    assert (await bot.get("/installation/repositories")).status == 401


async def test_each_kind_of_caller_is_kept_to_its_routes(github: GitHub) -> None:
    bot, person = await github.bot(), github.user("writer")
    assert (await person.get("/app")).status == 401
    assert (await person.get("/installation/repositories")).status == 403
    assert (await bot.get("/user")).status == 403
    assert (await github.app().get("/user")).status == 403
    assert (await github.anonymous().get("/user")).status == 401
    answer = await github.app("ghp_nonsense").get("/user")
    assert (answer.status, answer.body["message"]) == (401, "Bad credentials")

"""The App: its JWT, its tokens, where it is installed, and what it gives away to whom."""

import asyncio
from datetime import timedelta

import pytest

from bot.contracts.git import Credential, Identity
from bot.errors import Broken, Retry, UserError
from bot.github.tokens import NotInstalled

TOKEN = "POST /app/installations/42/access_tokens"


async def test_the_jwt_is_what_github_takes_and_is_renewed_before_it_lapses(github, make_app, clock, claims_of):
    github.app()
    github.on("GET /app/installations", [])
    app = make_app()
    identity = await app.identity()
    assert (identity.id, identity.slug, identity.login) == (7, "towpath", "towpath[bot]")
    assert await app.identity() is identity
    for minutes in (0, 4, 2):
        clock.pass_by(minutes=minutes)
        await app.repositories()
    tokens = [request.token for request in github.requests]
    assert len(set(tokens)) == 2
    assert tokens[0] == tokens[1] == tokens[2] != tokens[3]
    claims = claims_of(tokens[3], clock)
    now = clock.now().timestamp()
    assert claims == {"iss": "7", "iat": now - 60, "exp": now + 540}


async def test_a_wrong_key_or_id_is_told_to_whoever_set_it(github, make_app):
    github.on("GET /app", {"message": "A JSON web token could not be decoded"}, status=401)
    with pytest.raises(UserError, match=r"knows no App 7 with this private key: A JSON.*check APP_ID"):
        await make_app().identity()
    assert len(github.requests) == 2, "with a fresh JWT, in case the first had lapsed"


async def test_a_token_is_asked_for_once_and_again_before_it_expires(github, make_app, clock):
    github.app()
    github.on("GET /repos/acme/shop/pulls/1", {"message": "not here"}, status=404)
    app = make_app()

    async def use():
        port = await app.repository("acme/shop")
        with pytest.raises(Broken):
            await port.pull(1)

    await asyncio.gather(*(use() for _ in range(20)))
    assert len(github.sent(TOKEN)) == 1
    clock.pass_by(minutes=54)
    await use()
    assert len(github.sent(TOKEN)) == 1
    clock.pass_by(minutes=2)
    await asyncio.gather(*(use() for _ in range(20)))
    assert len(github.sent(TOKEN)) == 2
    assert github.sent("GET /repos/acme/shop/pulls/1")[-1].token == "ghs_2"


async def test_a_short_lived_token_is_used_for_half_its_life(github, make_app, clock):
    github.app()
    github.token_life = timedelta(seconds=60)
    app = make_app()
    for seconds, tokens in ((0, 1), (29, 1), (2, 2)):
        clock.pass_by(seconds=seconds)
        assert await app.git_token(f"{github.pages_url}/acme/shop", asked_by="acme/shop") == f"ghs_{tokens}"


async def test_a_token_that_github_forgot_is_replaced(github, make_app, pull):
    github.app()
    github.on("GET /repos/acme/shop/pulls/1", {"message": "Bad credentials"}, status=401)
    github.on("GET /repos/acme/shop/pulls/1", pull())
    port = await make_app().repository("acme/shop")
    assert (await port.pull(1)).number == 1
    assert [request.token for request in github.sent("GET /repos/acme/shop/pulls/1")] == ["ghs_1", "ghs_2"]


async def test_where_it_is_not_installed_there_is_no_repository(github, make_app, clock):
    github.app()
    app = make_app()
    assert await app.repository("acme/other") is None
    assert await app.repository("acme/other") is None
    assert len(github.sent("GET /repos/acme/other/installation")) == 1
    clock.pass_by(minutes=2)
    github.on("GET /repos/acme/other/installation", {"id": 42})
    assert (await app.repository("acme/other")).repository == "acme/other"


async def test_a_removed_installation_is_forgotten(github, make_app):
    github.app()
    github.on(TOKEN, {"message": "Not Found"}, status=404)
    github.on("GET /repos/acme/shop/installation", {"id": 43})
    app = make_app()
    port = await app.repository("acme/shop")
    with pytest.raises(NotInstalled, match="Installation 42 of the App is removed or suspended: Not Found"):
        await port.recent_pulls()
    assert await app.git_token(f"{github.pages_url}/acme/shop", asked_by="acme/shop") == "ghs_1"
    assert len(github.sent("POST /app/installations/43/access_tokens")) == 1


async def test_repositories_of_all_installations_are_listed_whatever_happens_to_one(github, make_app):
    github.app()
    github.on("GET /app/installations", [{"id": 41}], link='<http://x/?page=2>; rel="next"')
    github.on("GET /app/installations", [{"id": 42, "suspended_at": None}, {"id": 43, "suspended_at": "2026-01-01"}])
    github.on("POST /app/installations/41/access_tokens", {"message": "suspended"}, status=403)
    found = [{"full_name": "acme/shop"}, {"full_name": "acme/old", "archived": True}, {"full_name": "acme/b.c"}]
    github.on("GET /installation/repositories", {"total_count": 3, "repositories": found})
    app = make_app()
    assert await app.repositories() == ("acme/shop", "acme/b.c")
    assert await app.repository("acme/shop") is not None
    assert github.sent("GET /repos/acme/shop/installation") == [], "the list told it"


async def test_a_list_of_installations_that_cannot_be_had_is_told(github, make_app):
    github.on("GET /app/installations", {}, status=502)
    with pytest.raises(Retry):
        await make_app().repositories()


@pytest.mark.parametrize(
    "path",
    ["/acme/shop", "/acme/shop.git", "/acme/shop/", "/ACME/Shop.git", "/acme/other.git"],
)
async def test_git_gets_a_token_for_repositories_of_the_same_owner(github, make_app, path):
    for name in ("acme/shop", "ACME/Shop", "acme/other"):
        github.on(f"GET /repos/{name}/installation", {"id": 42})
    assert await make_app().git_token(github.pages_url + path, asked_by="acme/shop") == "ghs_1"


@pytest.mark.parametrize(
    "url",
    [
        "{server}/customer/secret.git",
        "{server}/acme/not-installed.git",
        "{server}/acme",
        "{server}/acme/shop/tree/main",
        "{server}/acme/..%2f..%2fx/y",
        "{server}/acme/sh%20op",
        "https://github.com/acme/shop.git",
        "https://evil.example/acme/shop.git",
        "http://127.0.0.1:1/acme/shop.git",
        "http://127.0.0.1:99999/acme/shop.git",
        "git@127.0.0.1:acme/shop.git",
        "ssh://127.0.0.1/acme/shop.git",
        "/acme/shop",
        "",
        "http://[",
    ],
)
async def test_git_gets_no_token_for_anything_else(github, make_app, url):
    github.app()
    github.on("GET /repos/customer/secret/installation", {"id": 43})
    asked = url.format(server=github.pages_url)
    assert await make_app().git_token(asked, asked_by="acme/shop") is None
    assert not [one for one in github.requests if one.path.endswith("access_tokens")]


async def test_git_credentials_are_for_whoever_asks(github, make_app):
    github.app()
    credentials = make_app().git_credentials("acme/shop")
    assert await credentials(f"{github.pages_url}/acme/shop.git") == Credential("x-access-token", "ghs_1")
    assert await credentials("https://example.com/acme/shop.git") is None


async def test_commits_are_by_the_apps_account(github, make_app):
    github.app()
    github.on("GET /users/towpath[bot]", {"id": 4321, "login": "towpath[bot]"})
    app = make_app(server_url="https://ghes.example.com")
    expected = Identity("towpath[bot]", "4321+towpath[bot]@users.noreply.ghes.example.com")
    assert [await app.committer("acme/shop") for _ in range(2)] == [expected] * 2
    (request,) = github.sent("GET /users/towpath[bot]")
    assert request.token == "ghs_1"


async def test_where_it_is_not_installed_there_is_nobody_to_commit_as(github, make_app):
    github.app()
    with pytest.raises(NotInstalled, match="isn't installed on acme/other"):
        await make_app().committer("acme/other")

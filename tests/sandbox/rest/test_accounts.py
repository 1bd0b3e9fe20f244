"""Users, organisations and their members, as each caller sees them."""

from __future__ import annotations

from tests.sandbox.driver import GitHub


async def test_a_user_sees_themselves_their_organisations_and_repositories(github: GitHub) -> None:
    await github.repo("open")
    await github.repo("secret", private=True)
    for login, orgs, repos in (("writer", ["acme"], ["open", "secret"]), ("outsider", [], [])):
        client = github.user(login)
        assert (await client.get("/user")).ok()["login"] == login
        assert [row["login"] for row in (await client.get("/user/orgs")).ok()] == orgs
        assert [row["name"] for row in (await client.get("/user/repos")).ok()] == repos
        assert (await client.get(f"/users/{login}")).ok()["login"] == login
        assert [row["login"] for row in (await client.get(f"/users/{login}/orgs")).ok()] == orgs
        seen = [row["name"] for row in (await client.get("/orgs/acme/repos")).ok()]
        assert seen == (repos or ["open"])
    assert (await github.user("writer").get("/users/nobody")).status == 404
    assert (await github.user("writer").get("/users/acme/repos")).ok()[0]["name"] == "open"


async def test_members_are_listed_by_role(github: GitHub) -> None:
    client = github.user("owner")
    assert (await client.get("/orgs/acme")).ok()["type"] == "Organization"
    assert [row["login"] for row in (await client.get("/orgs/acme/members?role=admin")).ok()] == ["owner"]
    assert len((await client.get("/orgs/acme/members")).ok()) == 4
    assert (await client.get("/orgs/acme/members/reader")).status == 204
    assert (await client.get("/orgs/acme/members/outsider")).status == 404
    assert (await client.get("/orgs/acme/memberships/owner")).ok()["role"] == "admin"
    assert (await github.user("reader").get("/user/memberships/orgs/acme")).ok()["role"] == "member"
    assert (await client.get("/orgs/nowhere")).status == 404


async def test_the_limit_and_the_server_tell_of_themselves(github: GitHub) -> None:
    client = github.user("reader")
    first = (await client.get("/rate_limit")).ok()["rate"]
    again = await client.get("/rate_limit")
    assert again.body["rate"]["used"] == first["used"] + 1
    assert again.headers["x-ratelimit-limit"] == "5000"
    (await client.get("/meta")).ok()

"""Teams, and who may enter a repository."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.driver import GitHub


async def permission(github: GitHub, repo: str, login: str) -> str:
    """The role of somebody in a repository."""
    found = (await github.user("owner").get(f"{repo}/collaborators/{login}/permission")).ok()
    return str(found["role_name"])


async def test_teams_are_seen_by_members_and_apps_only(github: GitHub) -> None:
    bot, reader = await github.bot(), github.user("reader")
    for client in (bot, reader):
        teams = (await client.get("/orgs/acme/teams")).ok()
        assert [row["slug"] for row in teams] == ["maintainers", "writers", "readers"]
        assert (await client.get("/orgs/acme/teams/writers")).ok()["members_count"] == 1
        assert [row["login"] for row in (await client.get("/orgs/acme/teams/writers/members")).ok()] == ["writer"]
        assert (await client.get("/orgs/acme/teams/writers/members?role=maintainer")).ok() == []
        membership = (await client.get("/orgs/acme/teams/writers/memberships/writer")).ok()
        assert (membership["role"], membership["state"]) == ("member", "active")
        for path in ("writers/memberships/reader", "writers/memberships/nobody", "nobody"):
            assert (await client.get(f"/orgs/acme/teams/{path}")).status == 404
    assert (await github.user("outsider").get("/orgs/acme/teams")).status == 404
    blind = await github.bot({"permissions": {"contents": "read"}})
    assert (await blind.get("/orgs/acme/teams")).status == 403
    assert (await github.anonymous().get("/orgs/acme/teams")).status == 401


async def test_a_team_gives_its_members_a_role_on_a_repository(github: GitHub) -> None:
    repo, owner = await github.repo(private=True), github.user("owner")
    team = (await owner.post("/orgs/acme/teams", {"name": "On Call!", "description": "x"})).ok(201)
    assert (team["slug"], team["repos_count"]) == ("on-call", 0)
    assert (await owner.post("/orgs/acme/teams", {"name": "on call"})).status == 422
    at = "/orgs/acme/teams/on-call"
    assert await permission(github, repo, "outsider") == "none"
    assert (await owner.put(f"{at}/memberships/outsider", {"role": "maintainer"})).ok()["role"] == "maintainer"
    assert await permission(github, repo, "outsider") == "none"
    for given, role in (({"permission": "maintain"}, "maintain"), ({}, "write"), ({"permission": "pull"}, "read")):
        (await owner.put(f"{at}/repos/acme/gitops", given)).ok(204)
        assert await permission(github, repo, "outsider") == role
    assert "on-call" in [row["slug"] for row in (await owner.get(f"{repo}/teams")).ok()]
    assert (await owner.get(at)).ok()["repos_count"] == 1
    (await owner.delete(f"{at}/repos/acme/gitops")).ok(204)
    assert await permission(github, repo, "outsider") == "none"
    (await owner.delete(f"{at}/memberships/outsider")).ok(204)
    assert (await owner.delete(f"{at}/memberships/outsider")).status == 404
    assert [row for row in await github.events() if row.startswith("membership")] == [
        "membership.added",
        "membership.removed",
    ]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("on-call/memberships/reader", {"role": "king"}, 422),
        ("on-call/memberships/towpath[bot]", {}, 404),
        ("nobody/memberships/reader", {}, 404),
        ("on-call/repos/acme/gitops", {"permission": "king"}, 422),
        ("on-call/repos/acme/gitops", {"permission": "none"}, 422),
        ("on-call/repos/acme/nothing", {}, 404),
        ("on-call/repos/outsider/own", {}, 404),
    ],
)
async def test_a_change_of_a_team_that_makes_no_sense_is_refused(
    github: GitHub, path: str, body: dict[str, str], status: int
) -> None:
    owner = github.user("owner")
    await github.repo()
    (await github.user("outsider").post("/user/repos", {"name": "own"})).ok(201)
    (await owner.post("/orgs/acme/teams", {"name": "on-call"})).ok(201)
    assert (await owner.put(f"/orgs/acme/teams/{path}", body)).status == status
    assert (await github.user("maintainer").put(f"/orgs/acme/teams/{path}", body)).status == 403


async def test_collaborators_are_let_in_and_shown_out(github: GitHub) -> None:
    repo, owner = await github.repo(private=True), github.user("owner")
    path = f"{repo}/collaborators/outsider"
    assert (await owner.get(path)).status == 404
    invitation = (await owner.put(path, {"permission": "triage"})).ok(201)
    assert (invitation["permissions"], invitation["invitee"]["login"]) == ("triage", "outsider")
    assert await permission(github, repo, "outsider") == "triage"
    (await owner.put(path)).ok(204)
    assert await permission(github, repo, "outsider") == "write"
    (await owner.put(path, {"permission": "push"})).ok(204)
    assert (await owner.get(path)).status == 204
    logins = {row["login"] for row in (await owner.get(f"{repo}/collaborators?permission=push")).ok()}
    assert logins == {"owner", "maintainer", "writer", "outsider"}
    (await owner.put(f"{repo}/collaborators/reader", {"permission": "admin"})).ok(204)  # a member needs no invitation
    assert await permission(github, repo, "reader") == "admin"
    for _ in range(2):
        (await owner.delete(path)).ok(204)
    assert await permission(github, repo, "outsider") == "none"
    told = [(row.action, json.loads(row.payload)) for row in github.sandbox.world.deliveries if row.event == "member"]
    assert [action for action, _ in told] == ["added", "edited", "added", "removed"]
    assert told[1][1]["changes"] == {"permission": {"from": "triage", "to": "write"}}
    for wrong, status in ((f"{repo}/collaborators/nobody", 404), (f"{repo}/collaborators/acme", 404)):
        assert (await owner.put(wrong)).status == status
    assert (await owner.put(path, {"permission": "king"})).status == 422
    assert (await github.user("writer").put(path)).status == 403

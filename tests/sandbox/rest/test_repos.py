"""Repositories: making, changing, removing, and who may what."""

from __future__ import annotations

import pytest

from tests.sandbox.driver import GitHub


async def test_a_repository_lives_and_ends(github: GitHub) -> None:
    owner = github.user("owner")
    made = (await owner.post("/orgs/acme/repos", {"name": "gitops", "description": "all"})).ok(201)
    assert (made["default_branch"], made["private"], made["permissions"]["admin"]) == ("main", False, True)
    assert (await owner.get("/repos/acme/gitops/commits")).status == 409
    assert (await owner.get("/repos/acme/gitops/git/ref/heads/main")).status == 409
    twice = await owner.post("/orgs/acme/repos", {"name": "GitOps"})
    assert twice.body["errors"][0]["message"] == "name already exists on this account"
    assert (await owner.post("/orgs/acme/repos", {"name": "../etc"})).status == 422
    changed = (await owner.patch("/repos/acme/gitops", {"name": "ops", "allow_squash_merge": False})).ok()
    assert (changed["full_name"], changed["allow_squash_merge"]) == ("acme/ops", False)
    assert (await owner.get("/repos/acme/gitops")).status == 404
    assert (await owner.get("/repos/acme/ops/branches")).ok() == []
    assert (await owner.delete("/repos/acme/ops")).status == 204
    assert (await owner.get("/repos/acme/ops")).status == 404
    assert await github.events() == ["repository.created", "repository.deleted"]


async def test_a_user_has_repositories_of_their_own(github: GitHub) -> None:
    outsider = github.user("outsider")
    made = (await outsider.post("/user/repos", {"name": "mine", "private": True, "auto_init": True})).ok(201)
    assert made["full_name"] == "outsider/mine"
    assert (await github.user("writer").get("/repos/outsider/mine")).status == 404
    assert (await (await github.bot()).get("/repos/outsider/mine")).status == 404
    assert (await outsider.get("/repos/outsider/mine/readme")).ok()["name"] == "README.md"


@pytest.mark.parametrize(
    ("login", "permission", "role"),
    [
        ("owner", "admin", "admin"),
        ("maintainer", "write", "maintain"),
        ("writer", "write", "write"),
        ("reader", "read", "read"),
        ("outsider", "none", "none"),
    ],
)
async def test_a_persons_permission_is_what_their_teams_give(
    github: GitHub, login: str, permission: str, role: str
) -> None:
    repo = await github.repo(private=True)
    bot = await github.bot()
    seen = (await bot.get(f"{repo}/collaborators/{login}/permission")).ok()
    assert (seen["permission"], seen["role_name"]) == (permission, role)
    listed = {row["login"]: row["role_name"] for row in (await bot.get(f"{repo}/collaborators")).ok()}
    assert listed.get(login, "none") == role
    assert (await bot.get(f"{repo}/collaborators/{login}")).status == (404 if role == "none" else 204)


@pytest.mark.parametrize(
    ("login", "private", "read", "push", "settings"),
    [
        ("owner", True, 200, 201, 200),
        ("maintainer", True, 200, 201, 403),
        ("writer", True, 200, 201, 403),
        ("reader", True, 200, 403, 403),
        ("outsider", True, 404, 404, 404),
        ("outsider", False, 200, 403, 403),
    ],
)
async def test_a_role_opens_what_it_should_and_no_more(
    github: GitHub, login: str, private: bool, read: int, push: int, settings: int
) -> None:
    repo, client = await github.repo(private=private), github.user(login)
    assert (await client.get(repo)).status == read
    assert (await client.post(f"{repo}/git/blobs", {"content": "x"})).status == push
    assert (await client.patch(repo, {"description": "x"})).status == settings


async def test_a_deleted_repository_takes_everything_with_it(github: GitHub) -> None:
    repo, owner, bot = await github.repo(), github.user("owner"), await github.bot()
    kept = await github.repo("kept")
    for path in (repo, kept):
        sha = await github.file(path, "a", "1", "topic")
        await github.pull(path, "topic")
        comment = (await bot.post(f"{path}/issues/1/comments", {"body": "x"})).ok(201)
        (await bot.post(f"{path}/issues/comments/{comment['id']}/reactions", {"content": "eyes"})).ok(201)
        (await bot.post(f"{path}/issues/1/reactions", {"content": "eyes"})).ok(201)
        (await bot.post(f"{path}/issues/1/labels", {"labels": ["a"]})).ok()
        (await bot.post(f"{path}/check-runs", {"name": "ci", "head_sha": sha})).ok(201)
        (await bot.post(f"{path}/statuses/{sha}", {"state": "success"})).ok(201)
        deployed = {"ref": "topic", "auto_merge": False, "required_contexts": []}
        (await bot.post(f"{path}/deployments", deployed)).ok(201)
        (await owner.put(f"{path}/collaborators/outsider")).ok(201)
    world = github.sandbox.world
    tables = (world.comments, world.reactions, world.issues, world.labels, world.check_runs, world.statuses)
    tables = (*tables, world.check_suites, world.deployments, world.collaborators)
    before = [len(table) for table in tables]
    (await owner.delete(repo)).ok(204)
    assert [2 * len(table) for table in tables] == before
    assert (await owner.get(f"{kept}/issues/1/comments")).ok()[0]["reactions"]["eyes"] == 1

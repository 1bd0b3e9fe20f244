"""Pull requests of another repository, against a GitHub that remembers; each call judged by GitHub's description."""

import asyncio

import pytest

from bot.contracts import NotMergeable
from bot.contracts.forges import NewPull
from bot.errors import UserError
from bot.github.forge import GitHubForge

SHOP = "/repos/acme/shop"
BRANCH = "promotion/test"


@pytest.fixture
def forge(port):
    return GitHubForge(port)


@pytest.fixture
async def head(hub):
    return await hub.file(SHOP, "a.yaml", "a: 1\n", branch=BRANCH)


def new(**changes):
    return NewPull(**{"source": BRANCH, "target": "main", "title": "Promote test", "body": "1.0.0", **changes})


async def test_from_branch_to_merge(hub, port, forge, head):
    asked = new(labels=["promotion"], assignees=["@Writer"], reviewers=["writer", "@Writer", "@acme/maintainers"])
    opened = await forge.open_pull(asked)
    assert (opened.number, opened.open, opened.merged, opened.draft) == (1, True, False, False)
    assert (opened.head_branch, opened.head_sha, opened.base_branch) == (BRANCH, head, "main")
    assert opened.url == f"{hub.sandbox.url}/acme/shop/pull/1"

    shown = (await hub.user("owner").get(f"{SHOP}/pulls/1")).ok()
    assert [one["name"] for one in shown["labels"]] == ["promotion"]
    assert [one["login"] for one in shown["assignees"]] == ["writer"]
    assert [one["login"] for one in shown["requested_reviewers"]] == ["writer"]
    assert [one["slug"] for one in shown["requested_teams"]] == ["maintainers"]

    port.forget()
    assert (await forge.open_pull(new(title="Again"))).title == "Again"
    landed = await forge.merge_pull(1, head, "")
    assert await forge.merge_pull(1, head, "") == landed
    port.forget()
    merged = await forge.pull(1)
    assert (merged.open, merged.merged, merged.merge_sha, merged.hindrance) == (False, True, landed, "")


async def test_a_draft_is_not_merged_and_says_so(forge, head):
    opened = await forge.open_pull(new(draft=True))

    assert (opened.draft, opened.hindrance) == (True, "it is a draft")
    with pytest.raises(NotMergeable):
        await forge.merge_pull(1, head, "")


async def test_a_conflict_is_told(hub, port, forge, head):
    await hub.file(SHOP, "a.yaml", "a: other\n")
    await forge.open_pull(new())
    async with asyncio.timeout(60):
        while not (await forge.pull(1)).hindrance:
            port.forget()
            await asyncio.sleep(0.01)

    assert (await forge.pull(1)).hindrance == "it has a conflict with its base branch"
    with pytest.raises(NotMergeable):
        await forge.merge_pull(1, head, "merge")


async def test_without_a_method_what_the_repository_allows_is_taken(hub, forge, head):
    await hub.user("owner").patch(SHOP, {"allow_merge_commit": False, "allow_squash_merge": False})
    await forge.open_pull(new())

    with pytest.raises(UserError, match=r"Merge commits are not allowed .* Choose another way"):
        await forge.merge_pull(1, head, "merge")
    landed = await forge.merge_pull(1, head, "")
    commit = (await hub.user("owner").get(f"{SHOP}/git/commits/{landed}")).ok()
    assert len(commit["parents"]) == 1  # rebased


async def test_a_way_that_github_has_not_is_refused(forge):
    with pytest.raises(UserError, match=r"'ff'.*choose merge, squash or rebase"):
        await forge.merge_pull(1, "a" * 40, "ff")


async def test_a_head_that_moved_is_not_merged(hub, forge, head):
    await forge.open_pull(new())
    await hub.file(SHOP, "a.yaml", "a: 2\n", branch=BRANCH)

    with pytest.raises(NotMergeable):
        await forge.merge_pull(1, head, "")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"source": "missing"}, "acme/shop would not propose missing for main: "),
        ({"target": "missing"}, "acme/shop would not propose promotion/test for missing: "),
        ({"reviewers": ["@other/team"]}, "@other/team is no team of acme"),
        ({"reviewers": ["ghost-of-nobody"]}, "ghost-of-nobody can't be asked to review"),
        ({"assignees": ["ghost-of-nobody"]}, "can't be assigned to ghost-of-nobody"),
    ],
)
async def test_mistakes_are_told(forge, head, changes, said):
    with pytest.raises(UserError, match=said):
        await forge.open_pull(new(**changes))


async def test_a_number_nobody_has_is_named(forge):
    with pytest.raises(UserError, match="acme/shop has no pull request #7"):
        await forge.pull(7)
    with pytest.raises(UserError, match="acme/shop would not merge #7"):
        await forge.merge_pull(7, "a" * 40, "")


async def test_a_branch_of_a_fork_is_none_of_the_repositorys(hub, forge):
    writer = hub.user("writer")
    (await writer.post(f"{SHOP}/forks", {})).ok(202)
    await hub.sandbox.settle()
    main = (await writer.get("/repos/writer/shop/git/ref/heads/main")).ok()["object"]["sha"]
    (await writer.post("/repos/writer/shop/git/refs", {"ref": f"refs/heads/{BRANCH}", "sha": main})).ok(201)
    content = {"message": "x", "content": "YQ==", "branch": BRANCH}
    (await writer.put("/repos/writer/shop/contents/b.yaml", content)).ok(201)
    (await writer.post(f"{SHOP}/pulls", {"title": "x", "head": f"writer:{BRANCH}", "base": "main"})).ok(201)

    assert (await forge.pull(1)).head_branch == f"writer:{BRANCH}"


async def test_where_the_app_may_not_it_is_told(hub, forge, head):
    await forge.open_pull(new())
    (await hub.user("owner").delete(SHOP)).ok(204)

    with pytest.raises(UserError, match="the App must be installed on it"):
        await forge.open_pull(new(title="later"))

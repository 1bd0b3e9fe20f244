"""Labels of a repository, and on its issues and pull requests."""

from __future__ import annotations

import pytest

from tests.sandbox.driver import GitHub


async def proposed(github: GitHub) -> tuple[str, str]:
    """A repository with one pull request; its path and the path of that as an issue."""
    repo = await github.repo()
    await github.file(repo, "a", "1", "topic")
    await github.pull(repo, "topic")
    return repo, f"{repo}/issues/1"


async def test_a_label_is_made_changed_and_removed(github: GitHub) -> None:
    repo, bot = await github.repo(), await github.bot()
    made = (await bot.post(f"{repo}/labels", {"name": "stage/test", "color": "00FF00", "description": "x"})).ok(201)
    assert (made["color"], made["default"]) == ("00ff00", False)
    for name in ("STAGE%2FTEST", "stage/test"):  # a slash may come as it is: PyGithub sends it so
        assert (await bot.get(f"{repo}/labels/{name}")).ok() == made
    changed = {"new_name": "stage/uat", "color": "112233", "description": "y"}
    edited = (await bot.patch(f"{repo}/labels/stage%2Ftest", changed)).ok()
    assert (edited["id"], edited["name"]) == (made["id"], "stage/uat")
    (await bot.patch(f"{repo}/labels/stage%2Fuat", {"color": "112233"})).ok()
    assert (await bot.get(f"{repo}/labels")).ok() == [edited]
    (await bot.delete(f"{repo}/labels/stage%2Fuat")).ok(204)
    assert (await bot.get(f"{repo}/labels/stage%2Fuat")).status == 404
    assert (await github.events())[-3:] == ["label.created", "label.edited", "label.deleted"]
    payloads = [row.payload for row in github.sandbox.world.deliveries if row.action == "edited"]
    assert (
        '"changes":{"name":{"from":"stage/test"},"color":{"from":"00ff00"},"description":{"from":"x"}}' in payloads[0]
    )


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"name": "x" * 51}, "name", "custom"),
        ({"name": " "}, "name", "missing_field"),
        ({"name": "X", "description": "x" * 101}, "description", "custom"),
        ({"name": "X", "color": "#ff0000"}, "color", "invalid"),
        ({"name": "X", "color": "red"}, "color", "invalid"),
        ({"name": "BUG"}, "name", "already_exists"),
    ],
)
async def test_a_label_must_keep_to_githubs_limits(github: GitHub, body: dict[str, str], field: str, code: str) -> None:
    repo, owner = await github.repo(), github.user("owner")
    (await owner.post(f"{repo}/labels", {"name": "bug", "description": "x" * 100})).ok(201)
    (await owner.post(f"{repo}/labels", {"name": "x" * 50})).ok(201)
    refused = await owner.post(f"{repo}/labels", body)
    assert refused.status == 422
    assert [(row["field"], row["code"]) for row in refused.body["errors"]] == [(field, code)]


async def test_an_unknown_label_is_made_grey_by_using_it(github: GitHub) -> None:
    repo, issue = await proposed(github)
    bot = await github.bot()
    added = (await bot.post(f"{issue}/labels", {"labels": ["promotion", "PROMOTION"]})).ok()
    assert [(row["name"], row["color"]) for row in added] == [("promotion", "ededed")]
    (await bot.post(f"{issue}/labels", {"labels": ["promotion", "held"]})).ok()
    assert [row["name"] for row in (await bot.get(f"{repo}/pulls/1")).ok()["labels"]] == ["promotion", "held"]
    assert [row["name"] for row in (await bot.get(f"{issue}/labels")).ok()] == ["promotion", "held"]
    assert [row["name"] for row in (await bot.get(f"{repo}/labels")).ok()] == ["promotion", "held"]
    assert (await bot.post(f"{issue}/labels", {"labels": ["x" * 51]})).status == 422
    assert (await bot.post(f"{issue}/labels", {"labels": [7]})).status == 422
    assert [row for row in await github.events() if "label" in row] == [
        "label.created",
        "pull_request.labeled",
        "label.created",
        "pull_request.labeled",
    ]


async def test_each_label_that_comes_or_goes_is_told(github: GitHub) -> None:
    _, issue = await proposed(github)
    owner = github.user("owner")
    before = len(await github.events())
    assert [row["name"] for row in (await owner.post(f"{issue}/labels", ["a", "b"])).ok()] == ["a", "b"]
    assert [row["name"] for row in (await owner.put(f"{issue}/labels", {"labels": ["b", "c"]})).ok()] == ["b", "c"]
    assert [row["name"] for row in (await owner.delete(f"{issue}/labels/B")).ok()] == ["c"]
    gone = await owner.delete(f"{issue}/labels/b")
    assert (gone.status, gone.body["message"]) == (404, "Label does not exist")
    (await owner.delete(f"{issue}/labels")).ok(204)
    assert (await owner.get(f"{issue}/labels")).ok() == []
    told = [row for row in (await github.events())[before:] if row.startswith("pull_request.")]
    assert told == [f"pull_request.{word}labeled" for word in ("", "", "un", "", "un", "un")]


async def test_a_deleted_label_is_on_nothing_any_more(github: GitHub) -> None:
    repo, issue = await proposed(github)
    owner = github.user("owner")
    (await owner.post(f"{issue}/labels", {"labels": ["a", "b"]})).ok()
    (await owner.delete(f"{repo}/labels/a")).ok(204)
    for path in (issue, f"{repo}/pulls/1"):
        assert [row["name"] for row in (await owner.get(path)).ok()["labels"]] == ["b"]


async def test_a_reader_may_not_label(github: GitHub) -> None:
    repo, issue = await proposed(github)
    reader = github.user("reader")
    assert (await reader.post(f"{issue}/labels", {"labels": ["a"]})).status == 403
    assert (await reader.post(f"{repo}/labels", {"name": "a"})).status == 403
    blind = await github.bot({"permissions": {"contents": "write"}})
    assert (await blind.post(f"{issue}/labels", {"labels": ["a"]})).status == 403

"""Comments and reactions."""

from __future__ import annotations

import json
from datetime import timedelta

from tests.sandbox.driver import GitHub


async def proposed(github: GitHub) -> tuple[str, str]:
    """A repository with one pull request; its path and the path of that as an issue."""
    repo = await github.repo()
    await github.file(repo, "a", "1", "topic")
    await github.pull(repo, "topic")
    return repo, f"{repo}/issues/1"


async def test_a_comment_is_written_edited_and_deleted_and_the_app_hears_of_it(github: GitHub) -> None:
    repo, issue = await proposed(github)
    bot = await github.bot()
    made = await bot.post(f"{issue}/comments", {"body": "hello"})
    comment = made.ok(201)
    path = f"{repo}/issues/comments/{comment['id']}"
    assert made.headers["Location"] == comment["url"]
    assert comment["user"]["login"] == "towpath[bot]"
    assert (comment["performed_via_github_app"]["slug"], comment["author_association"]) == ("towpath", "NONE")
    assert (await bot.patch(path, {"body": "hello again"})).ok()["body"] == "hello again"
    (await bot.patch(path, {"body": "hello again"})).ok()
    assert (await bot.get(path)).ok()["body"] == "hello again"
    assert (await bot.get(f"{repo}/pulls/1")).ok()["comments"] == 1
    (await bot.delete(path)).ok(204)
    assert (await bot.get(path)).status == 404
    assert (await github.events())[-3:] == [f"issue_comment.{word}" for word in ("created", "edited", "deleted")]
    edited = next(
        row for row in github.sandbox.world.deliveries if (row.event, row.action) == ("issue_comment", "edited")
    )
    payload = json.loads(edited.payload)
    assert payload["changes"] == {"body": {"from": "hello"}}
    assert payload["issue"]["pull_request"]["url"].endswith("/pulls/1")


async def test_a_persons_comment_says_who_they_are_and_no_app(github: GitHub) -> None:
    _, issue = await proposed(github)
    for login, association in (("reader", "MEMBER"), ("outsider", "NONE")):
        comment = (await github.user(login).post(f"{issue}/comments", {"body": "/status"})).ok(201)
        assert (comment["author_association"], comment["performed_via_github_app"]) == (association, None)
    assert (await github.anonymous().post(f"{issue}/comments", {"body": "x"})).status == 401


async def test_a_comment_has_a_body_of_at_most_65536_characters(github: GitHub) -> None:
    _, issue = await proposed(github)
    owner = github.user("owner")
    (await owner.post(f"{issue}/comments", {"body": "é" * 65_536})).ok(201)
    for body in ("x" * 65_537, "  ", None):
        assert (await owner.post(f"{issue}/comments", {"body": body})).status == 422


async def test_only_the_author_or_who_may_write_changes_a_comment(github: GitHub) -> None:
    repo, issue = await proposed(github)
    comment = (await github.user("reader").post(f"{issue}/comments", {"body": "mine"})).ok(201)
    path = f"{repo}/issues/comments/{comment['id']}"
    assert (await github.user("outsider").patch(path, {"body": "yours"})).status == 403
    assert (await github.user("outsider").delete(path)).status == 403
    (await github.user("reader").patch(path, {"body": "still mine"})).ok()
    (await github.user("writer").delete(path)).ok(204)


async def test_comments_are_listed_by_issue_and_by_repository(github: GitHub) -> None:
    repo, issue = await proposed(github)
    other = await github.repo("other")
    owner = github.user("owner")
    ids = [(await owner.post(f"{issue}/comments", {"body": str(number)})).ok(201)["id"] for number in range(3)]
    world = github.sandbox.world
    async with world.change():
        for age, number in enumerate(ids):
            row = world.comments[number]
            moved = row.updated_at - timedelta(hours=age)
            world.comments.put(type(row)(row.id, row.repo_id, row.issue_id, row.author_id, row.body, moved, moved))
    newest = world.comments[ids[0]].updated_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    one, two, three = ids
    for query, expected in (
        ("", [one, two, three]),
        (f"?since={newest}", [one]),
        ("?direction=desc", [one, two, three]),
        ("?sort=created&direction=desc", [three, two, one]),
        ("?sort=updated&direction=asc", [three, two, one]),
        ("?sort=updated&direction=desc", [one, two, three]),
    ):
        assert [row["id"] for row in (await owner.get(f"{repo}/issues/comments{query}")).ok()] == expected, query
    assert [row["id"] for row in (await owner.get(f"{issue}/comments?since={newest}")).ok()] == [one]
    second = await owner.get(f"{issue}/comments?per_page=2&page=2")
    assert [row["id"] for row in second.ok()] == [three]
    assert 'rel="prev"' in second.headers["Link"]
    assert (await owner.get(f"{issue}/comments?since=yesterday")).status == 422
    assert (await owner.get(f"{other}/issues/comments")).ok() == []
    assert (await owner.get(f"{other}/issues/comments/{one}")).status == 404


async def test_a_reaction_is_given_once_counted_and_taken_back(github: GitHub) -> None:
    repo, issue = await proposed(github)
    bot, reader = await github.bot(), github.user("reader")
    comment = (await reader.post(f"{issue}/comments", {"body": "/promote uat"})).ok(201)
    for path in (issue, f"{repo}/issues/comments/{comment['id']}"):
        given = (await bot.post(f"{path}/reactions", {"content": "eyes"})).ok(201)
        assert (await bot.post(f"{path}/reactions", {"content": "eyes"})).ok(200) == given
        (await reader.post(f"{path}/reactions", {"content": "eyes"})).ok(201)
        (await bot.post(f"{path}/reactions", {"content": "rocket"})).ok(201)
        assert (await bot.post(f"{path}/reactions", {"content": "shrug"})).status == 422
        if path != issue:
            counts = (await bot.get(path)).ok()["reactions"]
            assert (counts["total_count"], counts["eyes"], counts["rocket"], counts["+1"]) == (3, 2, 1, 0)
        eyes = (await bot.get(f"{path}/reactions?content=eyes")).ok()
        assert [row["user"]["login"] for row in eyes] == ["towpath[bot]", "reader"]
        assert (await reader.delete(f"{path}/reactions/{given['id']}")).status == 403
        (await bot.delete(f"{path}/reactions/{given['id']}")).ok(204)
        assert (await bot.delete(f"{path}/reactions/{given['id']}")).status == 404
        assert len((await bot.get(f"{path}/reactions")).ok()) == 2

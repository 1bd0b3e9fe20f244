"""One look: everything is asked once, and what we write ourselves is known without asking."""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.contracts import NotMergeable
from bot.core.facts import CheckRun, CheckStatus, Comment, Permission, PullRequest
from bot.errors import Broken
from bot.github.remembering import Remembering

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def a_pull(number, **changes):
    base = PullRequest(
        number=number,
        title="t",
        body="b",
        author="towpath[bot]",
        head_repository="acme/shop",
        head_branch="promotion/test",
        head_sha="a" * 40,
        base_branch="main",
        base_sha="b" * 40,
        labels=frozenset({"promotion"}),
        open=True,
        merged=False,
        merge_sha=None,
        draft=False,
        url="",
        created_at=NOW,
    )
    return replace(base, **changes)


class World:
    """A repository that works, and counts what it is asked."""

    repository = "acme/shop"
    bot_login = "towpath[bot]"

    def __init__(self):
        self.pulls = {1: a_pull(1, open=False), 2: a_pull(2, head_branch="promotion/uat")}
        self.runs = []
        self.said = []
        self.reactions = frozenset()
        self.asked = []
        self.mergeable = True
        self.broken = False

    def _ask(self, *what):
        self.asked.append(what)
        if self.broken:
            raise Broken("no")

    async def recent_pulls(self):
        self._ask("recent_pulls")
        return tuple(self.pulls[number] for number in sorted(self.pulls, reverse=True))

    async def pulls_from(self, branch, limit=10):
        self._ask("pulls_from", branch)
        return tuple(one for one in await self.recent_pulls() if one.head_branch == branch)[:limit]

    async def pull(self, number):
        self._ask("pull", number)
        return replace(self.pulls[number], mergeable=self.mergeable)

    async def create_pull(self, head, base, title, body, *, draft=False):
        self._ask("create_pull", head)
        return await self.update_pull(max(self.pulls) + 1, title=title, body=body, head_branch=head)

    async def update_pull(self, number, *, title=None, body=None, open=None, head_branch=None):
        self._ask("update_pull", number)
        given = {"title": title, "body": body, "open": open, "head_branch": head_branch}
        before = self.pulls.get(number, a_pull(number))
        self.pulls[number] = replace(before, **{name: value for name, value in given.items() if value is not None})
        return replace(self.pulls[number], mergeable=self.mergeable)

    async def merge_pull(self, number, head_sha, method):
        self._ask("merge_pull", number)
        if not self.mergeable:
            raise NotMergeable("no")
        self.pulls[number] = replace(self.pulls[number], open=False, merged=True)
        return "c" * 40

    async def add_labels(self, number, labels):
        self._ask("add_labels", number)
        self.pulls[number] = replace(self.pulls[number], labels=self.pulls[number].labels | set(labels))

    async def remove_label(self, number, label):
        self._ask("remove_label", number)
        self.pulls[number] = replace(self.pulls[number], labels=self.pulls[number].labels - {label})

    async def check_runs(self, sha):
        self._ask("check_runs", sha)
        return tuple(one for one in self.runs if one.head_sha == sha)

    async def put_check_run(self, check):
        self._ask("put_check_run", check.name)
        self.runs = [one for one in self.runs if one.name != check.name]
        self.runs.append(replace(check, id=check.id or 9))
        return self.runs[-1]

    async def comments(self, number, since=None):
        self._ask("comments", number)
        return tuple(self.said)

    async def recent_comments(self, since):
        self._ask("recent_comments")
        return tuple(self.said)

    async def comment(self, comment_id):
        self._ask("comment", comment_id)

    async def create_comment(self, number, body):
        self._ask("create_comment", number)
        self.said.append(Comment(len(self.said) + 1, number, self.bot_login, body, "", NOW))
        return self.said[-1]

    async def update_comment(self, comment_id, body):
        self._ask("update_comment", comment_id)
        self.said[comment_id - 1] = replace(self.said[comment_id - 1], body=body)

    async def react(self, comment_id, content):
        self._ask("react", comment_id)
        self.reactions |= {content}

    async def own_reactions(self, comment_id):
        self._ask("own_reactions", comment_id)
        return self.reactions

    async def permission(self, login):
        self._ask("permission", login)
        return Permission.WRITE

    async def is_team_member(self, organisation, team, login):
        self._ask("is_team_member", login)
        return True


@pytest.fixture
def world():
    return World()


@pytest.fixture
def view(world):
    return Remembering(world)


async def everything(port):
    """All that can be remembered."""
    return {
        "recent": await port.recent_pulls(),
        "test": await port.pulls_from("promotion/test"),
        "uat": await port.pulls_from("promotion/uat"),
        "first": await port.pulls_from("promotion/test", 1),
        "one": await port.pull(1),
        "two": await port.pull(2),
        "runs": await port.check_runs("a" * 40),
        "said": await port.comments(1),
        "recently": await port.recent_comments(NOW),
        "reactions": await port.own_reactions(1),
    }


CHECK = CheckRun("promotion/test", "a" * 40, CheckStatus.QUEUED, None)
WRITES = {
    "create": lambda port: port.create_pull("promotion/test", "main", "new", "new"),
    "update": lambda port: port.update_pull(2, title="new"),
    "close": lambda port: port.update_pull(2, open=False),
    "reopen": lambda port: port.update_pull(1, open=True),
    "merge": lambda port: port.merge_pull(2, "a" * 40, "merge"),
    "label": lambda port: port.add_labels(2, ["stage/uat"]),
    "unlabel": lambda port: port.remove_label(2, "promotion"),
    "check": lambda port: port.put_check_run(CHECK),
    "update check": lambda port: port.put_check_run(replace(CHECK, id=9, status=CheckStatus.IN_PROGRESS)),
    "comment": lambda port: port.create_comment(1, "x"),
    "react": lambda port: port.react(1, "eyes"),
}


async def test_everything_is_asked_once_in_a_look_and_again_in_the_next(world, view):
    first = await everything(view)
    asked = len(world.asked)
    assert await everything(view) == first
    assert len(world.asked) == asked
    view.forget()
    assert await everything(view) == first
    assert len(world.asked) == 2 * asked


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_after_a_write_the_memory_is_what_asking_would_say(world, view, write):
    world.runs.append(replace(CHECK, name="verification/test", id=3))
    await everything(view)
    await write(view)
    remembered = await everything(view)
    assert remembered == await everything(world)


async def test_a_promotion_asks_for_nothing_twice(world, view):
    await view.recent_pulls()
    await view.pulls_from("promotion/test")
    await view.check_runs("a" * 40)
    world.asked.clear()
    opened = await view.create_pull("promotion/test", "main", "t", "b")
    await view.add_labels(opened.number, ["promotion"])
    await view.put_check_run(CHECK)
    for _ in range(2):
        assert opened.number in {one.number for one in await view.recent_pulls()}
        assert (await view.pulls_from("promotion/test"))[0].labels == {"promotion"}
        assert [one.id for one in await view.check_runs("a" * 40)] == [9]
    assert [what[0] for what in world.asked] == ["create_pull", "update_pull", "add_labels", "put_check_run"]


async def test_when_pull_requests_were_listed_is_known_until_they_are_listed_anew(view):
    assert view.listed == 0.0
    await view.recent_pulls()
    first = view.listed
    assert 0.0 < first <= time.monotonic()
    await view.add_labels(1, ["promotion"])
    await view.recent_pulls()
    assert view.listed == first
    for write in (lambda: view.merge_pull(2, "a" * 40, "merge"), lambda: asyncio.sleep(0, view.forget())):
        before = view.listed
        await write()
        assert view.listed == before
        await view.recent_pulls()
        assert view.listed > before


async def test_mergeable_is_asked_for_until_github_knows(world, view):
    world.mergeable = None
    assert [(await view.pull(2)).mergeable for _ in range(2)] == [None, None]
    world.mergeable = False
    assert [(await view.pull(2)).mergeable for _ in range(2)] == [False, False]
    assert world.asked.count(("pull", 2)) == 3
    world.mergeable = None
    await view.update_pull(2, title="new")
    world.mergeable = True
    assert (await view.pull(2)).mergeable is True


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_after_a_failed_write_nothing_about_it_is_believed(world, view, write):
    await everything(view)
    world.broken = True
    with pytest.raises(Broken):
        await write(view)
    world.broken = False
    world.asked.clear()
    assert await everything(view) == await everything(world)
    assert world.asked


async def test_a_refused_merge_makes_us_look_again(world, view):
    assert (await view.pull(2)).mergeable
    world.mergeable = False
    with pytest.raises(NotMergeable):
        await view.merge_pull(2, "a" * 40, "merge")
    assert (await view.pull(2)).mergeable is False


async def test_what_somebody_may_do_is_never_remembered(world, view):
    for _ in range(2):
        await view.permission("maintainer")
        await view.is_team_member("acme", "sre", "maintainer")
        await view.comment(1)
    assert len(world.asked) == 6
    assert (view.repository, view.bot_login) == ("acme/shop", "towpath[bot]")

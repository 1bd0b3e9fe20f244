"""What a look has asked it need not ask again: own pushes are known, others' are found by the next look."""

import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.contracts.git import BranchMoved
from bot.core.model import CommitSha
from bot.errors import Retry, UserError
from bot.git.client import MirroredGit
from tests.git.conftest import BOT, NOW, GitServer, Remote, nobody


@dataclass
class MovingClock:
    time: datetime = NOW

    def now(self) -> datetime:
        return self.time


@dataclass
class Api:
    """Another way than Git to learn where refs are: of `remote`, unless it says something else or nothing."""

    remote: Remote
    asked: list[str] = field(default_factory=list)
    silent: bool = False

    async def peek(self, url: str, what: str) -> Mapping[str, str] | None:
        self.asked.append(what)
        if self.silent:
            return None
        refs = dict(line.split()[::-1] for line in self.remote.git("show-ref", cwd=self.remote.path).splitlines())
        return {name: sha for name, sha in refs.items() if f"{name}/".startswith(f"refs/{what}/")}


@pytest.fixture
def api(remote: Remote) -> Api:
    return Api(remote)


@pytest.fixture
def clock() -> MovingClock:
    return MovingClock()


@pytest.fixture
async def git(tmp_path: Path, api: Api, clock: MovingClock) -> AsyncIterator[MirroredGit]:
    made = MirroredGit(tmp_path / "data", nobody, BOT, clock, allow_file=True, peek=api.peek)
    yield made
    await made.close()


@pytest.fixture
def look(git: MirroredGit) -> MirroredGit:
    return git.for_one_look()


def was_asked(server: GitServer) -> bool:
    """Whether Git asked the server for anything since the last time."""
    asked = bool(server.asked)
    server.asked.clear()
    return asked


async def promoted(git: MirroredGit, url: str, work: Path, branch: str = "promotion/test") -> CommitSha:
    """A commit of ours, pushed to a branch that is not there."""
    await git.checkout(url, work)
    (work / "a.yaml").write_text(f"{branch}\n")
    sha = await git.commit(work, "promote", author=BOT)
    assert sha is not None
    await git.push(work, branch, force=True)
    return sha


# --- one look -----------------------------------------------------------------------------------------


async def test_a_look_asks_once_and_the_next_look_again(git: MirroredGit, server: GitServer, remote: Remote) -> None:
    look = git.for_one_look()
    first = (await look.seen(server.url)).heads["main"]
    was_asked(server)

    newer = remote.write({"a": "1"})
    assert (await look.seen(server.url)).heads["main"] == first
    assert (await look.seen(server.url.removesuffix(".git"))).heads["main"] == first  # the same repository
    assert (await look.configured(contents=False).seen(server.url)).heads["main"] == first
    assert not was_asked(server)

    assert (await git.for_one_look().seen(server.url)).heads["main"] == newer
    assert was_asked(server)


async def test_who_belongs_to_no_look_asks_each_time(git: MirroredGit, server: GitServer) -> None:
    for _ in range(2):
        await git.seen(server.url)
        assert was_asked(server)


async def test_what_was_asked_too_early_is_asked_again(look: MirroredGit, server: GitServer, remote: Remote) -> None:
    await look.seen(server.url)
    told = time.monotonic()
    newer = remote.write({"a": "1"})
    assert (await look.seen(server.url, since=told)).heads["main"] == newer
    was_asked(server)
    await look.seen(server.url, since=told)
    await look.watched(server.url, tags=True, since=told)
    assert not was_asked(server)


async def test_a_question_put_in_any_case_counts(look: MirroredGit, server: GitServer, remote: Remote) -> None:
    await look.seen(server.url)
    newer = remote.write({"a": "1"})
    await look.refs(server.url)
    assert (await look.seen(server.url)).heads["main"] == newer


async def test_what_one_asks_unverified_says_nothing_to_others(look: MirroredGit, remote: Remote) -> None:
    await look.configured(verify_tls=False).seen(remote.url)
    newer = remote.write({"a": "1"})
    assert (await look.seen(remote.url)).heads["main"] == newer


# --- our own pushes -----------------------------------------------------------------------------------


async def test_our_own_push_is_known_unasked(
    git: MirroredGit, look: MirroredGit, server: GitServer, remote: Remote, tmp_path: Path
) -> None:
    await look.seen(server.url)
    sha = await promoted(look, server.url, tmp_path / "work")
    was_asked(server)

    assert (await look.seen(server.url)).heads["promotion/test"] == sha == remote.at("promotion/test")
    assert await look.read(server.url, "promotion/test", "a.yaml") == b"promotion/test\n"
    assert not was_asked(server)
    (mirror,) = (tmp_path / "data/mirrors").glob("*.git")
    assert remote.git("rev-parse", "refs/heads/promotion/test", cwd=mirror) == sha  # so that it is not tidied away

    server.asked.clear()
    assert (await git.refs(server.url)).heads["promotion/test"] == sha
    assert len([one for one in server.asked if one.startswith("POST")]) == 1  # the listing: there was no need to fetch


async def test_a_restarted_process_knows_it_too(
    look: MirroredGit, server: GitServer, tmp_path: Path, clock: MovingClock
) -> None:
    sha = await promoted(look, server.url, tmp_path / "work")
    later = MirroredGit(tmp_path / "data", nobody, BOT, clock)
    was_asked(server)
    assert (await later.log(server.url, "promotion/test", limit=1))[0].sha == sha
    assert not was_asked(server)
    await later.close()


async def test_a_fast_forward_on_top_of_a_persons_commit_is_known_with_that(
    look: MirroredGit, server: GitServer, remote: Remote, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    await look.seen(server.url)
    await look.checkout(server.url, work)
    theirs = remote.write({"theirs": "1"})
    (work / "ours").write_text("1")
    await look.commit(work, "ours", author=BOT)
    result = await look.push(work, "main")
    assert (await look.seen(server.url)).heads["main"] == result.commit == remote.at("main")
    assert [one.sha for one in await look.log(server.url, "main", limit=2)] == [result.commit, theirs]


async def test_after_a_push_that_was_refused_the_remote_is_asked(
    look: MirroredGit, server: GitServer, remote: Remote, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    await look.seen(server.url)
    await look.checkout(server.url, work)
    (work / "ours").write_text("1")
    await look.commit(work, "ours", author=BOT)
    theirs = remote.write({"theirs": "1"}, branch="promotion/test")
    with pytest.raises(BranchMoved):
        await look.push(work, "promotion/test", force=True)
    assert (await look.seen(server.url)).heads["promotion/test"] == theirs


async def test_after_a_push_without_an_answer_the_remote_is_asked(
    look: MirroredGit, server: GitServer, tmp_path: Path
) -> None:
    work = tmp_path / "work"
    await look.seen(server.url)
    await look.checkout(server.url, work)
    server.status = 502
    with pytest.raises(Retry):
        await look.push(work, "promotion/test", force=True)
    server.status = 0
    was_asked(server)
    await look.seen(server.url)
    assert was_asked(server)


async def test_after_a_tag_of_ours_the_remote_is_asked(look: MirroredGit, server: GitServer, tmp_path: Path) -> None:
    work = tmp_path / "work"
    await look.checkout(server.url, work)
    sha = await look.tag(work, "v1.0.0", "first", tagger=BOT)
    await look.seen(server.url)
    await look.push_tag(work, "v1.0.0")
    assert (await look.seen(server.url)).tags == {"v1.0.0": sha}


async def test_a_new_branch_is_known_unasked(look: MirroredGit, server: GitServer, tmp_path: Path) -> None:
    await look.seen(server.url)
    was_asked(server)
    begun = await look.checkout(server.url, tmp_path / "work", branch="env/test", create=True)
    assert was_asked(server)  # whether somebody made it meanwhile
    assert (await look.seen(server.url)).heads["env/test"] == begun
    assert not was_asked(server)


async def test_a_branch_in_the_place_of_one_that_is_gone_is_asked_for(
    look: MirroredGit, server: GitServer, remote: Remote, tmp_path: Path
) -> None:
    remote.write({"a": "1"}, branch="promotion")
    await look.seen(server.url)
    remote.git("push", "-q", "origin", ":promotion")
    sha = await promoted(look, server.url, tmp_path / "work")
    heads = (await look.seen(server.url)).heads
    assert heads["promotion/test"] == sha
    assert "promotion" not in heads


async def test_the_first_branch_of_an_empty_repository_is_asked_for(look: MirroredGit, tmp_path: Path) -> None:
    empty = Remote(tmp_path / "empty.git", tmp_path / "nowhere")
    empty.git("init", "-q", "--bare", "-b", "trunk", str(empty.path), cwd=tmp_path)
    assert not (await look.seen(empty.url)).heads
    begun = await look.checkout(empty.url, tmp_path / "work", branch="trunk", create=True)
    refs = await look.seen(empty.url)
    assert (refs.default_branch, refs.heads) == ("trunk", {"trunk": begun})


async def test_where_somebody_asked_during_our_push_it_is_not_taken_for_granted(
    git: MirroredGit, server: GitServer, remote: Remote
) -> None:
    """Whether they pushed after us or before is not known, so what the remote said to whoever asked stays."""
    before = (await git.refs(server.url)).heads["main"]
    mirror = git._mirrors.of(server.url)
    asked = mirror.asked
    theirs = remote.write({"theirs": "1"})
    await git.refs(server.url)
    assert not await git._mirrors.note(mirror, "main", before, asked)
    assert mirror.refs().heads["main"] == theirs
    assert await git._mirrors.note(mirror, "main", before, mirror.asked)


# --- those who watch one branch, or the tags ------------------------------------------------------------


async def test_git_is_asked_only_where_the_branch_has_moved(
    git: MirroredGit, server: GitServer, remote: Remote, api: Api
) -> None:
    first = (await git.watched(server.url, branch="main")).heads["main"]
    assert (was_asked(server), api.asked) == (True, [])  # there was no mirror

    remote.write({"a": "1"}, branch="other")
    assert (await git.watched(server.url, branch="main")).heads["main"] == first
    assert (await git.watched(server.url)).heads["main"] == first
    assert (was_asked(server), api.asked) == (False, ["heads/main", "heads/main"])

    newer = remote.write({"b": "1"})
    assert (await git.watched(server.url, branch="main")).heads["main"] == newer
    assert was_asked(server)
    remote.git("push", "-q", "origin", ":other")
    assert "other" not in (await git.watched(server.url, branch="other")).heads
    assert was_asked(server)


async def test_git_is_asked_only_where_a_tag_has_moved_come_or_gone(
    git: MirroredGit, server: GitServer, remote: Remote, api: Api
) -> None:
    remote.git("tag", "-a", "v1.0.0", "-m", "annotated")
    remote.git("tag", "light")
    remote.git("push", "-q", "origin", "--tags")
    await git.refs(server.url)
    was_asked(server)
    assert (await git.watched(server.url, tags=True)).tags.keys() == {"v1.0.0", "light"}
    assert (was_asked(server), api.asked) == (False, ["tags"])

    sha = remote.write({"a": "1"})
    for change in (("tag", "v1.1.0"), ("tag", "-f", "light"), ("tag", "-f", "-a", "v1.0.0", "-m", "anew")):
        remote.git(*change)
        remote.git("push", "-q", "--force", "origin", "--tags")
        assert (await git.watched(server.url, tags=True)).tags[change[-1] if len(change) < 5 else "v1.0.0"] == sha
        assert was_asked(server)
    remote.git("push", "-q", "origin", ":light")
    assert "light" not in (await git.watched(server.url, tags=True)).tags
    assert was_asked(server)
    await git.watched(server.url, tags=True)
    assert not was_asked(server)


async def test_many_tags_are_asked_of_git(git: MirroredGit, server: GitServer, remote: Remote, api: Api) -> None:
    for number in range(31):
        (remote.path / "refs/tags" / f"v{number}").write_text(f"{remote.at('main')}\n")
    await git.refs(server.url)
    was_asked(server)
    assert len((await git.watched(server.url, tags=True)).tags) == 31
    assert (was_asked(server), api.asked) == (True, [])


async def test_which_branch_is_the_default_is_asked_once_an_hour(
    git: MirroredGit, server: GitServer, remote: Remote, api: Api, clock: MovingClock
) -> None:
    await git.refs(server.url)
    remote.git("branch", "trunk", "main", cwd=remote.path)
    remote.git("symbolic-ref", "HEAD", "refs/heads/trunk", cwd=remote.path)
    clock.time += timedelta(minutes=59)
    assert (await git.watched(server.url)).default_branch == "main"
    clock.time += timedelta(minutes=2)
    assert (await git.watched(server.url)).default_branch == "trunk"
    assert api.asked == ["heads/main"]


async def test_an_hour_is_counted_from_when_it_was_asked_last(
    git: MirroredGit, server: GitServer, remote: Remote, clock: MovingClock
) -> None:
    """Where there are many refs, a listing of branches and tags alone does not tell it."""
    commit = remote.at("main")
    lines = "".join(f"{commit} refs/pull/{number}/head\n" for number in range(2001))
    (remote.path / "packed-refs").write_text(f"# pack-refs with: peeled fully-peeled sorted \n{lines}")
    await git.refs(server.url)
    await git.refs(server.url)  # learns how many there are
    remote.git("branch", "trunk", "main", cwd=remote.path)
    remote.git("symbolic-ref", "HEAD", "refs/heads/trunk", cwd=remote.path)
    for _ in range(3):
        clock.time += timedelta(minutes=25)
        remote.write({"a": str(clock.time)})
        refs = await git.refs(server.url)
    assert refs.default_branch == "trunk"


@pytest.mark.parametrize("verify_tls", [True, False])
async def test_where_the_api_says_nothing_or_may_not_be_asked_git_is(
    git: MirroredGit, server: GitServer, api: Api, verify_tls: bool
) -> None:
    asking = git.configured(verify_tls=verify_tls, contents=False)
    await asking.refs(server.url)
    was_asked(server)
    api.silent = verify_tls
    await asking.watched(server.url, branch="main")
    assert was_asked(server)
    assert bool(api.asked) == verify_tls  # without certificates no credentials are shown


async def test_what_a_look_has_seen_is_asked_of_nobody(look: MirroredGit, server: GitServer, api: Api) -> None:
    await look.seen(server.url)
    was_asked(server)
    await look.configured(contents=False).watched(server.url, branch="main")
    await look.configured(contents=False).watched(server.url, tags=True)
    assert (was_asked(server), api.asked) == (False, [])


async def test_a_server_that_is_gone_is_told_by_git(git: MirroredGit, server: GitServer, api: Api) -> None:
    await git.refs(server.url)
    api.silent, server.status = True, 404
    with pytest.raises(UserError, match="there is no such repository"):
        await git.watched(server.url, branch="main")

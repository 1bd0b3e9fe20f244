"""Mirrors: what is remote is told truly, cheaply, and again after damage."""

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.contracts.git import Credential
from bot.errors import Retry, UserError
from bot.git.client import MirroredGit
from bot.git.remotes import mirror_name
from tests.git.conftest import BOT


def mirror_of(tmp_path: Path) -> Path:
    (path,) = (tmp_path / "data" / "mirrors").glob("*.git")
    return path


async def test_refs_tell_heads_peeled_tags_and_the_default_branch(git, remote):
    remote.git("tag", "light")
    remote.git("tag", "-a", "-m", "words", "heavy")
    remote.git("tag", "-a", "-m", "tag of a tag", "heavier", "heavy")
    remote.git("push", "-q", "origin", "light", "heavy", "heavier", "main:refs/heads/env/test")

    refs = await git.refs(remote.url)

    head = remote.at("main")
    assert refs.default_branch == "main"
    assert refs.heads == {"main": head, "env/test": head}
    assert refs.tags == {"light": head, "heavy": head, "heavier": head}


async def test_moves_new_branches_and_deletions_are_seen(git, remote):
    await git.refs(remote.url)
    moved = remote.write({"README.md": "two\n"})
    remote.write({"x": "y"}, branch="feature")
    assert (await git.refs(remote.url)).heads.keys() == {"main", "feature"}
    assert await git.read(remote.url, moved, "README.md") == b"two\n"

    remote.git("push", "-q", "origin", ":feature")
    assert (await git.refs(remote.url)).heads == {"main": moved}


async def test_a_branch_may_become_a_folder_of_branches(git, remote):
    remote.write({"x": "y"}, branch="env")
    await git.refs(remote.url)
    remote.git("push", "-q", "origin", ":env", "main:refs/heads/env/test")
    assert (await git.refs(remote.url)).heads.keys() == {"main", "env/test"}


async def test_a_change_of_the_default_branch_is_seen(git, remote):
    remote.write({"x": "y"}, branch="trunk")
    await git.refs(remote.url)
    remote.git("symbolic-ref", "HEAD", "refs/heads/trunk", cwd=remote.path)
    assert (await git.refs(remote.url)).default_branch == "trunk"


async def test_an_empty_repository_has_no_refs(git, remote, tmp_path):
    remote.git("init", "-q", "--bare", "-b", "main", str(tmp_path / "empty.git"), cwd=tmp_path)
    refs = await git.refs(f"file://{tmp_path / 'empty.git'}")
    assert refs.heads == {}


async def test_nothing_moved_costs_one_listing_and_no_fetch(git, server):
    await git.refs(server.url)
    server.asked.clear()
    await git.refs(server.url)
    assert server.asked == ["GET /config.git/info/refs?service=git-upload-pack", "POST /config.git/git-upload-pack"]


async def test_with_very_many_refs_only_heads_and_tags_are_listed(git, remote, server):
    packed = "".join(f"{remote.at('main')} refs/pull/{n}/head\n" for n in range(1, 2100))
    (remote.path / "packed-refs").write_text(packed)
    await git.refs(server.url)
    await git.refs(server.url)  # learns how many there are
    moved = remote.write({"README.md": "more\n"})
    refs = await git.refs(server.url)
    assert refs.heads == {"main": moved}
    assert refs.default_branch == "main"

    remote.git("branch", "-m", "main", "trunk", cwd=remote.path)
    refs = await git.refs(server.url)  # the default branch is gone: it is asked for at once
    assert (refs.default_branch, refs.heads) == ("trunk", {"trunk": moved})


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("README.md", b"hello\n"),
        ("out/test/a.yaml", b"a: 1\n"),
        ("nowhere", None),
        ("out", None),
        ("README.md/x", None),
    ],
)
async def test_read_gives_the_file_or_none(git, remote, path, content):
    await git.refs(remote.url)
    assert await git.read(remote.url, "main", path) == content


async def test_a_symbolic_link_is_no_file_to_read(git, remote):
    (remote.clone / "link").symlink_to("/etc/passwd")
    remote.write({})
    assert await git.read(remote.url, "main", "link") is None
    assert await git.read_files(remote.url, "main", ["link"]) == {}


async def test_many_files_are_read_at_once_as_each_by_itself(git, remote):
    (remote.clone / "link").symlink_to("/etc/passwd")
    remote.write({f"out/{number}/{name}": f"{number}{name}" for number in range(5) for name in ("a", "b")})
    paths = ["README.md", "link", "nowhere", "out", "README.md/x", "out/x/a", "nowhere/a", "out/1", "/", ""]
    paths += [f"out/{number}/{name}" for number in range(6) for name in ("a", "b", "c")]
    alone = {path: await git.read(remote.url, "main", path) for path in paths if path.strip("/")}
    assert await git.read_files(remote.url, "main", paths) == {path: data for path, data in alone.items() if data}


async def test_files_that_got_lost_from_the_mirror_are_read_all_the_same(git, remote, tmp_path):
    await git.refs(remote.url)
    for pack in (mirror_of(tmp_path) / "objects").rglob("*.*"):
        pack.unlink()
    assert await git.read_files(remote.url, remote.at("main"), ["README.md"]) == {"README.md": b"hello\n"}


@pytest.mark.parametrize(
    ("folder", "files"),
    [
        ("", ("README.md", "chart/values.yaml", "out/test/a.yaml")),
        ("out", ("out/test/a.yaml",)),
        ("out/test/", ("out/test/a.yaml",)),
        ("none", ()),
        ("README.md", ("README.md",)),
    ],
)
async def test_list_files_gives_all_below_a_folder(git, remote, folder, files):
    assert await git.list_files(remote.url, "main", folder) == files


async def test_log_is_first_parent_by_path_and_without_what_another_holds(git, remote):
    first = remote.at("main")
    second = remote.write({"out/test/a.yaml": "a: 2\n"}, "out: second\n\nwith a body\n\nStage: test")
    remote.write({"side": "1"}, "on the side", branch="side")
    remote.git("checkout", "-q", "main")
    remote.git("merge", "-q", "--no-ff", "-m", "merge side", "side")
    remote.git("push", "-q", "origin", "main")
    await git.refs(remote.url)

    messages = [c.message for c in await git.log(remote.url, "main")]
    assert messages == ["merge side", "out: second\n\nwith a body\n\nStage: test", "first"]
    (only,) = await git.log(remote.url, "main", paths=["out"], not_in=first)
    assert (only.sha, only.parents, only.author_email) == (second, (first,), "maintainer@example.com")
    assert only.commit_date.tzinfo is not None
    assert len(await git.log(remote.url, "main", limit=1)) == 1
    assert await git.log(remote.url, "main", paths=["out/*"]) == ()  # a path is a path, not a pattern


async def test_tags_tell_tagger_and_words_newest_first(git, remote):
    remote.git("tag", "v1")
    remote.git("-c", "user.name=x", "tag", "-a", "-m", "second\n\nmore", "v2")
    remote.git("push", "-q", "origin", "v1", "v2")
    tags = {tag.name: tag for tag in await git.tags(remote.url)}
    assert tags.keys() == {"v1", "v2"}
    assert tags["v1"].annotation == ""
    assert tags["v1"].commit.message == "first"
    assert tags["v2"].tagger == "maintainer <maintainer@example.com>"
    assert tags["v2"].annotation == "second\n\nmore"
    assert tags["v2"].commit.sha == remote.at("main")
    assert tags["v2"].commit.author_email == "maintainer@example.com"


async def test_changed_paths_names_both_ends_of_a_rename(git, remote):
    old = remote.at("main")
    remote.git("mv", "README.md", "LIESMICH.md")
    new = remote.write({"chart/values.yaml": "tag: 2\n"})
    assert await git.changed_paths(remote.url, old, new) == ("LIESMICH.md", "README.md", "chart/values.yaml")


async def test_a_commit_no_branch_leads_to_is_fetched(git, remote):
    lost = remote.write({"README.md": "lost\n"})
    remote.git("push", "-q", "--force", "origin", f"{lost}~1:main")
    await git.refs(remote.url)
    assert await git.read(remote.url, lost, "README.md") == b"lost\n"


@pytest.mark.parametrize("rev", ["nothing", "0" * 40, "-x", "--output=/tmp/x", "main^{tree}^{commit}"])
async def test_an_unknown_revision_is_the_users_mistake(git, remote, rev):
    with pytest.raises(UserError, match=r"has no (branch, tag or )?commit"):
        await git.read(remote.url, rev, "README.md")


async def test_credentials_are_shown_and_nothing_of_them_is_kept(new_git, server, tmp_path):
    server.password = "s3cret-token"

    async def credentials(url: str) -> Credential | None:
        assert url == server.url
        return Credential("x-access-token", "s3cret-token")

    git = new_git(credentials)
    assert (await git.refs(server.url)).default_branch == "main"
    await git.checkout(server.url, tmp_path / "w")
    kept = [p for p in tmp_path.rglob("*") if p.is_file() and b"s3cret" in p.read_bytes()]
    assert kept == []
    assert "s3cret" not in repr(Credential("x", "s3cret-token"))


async def test_refused_credentials_say_what_to_do_and_tell_no_secret(new_git, server):
    server.password = "right"

    async def credentials(_url: str) -> Credential | None:
        return Credential("x-access-token", "wrong-one")

    with pytest.raises(UserError, match="install the App") as caught:
        await new_git(credentials).refs(server.url)
    chain = f"{caught.value!r} {caught.value.__cause__!r}"
    assert server.url in chain
    assert "wrong-one" not in chain
    assert "d3Jvbmctb25l" not in chain


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (401, UserError, "access was refused"),
        (403, UserError, "access was refused"),
        (404, UserError, "no such repository"),
        (410, UserError, "no such repository"),
        (429, Retry, "429"),
        (500, Retry, "500"),
        (503, Retry, "503"),
    ],
)
@pytest.mark.parametrize("mirrored", [False, True])
async def test_what_a_servers_refusal_means(git, server, status, error, says, mirrored):
    if mirrored:
        await git.refs(server.url)
    server.status = status
    with pytest.raises(error, match=says) as caught:
        await git.refs(server.url)
    assert server.url in str(caught.value)
    server.status = 0
    assert (await git.refs(server.url)).default_branch == "main"


async def test_a_redirect_is_not_followed(new_git, server, remote):
    async def credentials(_url: str) -> Credential | None:
        return Credential("x-access-token", "precious")

    server.status, server.location = 301, f"{server.url}/elsewhere"
    with pytest.raises(UserError, match="redirects elsewhere"):
        await new_git(credentials).refs(server.url)
    assert len(server.asked) == 1


async def test_a_server_that_is_not_there_is_tried_again_later(git):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Retry, match=r"127.0.0.1"):
        await git.refs(f"http://127.0.0.1:{port}/config.git")


@pytest.mark.parametrize(
    "url",
    [
        "ext::sh -c touch% /tmp/pwned",
        "--upload-pack=touch /tmp/pwned",
        "git@github.com:-acme/service.git",
        "ssh://-oProxyCommand=id/acme/service.git",
        "git://github.com/acme/service.git",
        "https://",
        "https://[",
        "https://github.com/acme/service.git\n",
        "ftp://example.com/x.git",
        "fd::17",
        "file://server/share",
    ],
)
async def test_other_addresses_are_refused(git, url):
    with pytest.raises(UserError, match=r"https://host/owner/name.git"):
        await git.refs(url)


@pytest.mark.parametrize("scheme", ["https", "ssh"])
async def test_an_address_with_a_password_is_refused_without_repeating_it(git, scheme):
    with pytest.raises(UserError) as caught:
        await git.refs(f"{scheme}://user:hunter2@github.com/acme/service.git")
    assert "hunter2" not in str(caught.value)


async def test_files_are_refused_unless_told(new_git, remote):
    with pytest.raises(UserError, match=r"https://host/owner/name.git"):
        await new_git(allow_file=False).refs(remote.url)


async def test_spellings_of_one_address_share_a_mirror(git, server, tmp_path):
    await git.refs(server.url)
    await git.refs(server.url.removesuffix(".git") + ".git/")
    assert mirror_of(tmp_path)


# --- damage -----------------------------------------------------------------------------------------


def truncate_packs(mirror: Path) -> None:
    for pack in mirror.glob("objects/pack/*.pack"):
        pack.chmod(0o600)
        pack.write_bytes(pack.read_bytes()[:20])


def remove_objects(mirror: Path) -> None:
    for pack in mirror.glob("objects/pack/*"):
        pack.chmod(0o600)
        pack.unlink()


def empty_state(mirror: Path) -> None:
    (mirror / "towpath.json").write_text("")


def no_head(mirror: Path) -> None:
    (mirror / "HEAD").unlink()


def empty_refs(mirror: Path) -> None:
    (mirror / "packed-refs").write_text("garbage")


def stale_locks(mirror: Path) -> None:
    (mirror / "packed-refs.lock").write_text("")
    (mirror / "refs/heads").mkdir(exist_ok=True, parents=True)
    (mirror / "refs/heads/main.lock").write_text("")


DAMAGE = [truncate_packs, remove_objects, empty_state, no_head, empty_refs, stale_locks]


@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("moved", [False, True])
async def test_a_damaged_mirror_is_made_again(new_git: Callable[[], MirroredGit], remote, tmp_path, damage, moved):
    await new_git().refs(remote.url)
    damage(mirror_of(tmp_path))
    if moved:
        remote.write({"README.md": "after\n"})

    git = new_git()
    refs = await git.refs(remote.url)
    assert await git.read(remote.url, refs.heads["main"], "README.md") == (b"after\n" if moved else b"hello\n")
    await git.checkout(remote.url, tmp_path / "w")
    assert (tmp_path / "w/README.md").read_text() == ("after\n" if moved else "hello\n")


async def test_a_half_made_mirror_is_made_again(git, remote, tmp_path):
    half = tmp_path / "data" / "mirrors" / f"{mirror_name(remote.url)}.new"
    half.mkdir(parents=True)
    (half / "HEAD").write_text("x")
    assert (await git.refs(remote.url)).default_branch == "main"


async def test_many_at_once_share_one_clone(git, remote, server):
    answers = await asyncio.gather(*(git.refs(server.url) for _ in range(10)))
    assert {a.heads["main"] for a in answers} == {remote.at("main")}
    clones = [line for line in server.asked if line.startswith("POST")]
    assert len(clones) <= 2 + 9  # listing and pack of one clone, one listing for each other


async def test_after_many_fetches_the_mirror_is_tidied_and_work_under_way_is_not_lost(git, remote, tmp_path):
    await git.checkout(remote.url, tmp_path / "w")
    (tmp_path / "w/new").write_text("not pushed yet\n")
    ours = await git.commit(tmp_path / "w", "work", author=BOT)
    for number in range(52):
        remote.write({"README.md": f"{number}\n"})
        await git.refs(remote.url)
    assert len(list(mirror_of(tmp_path).glob("objects/pack/*.pack"))) < 10
    assert await git.read(remote.url, "main", "README.md") == b"51\n"
    assert (await git.push(tmp_path / "w", "topic")).commit == ours == remote.at("topic")

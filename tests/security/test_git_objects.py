"""A server's objects are looked at when they come: what no sound repository has is not taken."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from bot.errors import Broken, Retry, UserError
from bot.git.process import GitFailed, GitTimedOut, Runner


def raw(remote: Path, *arguments: str, stdin: bytes = b"") -> str:
    """Git, with what it would not do by itself allowed to it."""
    who = {f"GIT_{role}_{what}": "x@example.com" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    environment = {"PATH": os.defpath, "GIT_CONFIG_GLOBAL": os.devnull, **who}
    done = subprocess.run(
        ["git", *arguments], cwd=remote, input=stdin, env=environment, check=True, capture_output=True
    )
    return done.stdout.decode().strip()


def hostile_tree(remote: Path, name: bytes) -> str:
    """A tree with one folder of this name, which has a hook in it."""
    blob = raw(remote, "hash-object", "-w", "--stdin", stdin=b"#!/bin/sh\ntouch was-here\n")
    hooks = raw(remote, "hash-object", "-w", "-t", "tree", "--literally", "--stdin",
                stdin=b"100755 post-checkout\0" + bytes.fromhex(blob))  # fmt: skip
    inner = raw(remote, "hash-object", "-w", "-t", "tree", "--literally", "--stdin",
                stdin=b"40000 hooks\0" + bytes.fromhex(hooks))  # fmt: skip
    return raw(remote, "hash-object", "-w", "-t", "tree", "--literally", "--stdin",
               stdin=b"40000 " + name + b"\0" + bytes.fromhex(inner))  # fmt: skip


@pytest.mark.parametrize("name", [b".git", b".GIT", b"..", b"git~1", b".g\xe2\x80\x8cit"])
async def test_a_folder_that_stands_for_gits_own_is_not_taken(name, run, remote, tmp_path):
    tree = hostile_tree(remote.path, name)
    commit = raw(remote.path, "commit-tree", "-m", "x", tree)
    raw(remote.path, "update-ref", "refs/heads/main", commit)
    with pytest.raises((UserError, Broken, Retry, GitFailed), match=r"fsck|\.git|contains|objects|bad tree|index-pack"):
        await run("git-clone", {"checkout": [{"branch": "main", "path": "./src"}]})
    assert not list(tmp_path.rglob("was-here"))
    assert not list((tmp_path / "work").rglob("post-checkout"))


def test_a_command_that_does_not_end_is_ended_with_all_it_started(tmp_path: Path) -> None:
    runner = Runner.create(tmp_path, allow_file=True, environment={})
    runner.run("init", "-q", ".")
    with pytest.raises(GitTimedOut):
        runner.run("-c", "alias.wait=!echo $$ > pid; sleep 60", "wait", timeout=1)
    pid = int((tmp_path / "pid").read_text())
    until = time.monotonic() + 50  # it would live for a minute
    while lives(pid):
        assert time.monotonic() < until
        time.sleep(0.05)


def lives(pid: int) -> bool:
    """Killed, it is gone once the kernel has come to it."""
    try:
        return "\nState:\tZ" not in Path("/proc", str(pid), "status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False

"""Whoever manages to put a hook or a setting where Git looks for one gains nothing by it."""

from pathlib import Path

import pytest

HOOKS = (
    "pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "post-checkout", "pre-push",
    "reference-transaction", "post-index-change", "pre-rebase", "post-rewrite", "post-merge", "pre-auto-gc",
)  # fmt: skip


def put_hooks(data: Path, trace: Path) -> int:
    """Into every Git folder there is, the mirror's and those of work trees; how many."""
    folders = [head.parent for head in data.rglob("HEAD")]
    for folder in folders:
        (folder / "hooks").mkdir(exist_ok=True)
        for name in HOOKS:
            (folder / "hooks" / name).write_text(f"#!/bin/sh\necho {name} >> {trace}\n")
            (folder / "hooks" / name).chmod(0o755)
    return len(folders)


@pytest.mark.parametrize("again", [False, True])
async def test_no_hook_is_run(run, tmp_path, again):
    await run("git-clone", {"checkout": [{"branch": "main", "path": "./src"}]})
    assert put_hooks(tmp_path / "data", tmp_path / "trace") >= 1
    (run.workdir / "src/new.txt").write_text("new\n")
    await run("git-commit", {"path": "./src", "message": "new"})
    await run("git-tag", {"path": "./src", "tag": "v1", "message": "m"})
    await run("git-push", {"path": "./src", "generateTargetBranch": True})
    await run("git-push", {"path": "./src", "tag": "v1"})
    if again:
        await run("git-clone", {"checkout": [{"branch": "promotion/uat", "path": "./again"}]})
        await run("git-clear", {"path": "./again"})
    assert not (tmp_path / "trace").exists()


SETTINGS = """
[core]
	fsmonitor = {script}
	hooksPath = {hooks}
	attributesFile = {attributes}
[filter "evil"]
	clean = {script}
	smudge = {script}
[commit]
	gpgSign = true
[gpg]
	program = {script}
"""


def put_settings(data: Path, outside: Path, trace: Path) -> int:
    """Into every Git folder's own configuration, what would have Git run a program; into how many."""
    outside.mkdir(exist_ok=True)
    script = outside / "evil.sh"
    script.write_text(f"#!/bin/sh\necho ran >> {trace}\ncat\n")
    script.chmod(0o755)
    (outside / "attributes").write_text("* filter=evil\n")
    for name in HOOKS:
        (outside / name).write_text(script.read_text())
        (outside / name).chmod(0o755)
    folders = [head.parent for head in data.rglob("HEAD") if (head.parent / "config").is_file()]
    for folder in folders:
        with (folder / "config").open("a") as file:
            file.write(SETTINGS.format(script=script, hooks=outside, attributes=outside / "attributes"))
    return len(folders)


async def test_no_setting_has_git_run_a_program(run, tmp_path):
    await run("git-clone", {"checkout": [{"branch": "main", "path": "./src"}]})
    trace = tmp_path / "trace"
    assert put_settings(tmp_path / "data", tmp_path / "evil", trace) >= 2, "the mirror's, and the work tree's"
    (run.workdir / "src/new.txt").write_text("new\n")
    await run("git-commit", {"path": "./src", "message": "new"})
    await run("git-tag", {"path": "./src", "tag": "v1", "message": "m"})
    await run("git-push", {"path": "./src", "generateTargetBranch": True})
    await run("git-push", {"path": "./src", "tag": "v1"})
    assert not trace.exists()

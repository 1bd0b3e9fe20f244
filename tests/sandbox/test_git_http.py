"""What Git itself meets: protection, permissions, forks, gzip, protocol versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.sandbox.git.guard import parse
from tests.sandbox.driver import GitHub
from tests.sandbox.test_server import git

_RULES: dict[str, Any] = {
    "required_status_checks": None,
    "enforce_admins": True,
    "required_pull_request_reviews": None,
    "restrictions": None,
}


async def clone(github: GitHub, token: str, folder: Path, name: str = "gitops") -> Path:
    address = f"{github.sandbox.url}/acme/{name}.git".replace("://", f"://x-access-token:{token}@")
    status, said = await git("clone", "--quiet", address, str(folder), cwd=folder.parent)
    assert status == 0, said
    return folder


async def push(folder: Path, *arguments: str) -> tuple[int, str]:
    return await git("push", "origin", *arguments, cwd=folder)


@pytest.mark.parametrize(
    ("rules", "what", "refusal"),
    [
        ({}, "forward", ""),
        ({}, "force", "Cannot force-push to this branch"),
        ({"allow_force_pushes": True}, "force", ""),
        ({}, "delete", "Cannot delete this branch"),
        ({"lock_branch": True}, "forward", "Cannot change this locked branch"),
        ({"required_pull_request_reviews": {}}, "forward", "Changes must be made through a pull request"),
        ({"required_pull_request_reviews": {}, "enforce_admins": False}, "forward", ""),
        ({"required_status_checks": {"strict": False, "contexts": ["ci"]}}, "forward", '"ci" is expected'),
        ({"restrictions": {"users": ["owner"], "teams": []}}, "forward", ""),
        ({"restrictions": {"users": ["writer"], "teams": []}}, "forward", "not authorized to push"),
        ({"restrictions": {"users": [], "teams": ["writers"]}}, "forward", "not authorized to push"),
    ],
)
async def test_a_protected_branch_is_kept(
    github: GitHub, tmp_path: Path, rules: dict[str, Any], what: str, refusal: str
) -> None:
    repo, owner = await github.repo(), github.user("owner")
    await github.file(repo, "a", "1", "guarded")
    (await owner.put(f"{repo}/branches/guarded/protection", _RULES | rules)).ok()
    work = await clone(github, github.keys.tokens["owner"], tmp_path / "work")
    await git("checkout", "-q", "guarded", cwd=work)
    before = (await owner.get(f"{repo}/branches/guarded")).ok()["commit"]["sha"]
    await git("commit", "-q", "--allow-empty", *(["--amend"] if what == "force" else []), "-m", "x", cwd=work)
    ref = {"forward": "guarded", "force": "+guarded", "delete": ":guarded"}[what]
    status, said = await push(work, ref)
    assert (refusal in said) if refusal else status == 0, said
    after = await owner.get(f"{repo}/branches/guarded")
    if refusal:
        assert status != 0
        assert after.ok()["commit"]["sha"] == before


async def test_an_app_pushes_workflows_only_with_that_permission(github: GitHub, tmp_path: Path) -> None:
    await github.repo()
    token = await github.installation_token({"permissions": {"contents": "write"}})
    work = await clone(github, token, tmp_path / "work")
    (work / ".github/workflows").mkdir(parents=True)
    (work / ".github/workflows/ci.yaml").write_text("x")
    await git("add", ".", cwd=work)
    await git("commit", "-q", "-m", "x", cwd=work)
    for ref in ("main", "main:refs/heads/fresh"):
        status, said = await push(work, ref)
        assert status != 0
        assert "refusing to allow a GitHub App to create or update workflow `.github/workflows/ci.yaml`" in said
    await git("commit", "-q", "--amend", "-m", "y", cwd=work)
    address = f"{github.sandbox.url}/acme/gitops.git"
    allowed = address.replace("://", f"://x-access-token:{await github.installation_token()}@")
    assert (await git("push", "-q", allowed, "main", cwd=work))[0] == 0


async def test_read_only_tokens_cannot_push_and_wrong_ones_cannot_clone(github: GitHub, tmp_path: Path) -> None:
    await github.repo(private=True)
    token = await github.installation_token({"permissions": {"contents": "read"}})
    work = await clone(github, token, tmp_path / "work")
    await git("commit", "-q", "--allow-empty", "-m", "x", cwd=work)
    status, said = await push(work, "main")
    assert status != 0
    assert "403" in said
    address = f"{github.sandbox.url}/acme/gitops.git".replace("://", "://x-access-token:wrong@")
    status, said = await git("clone", "-q", address, "other", cwd=tmp_path)
    assert status != 0
    assert "Authentication failed" in said


async def test_pull_requests_can_be_fetched_but_not_pushed(github: GitHub, tmp_path: Path) -> None:
    repo = await github.repo()
    head = await github.file(repo, "a", "1", "topic")
    pull = await github.pull(repo, "topic")
    seen = await github.mergeable(pull)
    work = await clone(github, github.keys.tokens["writer"], tmp_path / "work")
    for name, sha in (("head", head), ("merge", seen["merge_commit_sha"])):
        assert (await git("fetch", "-q", "origin", f"refs/pull/1/{name}", cwd=work))[0] == 0
        assert (await git("rev-parse", "FETCH_HEAD", cwd=work))[1].strip() == sha
    status, said = await push(work, "main:refs/pull/1/head")
    assert status != 0, said


async def test_many_refs_in_one_push_each_become_events_but_not_many_tags(github: GitHub, tmp_path: Path) -> None:
    await github.repo()
    work = await clone(github, github.keys.tokens["writer"], tmp_path / "work")
    await git("commit", "-q", "--allow-empty", "-m", "x", cwd=work)
    assert (await push(work, "main:refs/heads/a", "main:refs/heads/b", "main:refs/tags/t"))[0] == 0
    assert (await github.events())[4:] == ["create", "push", "check_suite.requested", *["create", "push"] * 2]
    assert (await push(work, *(f"main:refs/tags/v{number}" for number in range(4))))[0] == 0
    assert len(await github.events()) == 11  # GitHub tells nothing of more than three tags at once
    assert (await push(work, ":refs/heads/a", ":refs/tags/t"))[0] == 0
    assert (await github.events())[11:] == ["delete", "push"] * 2


async def test_old_and_new_protocols_and_partial_clones_work(github: GitHub, tmp_path: Path) -> None:
    await github.repo()
    address = f"{github.sandbox.url}/acme/gitops"
    for number, options in enumerate(
        (["-c", "protocol.version=0"], ["-c", "protocol.version=2"], ["--depth=1"], ["--filter=blob:none"])
    ):
        status, said = await git("clone", "-q", *options, address, f"w{number}", cwd=tmp_path)
        assert status == 0, said
        assert (tmp_path / f"w{number}" / "README.md").exists()


@given(st.lists(st.tuples(*[st.text("0123456789abcdef", min_size=40, max_size=40)] * 2, st.text("abc/", min_size=1))))
def test_the_commands_of_a_push_are_read_back(commands: list[tuple[str, str, str]]) -> None:
    lines = [f"{old} {new} {ref}".encode() for old, new, ref in commands]
    if lines:
        lines[0] += b"\0report-status side-band-64k"
    text = b"".join(f"{len(line) + 4:04x}".encode() + line for line in lines) + b"0000PACK"
    assert parse(text) == commands

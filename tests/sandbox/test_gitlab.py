"""The sandbox's GitLab, as python-gitlab, Git and people see it; the first knows nothing of it."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import gitlab
import pytest

from bot.errors import UserError
from bot.sandbox.gitlab import GitLabSandbox, Role, start

PATH = "acme/apps/shop"
MEMBERS = {"maintainer": Role.MAINTAINER, "writer": Role.DEVELOPER, "reporter": Role.REPORTER}


@pytest.fixture
async def lab(tmp_path: Path) -> AsyncIterator[GitLabSandbox]:
    sandbox = await start(tmp_path / "gitlab")
    await sandbox.world.create_project(PATH, {"a.yaml": "a: 1\n"}, MEMBERS)
    yield sandbox
    await sandbox.close()


# --- the public client library ------------------------------------------------------------------------


def flow(url: str, tokens: dict[str, str]) -> None:
    """The story, as a program would tell it."""
    with gitlab.Gitlab(url, private_token=tokens["writer"]) as client:
        client.auth()
        assert client.user is not None
        assert client.user.username == "writer"
        project = client.projects.get(PATH)
        assert (project.path_with_namespace, project.default_branch) == (PATH, "main")
        with pytest.raises(gitlab.GitlabGetError) as missing:
            client.projects.get("acme/none")
        assert missing.value.response_code == 404
        wanted = {"source_branch": "change", "target_branch": "main", "title": "Draft: Change", "labels": ["a", "b"]}
        made = project.mergerequests.create(wanted)
        assert (made.iid, made.state, made.draft, made.labels) == (1, "opened", True, ["a", "b"])
        assert made.detailed_merge_status == "draft_status"
        with pytest.raises(gitlab.GitlabCreateError, match="Another open merge request already exists") as twice:
            project.mergerequests.create(wanted)
        assert twice.value.response_code == 409
        with pytest.raises(gitlab.GitlabAuthenticationError):  # GitLab's 401: a Developer may not merge into main
            made.merge()
        made.title = "Change"
        made.assignee_ids = [one.id for one in client.users.list(username="maintainer")]
        made.save()
        assert made.assignees[0]["username"] == "maintainer"
        assert [one.iid for one in project.mergerequests.list(state="opened", iterator=True)] == [1]
        assert client.users.list(username="nobody") == []
    with gitlab.Gitlab(url, oauth_token=tokens["maintainer"]) as client:
        project = client.projects.get(PATH)
        request = project.mergerequests.get(1)
        assert request.detailed_merge_status == "mergeable"
        request.title = "Draft: Change"
        request.save()
        with pytest.raises(gitlab.GitlabMRClosedError) as draft:
            request.merge()
        assert draft.value.response_code == 405
        request.title = "Change"
        request.save()
        with pytest.raises(gitlab.GitlabError, match="SHA does not match HEAD") as moved:
            request.merge(sha="0" * 40)
        assert moved.value.response_code == 409
        request.merge(sha=request.sha, squash=True)
        merged = project.mergerequests.get(1)
        assert (merged.state, merged.merge_user["username"]) == ("merged", "maintainer")
        assert merged.merge_commit_sha != merged.squash_commit_sha
    with gitlab.Gitlab(url, private_token=tokens["reporter"]) as client:
        project = client.projects.get(PATH)
        assert [one.state for one in project.mergerequests.list(get_all=True)] == ["merged"]
        with pytest.raises(gitlab.GitlabCreateError) as refused:
            project.mergerequests.create({"source_branch": "change", "target_branch": "main", "title": "x"})
        assert refused.value.response_code == 403
    with gitlab.Gitlab(url, private_token=tokens["stranger"]) as client, pytest.raises(gitlab.GitlabGetError):
        client.projects.get(PATH)
    with gitlab.Gitlab(url, private_token="glpat-nobodys") as client, pytest.raises(gitlab.GitlabAuthenticationError):
        client.auth()


async def test_python_gitlab_goes_from_token_to_merge(lab: GitLabSandbox) -> None:
    await lab.world.commit(lab.world.project(PATH), "change", {"a.yaml": "a: 2\n"})
    tokens = {name: lab.world.token(name) for name in [*MEMBERS, "stranger"]}

    await asyncio.to_thread(flow, lab.url, tokens)


# --- Git ----------------------------------------------------------------------------------------------


async def git(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    who = {f"GIT_{role}_{what}": "somebody" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    clean = {"PATH": os.defpath, "HOME": str(cwd), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
    return await asyncio.to_thread(
        subprocess.run, ["git", *arguments], cwd=cwd, env=clean | who, capture_output=True, text=True, check=False
    )


def remote(lab: GitLabSandbox, token: str, path: str = f"{PATH}.git") -> str:
    return f"{lab.url.replace('//', f'//oauth2:{token}@')}/{path}"


@pytest.mark.parametrize("path", [f"{PATH}.git", PATH])
async def test_git_clones_and_pushes_with_a_token(lab: GitLabSandbox, tmp_path: Path, path: str) -> None:
    where = remote(lab, lab.world.token("writer"), path)
    assert (await git("clone", "-q", where, "clone", cwd=tmp_path)).returncode == 0
    clone = tmp_path / "clone"
    assert (clone / "a.yaml").read_text() == "a: 1\n"
    await git("commit", "-q", "--allow-empty", "-m", "x", cwd=clone)

    assert (await git("push", "-q", "origin", "HEAD:refs/heads/change", cwd=clone)).returncode == 0
    pushed = await git("push", "-q", "origin", "HEAD:refs/heads/main", cwd=clone)
    assert pushed.returncode
    assert "You are not allowed to push code to protected branches on this project." in pushed.stderr


@pytest.mark.parametrize(
    ("user", "scopes", "said"),
    [
        ("writer", ["read_api", "write_repository"], ""),
        ("writer", ["read_repository"], "Authentication failed"),
        ("reporter", ["api"], "403"),
        ("stranger", ["api"], "not found"),
    ],
)
async def test_who_may_push(lab: GitLabSandbox, tmp_path: Path, user: str, scopes: list[str], said: str) -> None:
    await git("clone", "-q", remote(lab, lab.world.token("maintainer")), "clone", cwd=tmp_path)
    url = remote(lab, lab.world.token(user, *scopes))

    pushed = await git("push", url, "HEAD:refs/heads/change", cwd=tmp_path / "clone")

    assert (pushed.returncode == 0) is (said == "")
    assert said in pushed.stderr


# --- people -------------------------------------------------------------------------------------------


async def test_people_use_it_over_http_alone(lab: GitLabSandbox) -> None:
    async with aiohttp.ClientSession() as session:

        async def act(name: str, expected: int = 200, **data: Any) -> Any:
            async with session.post(f"{lab.url}/sandbox/{name}", json=data) as answer:
                assert answer.status == expected, await answer.text()
                return await answer.json()

        members = {"writer": 30, "maintainer": 40}
        assert (await act("projects", path="acme/shop", files={"a": "1"}, members=members))["merge_method"] == "merge"
        headers = {"PRIVATE-TOKEN": (await act("tokens", username="writer", scopes=["api"]))["token"]}
        await lab.world.commit(lab.world.project("acme/shop"), "change", {"a": "2"})
        requests = f"{lab.url}/api/v4/projects/acme%2Fshop/merge_requests"
        new = {"source_branch": "change", "target_branch": "main", "title": "x"}
        async with session.post(requests, json=new, headers=headers) as made:
            assert made.status == 201
        shown = await act("obstacles", path="acme/shop", iid=1, status="not_approved")
        assert shown["detailed_merge_status"] == "not_approved"
        await act("merge", 400, path="acme/shop", iid=1, username="maintainer")
        await act("obstacles", path="acme/shop", iid=1, status="")
        await act("settings", path="acme/shop", merge_method="ff")
        assert (await act("merge", path="acme/shop", iid=1, username="maintainer"))["state"] == "merged"
        await act("faults", status=500, times=2)
        for status in (500, 500, 200):
            async with session.get(f"{requests}/1", headers=headers) as answer:
                assert answer.status == status
        async with session.get(f"{requests}/1") as anonymous:
            assert anonymous.status == 404
        await act("close", 400, path="acme/none", iid=1)


async def test_a_port_that_is_in_use_is_named(lab: GitLabSandbox, tmp_path: Path) -> None:
    port = int(lab.url.rpartition(":")[2])

    with pytest.raises(UserError, match=f"port {port} of 127.0.0.1 is in use"):
        await start(tmp_path / "other", port)

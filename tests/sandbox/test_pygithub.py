"""PyGithub, which knows nothing of the sandbox, goes from an App's key to a merged pull request."""

from __future__ import annotations

import asyncio
from typing import Any

from github import Auth, GithubIntegration, InputGitTreeElement

from tests.sandbox.driver import GitHub


def flow(url: str, app_id: int, key: str) -> None:
    """The story, as a program would tell it."""
    at_once: dict[str, Any] = {"seconds_between_requests": None, "seconds_between_writes": None}
    integration = GithubIntegration(auth=Auth.AppAuth(app_id, key), base_url=f"{url}/api/v3", **at_once)
    (installation,) = integration.get_installations()
    with integration.get_github_for_installation(installation.id) as client:
        repo = client.get_repo("acme/gitops")
        main = repo.get_git_ref("heads/main").object.sha
        entry = InputGitTreeElement("out/app.yaml", "100644", "blob", sha=repo.create_git_blob("a: 1\n", "utf-8").sha)
        base = repo.get_git_commit(main)
        commit = repo.create_git_commit("Promote", repo.create_git_tree([entry], base.tree), [base])
        repo.create_git_ref("refs/heads/promotion/test", commit.sha)

        pull = repo.create_pull(base="main", head="promotion/test", title="Promote test", body="1.0.0")
        pull.add_to_labels("promotion", "stage/test")
        pull.remove_from_labels("stage/test")
        assert [label.name for label in pull.get_labels()] == ["promotion"]

        run = repo.create_check_run("promotion/test", commit.sha, status="in_progress", external_id="f1")
        run.edit(conclusion="success", output={"title": "Promoted", "summary": "all well"})
        (seen,) = repo.get_commit(commit.sha).get_check_runs()
        assert (seen.id, seen.conclusion, seen.output.title) == (run.id, "success", "Promoted")
        repo.get_commit(commit.sha).create_status("success", context="ci")
        assert repo.get_commit(commit.sha).get_combined_status().state == "success"

        comment = pull.create_issue_comment("**test**: verified")
        comment.edit("**test**: verified, twice")
        comment.create_reaction("rocket")
        assert [row.body for row in pull.get_issue_comments()] == ["**test**: verified, twice"]

        assert pull.merge(merge_method="squash").merged
        assert repo.get_contents("out/app.yaml").decoded_content == b"a: 1\n"  # type: ignore[union-attr]
        assert repo.get_pull(pull.number).merged
    integration.close()


async def test_pygithub_goes_from_token_to_merge(github: GitHub) -> None:
    await github.repo()
    key = await asyncio.to_thread(github.keys.private_key_path.read_text)
    await asyncio.to_thread(flow, github.sandbox.url, github.keys.app_id, key)
    assert github.sandbox.record.unserved == []
    events = await github.events()
    for event in ("pull_request.labeled", "check_run.completed", "issue_comment.edited", "pull_request.closed"):
        assert event in events

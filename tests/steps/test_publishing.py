"""Tags, and commits that GitHub makes anew: git-tag, git-push with `tag`, github-push."""

from dataclasses import replace

import pytest

from bot.contracts.git import BranchMoved
from bot.contracts.steps import StepStatus
from bot.core.model import CommitSha
from bot.errors import UserError

SRC = {"checkout": [{"path": "./src"}]}
TAG = {"path": "./src", "tag": "uat/1.0.0", "message": "Promoted to uat"}
PUSH_TAG = {"path": "./src", "tag": "uat/1.0.0"}


def add_file(run, path: str, content: str) -> None:
    file = run.workdir / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(content)


async def prepared(run, content: str = "new: true\n", **clone) -> str:
    await run("git-clone", {**SRC, **clone})
    add_file(run, "src/out/stages/uat/new.yaml", content)
    return (await run("git-commit", {"path": "./src/out/stages/uat", "message": "Update"})).output["commit"]


# --- tags ---------------------------------------------------------------------------------------------


async def test_what_was_committed_is_tagged_and_the_tag_pushed(run, remote):
    commit = await prepared(run)
    await run("git-push", {"path": "./src"})
    assert (await run("git-tag", TAG)).output == {"tag": "uat/1.0.0", "commit": commit}
    pushed = await run("git-push", PUSH_TAG)
    assert (pushed.status, pushed.output["tag"], pushed.output["commit"]) == (StepStatus.SUCCEEDED, "uat/1.0.0", commit)
    assert remote.at("refs/tags/uat/1.0.0^{commit}") == commit
    shown = remote.git("cat-file", "tag", "refs/tags/uat/1.0.0", bare=True)
    assert "tagger towpath[bot] <towpath[bot]@example.com>" in shown
    assert shown.endswith("\n\nPromoted to uat")


async def test_the_same_tag_of_the_same_commit_stays_as_it_is(run, remote):
    await prepared(run)
    await run("git-push", {"path": "./src"})
    await run("git-tag", TAG)
    await run("git-push", PUSH_TAG)
    before = remote.at("refs/tags/uat/1.0.0")
    again = run.fresh("again")
    await again("git-clone", SRC)
    assert (await again("git-tag", TAG)).status is StepStatus.SUCCEEDED
    assert (await again("git-push", PUSH_TAG)).output["commit"] == remote.at("main")
    assert remote.at("refs/tags/uat/1.0.0") == before


async def test_a_tag_elsewhere_is_moved_only_by_force(run, remote):
    remote.git("tag", "uat/1.0.0")
    remote.git("push", "-q", "origin", "uat/1.0.0")
    old = remote.at("refs/tags/uat/1.0.0")
    commit = await prepared(run)
    with pytest.raises(UserError, match="set `force`"):
        await run("git-tag", TAG)
    assert (await run("git-tag", {**TAG, "force": True})).output["commit"] == commit
    refused = await run("git-push", PUSH_TAG)
    assert (refused.status, remote.at("refs/tags/uat/1.0.0")) == (StepStatus.FAILED, old)
    assert "set `force`" in refused.message
    assert (await run("git-push", {**PUSH_TAG, "force": True})).status is StepStatus.SUCCEEDED
    assert remote.at("refs/tags/uat/1.0.0^{commit}") == commit


@pytest.mark.parametrize(
    ("step", "config", "says"),
    [
        ("git-push", PUSH_TAG, "git-tag step"),
        ("git-push", {**PUSH_TAG, "targetBranch": "main"}, "step each"),
        ("git-push", {**PUSH_TAG, "tag": "--all"}, "not a tag name"),
        ("git-tag", {**TAG, "tag": "a b"}, "not a tag name"),
        ("git-tag", {**TAG, "tag": "-d"}, "not a tag name"),
    ],
)
async def test_tags_say_what_is_wrong(run, step, config, says):
    await prepared(run)
    with pytest.raises(UserError, match=says):
        await run(step, config)


# --- github-push --------------------------------------------------------------------------------------


def kept(remote):
    return remote.git("for-each-ref", "--format=%(refname)", bare=True).splitlines()


async def test_github_makes_the_commits_anew(run, remote):
    local = await prepared(run, author={"name": "octocat", "email": "octocat@example.com"})
    add_file(run, "src/README.md", "changed\n")
    await run("git-commit", {"path": "./src", "message": "Second\n\nStage: uat"})
    result = await run("github-push", {"path": "./src", "generateTargetBranch": True})
    commit = result.output["commit"]
    assert (result.status, result.output["branch"], commit) == (
        StepStatus.SUCCEEDED,
        "promotion/uat",
        remote.at("promotion/uat"),
    )
    assert run.github.objects.made == [remote.at("promotion/uat~1"), commit]
    assert remote.at("promotion/uat~2") == remote.at("main")
    assert remote.at("promotion/uat~1^{tree}") == remote.git("rev-parse", f"{local}^{{tree}}", bare=True)
    assert remote.git("log", "-1", "--format=%an %cn", "promotion/uat", bare=True) == "towpath[bot] GitHub"
    co_author = "Co-authored-by: octocat <octocat@example.com>"
    assert remote.git("log", "-1", "--format=%B", "promotion/uat", bare=True).endswith(f"\nStage: uat\n{co_author}")
    assert kept(remote) == ["refs/heads/main", "refs/heads/promotion/uat"]  # nothing is left of the staging


async def test_its_own_commits_are_replaced_and_a_persons_are_not(run, remote):
    await prepared(run)
    first = (await run("github-push", {"path": "./src", "generateTargetBranch": True})).output["commit"]
    again = run.fresh("again")
    again.promoting(branch_head=CommitSha(first))
    await prepared(again, "newer: true\n")
    second = await again("github-push", {"path": "./src", "generateTargetBranch": True})
    assert (second.status, remote.at("promotion/uat")) == (StepStatus.SUCCEEDED, second.output["commit"])
    remote.git("fetch", "-q", "origin", "promotion/uat")
    remote.git("checkout", "-q", "FETCH_HEAD")
    theirs = remote.write({"by-hand": "1"}, branch="promotion/uat")
    last = run.fresh("last")
    last.promoting(branch_head=CommitSha(theirs))
    await prepared(last, "newest: true\n")
    result = await last("github-push", {"path": "./src", "generateTargetBranch": True})
    assert (result.status, remote.at("promotion/uat")) == (StepStatus.FAILED, theirs)


async def test_a_moved_branch_is_built_upon(run, remote):
    await prepared(run)
    theirs = remote.write({"elsewhere": "1"})
    result = await run("github-push", {"path": "./src", "targetBranch": "main"})
    assert result.status is StepStatus.SUCCEEDED
    assert remote.at("main~1") == theirs
    assert remote.at("main") == result.output["commit"] == run.github.objects.made[-1]
    assert remote.git("log", "-1", "--format=%cn", "main", bare=True) == "GitHub"


async def test_a_branch_that_moved_over_the_same_lines_fails(run, remote):
    await prepared(run)
    theirs = remote.write({"out/stages/uat/new.yaml": "theirs: true\n"})
    result = await run("github-push", {"path": "./src", "targetBranch": "main"})
    assert (result.status, remote.at("main")) == (StepStatus.FAILED, theirs)
    assert kept(remote) == ["refs/heads/main"]


async def test_without_a_commit_there_is_nothing_to_push(run, remote):
    await run("git-clone", SRC)
    result = await run("github-push", {"path": "./src", "generateTargetBranch": True})
    assert (result.status, kept(remote)) == (StepStatus.SKIPPED, ["refs/heads/main"])


async def test_github_makes_commits_in_the_pipelines_repository_only(run, remote):
    await prepared(run)
    elsewhere = replace(run.context.repository, url="https://github.example.com/acme/config")
    run.context = replace(run.context, repository=elsewhere)
    with pytest.raises(
        UserError, match=r"in https://github\.example\.com/acme/config only, not in .*; use git-push there"
    ):
        await run("github-push", {"path": "./src", "generateTargetBranch": True})
    assert kept(remote) == ["refs/heads/main"]


@pytest.mark.parametrize(("written", "tried"), [({}, 10), ({"maxAttempts": 3}, 3), ({"maxAttempts": 2**31 - 1}, 100)])
@pytest.mark.parametrize("step", ["git-push", "github-push"])
async def test_a_branch_that_moves_again_and_again_is_a_fault_that_may_go_away(run, remote, step, written, tried):
    await prepared(run)
    asked = []

    class Moving:
        """The Git port, with others who are always quicker."""

        def __getattr__(self, name):
            return getattr(git, name)

        async def push(self, _worktree, branch, *, attempts, **_more):
            asked.append(attempts)
            raise BranchMoved(f"{branch} could not be pushed in {attempts} attempts")

        async def put_on_top(self, _worktree, _branch):
            return base

    git = run.context.git
    base = (await git.checkouts(run.workdir))[0].base
    run.context = replace(run.context, git=Moving())
    result = await run(step, {"path": "./src", "targetBranch": "main", **written})
    assert (result.status, "could not be pushed" in result.message) == (StepStatus.ERRORED, True)
    assert asked == ([tried] if step == "git-push" else [1] * tried)


async def test_commits_are_bounded(run, remote):
    await run("git-clone", SRC)
    for number in range(11):
        add_file(run, "src/n", str(number))
        await run("git-commit", {"path": "./src", "message": f"{number}"})
    with pytest.raises(UserError, match="at most 10 commits"):
        await run("github-push", {"path": "./src", "generateTargetBranch": True})
    assert kept(remote) == ["refs/heads/main"]

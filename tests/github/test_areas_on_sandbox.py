"""Reviews, Actions, deployments and signed commits against a GitHub that remembers, judged by GitHub's description."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.contracts import NotMergeable
from bot.contracts.github_areas import DeploymentStatus
from bot.errors import UserError

REPO = "/repos/acme/shop"
WORKFLOW = """\
name: Deploy
on:
  workflow_dispatch:
    inputs:
      tag: {required: true}
      dry: {default: false}
jobs: {}
"""


@pytest.fixture
async def number(hub, port):
    await hub.file(REPO, "x", "1", branch="promotion/test")
    return (await port.create_pull("promotion/test", "main", "Promote", "text")).number


async def requested(hub, number):
    found = (await hub.user("owner").get(f"{REPO}/pulls/{number}/requested_reviewers")).ok()
    return sorted(one["login"] for one in found["users"]), sorted(one["slug"] for one in found["teams"])


def told(hub):
    return [row.action for row in hub.sandbox.world.deliveries if row.event == "pull_request"].count("review_requested")


async def test_a_draft_is_opened_as_one(hub, port):
    await hub.file(REPO, "x", "1", branch="promotion/test")
    assert (await port.create_pull("promotion/test", "main", "Promote", "text", draft=True)).draft


async def test_people_and_teams_are_asked_once(hub, port, number):
    for _ in range(2):
        await port.reviewing.request(number, ["owner", "writer"], ["maintainers"])
    assert (await requested(hub, number), told(hub)) == ((["owner", "writer"], ["maintainers"]), 3)


async def test_who_has_looked_is_not_asked_again(hub, port, number):
    head = (await port.pull(number)).head_sha
    review = {"event": "APPROVE", "body": "go", "commit_id": head}
    (await hub.user("writer").post(f"{REPO}/pulls/{number}/reviews", review)).ok()
    await port.reviewing.request(number, ["Writer"], ["maintainers"])
    assert told(hub) == 0
    (seen,) = await port.reviewing.reviews(number)
    assert (seen.author, seen.state, seen.commit, seen.body) == ("writer", "APPROVED", head, "go")
    assert seen.submitted_at is not None


@pytest.mark.parametrize(
    ("people", "teams", "says"),
    [
        (["writer", "no-such-person"], [], "no-such-person can't be asked"),
        (["writer"], ["no-such-team"], "@acme/no-such-team can't be asked"),
    ],
)
async def test_the_one_who_cannot_be_asked_is_named_and_the_others_are_asked(hub, port, number, people, teams, says):
    with pytest.raises(UserError, match=says):
        await port.reviewing.request(number, people, teams)
    assert (await requested(hub, number))[0] == ["writer"]


async def test_assignees_are_added_and_strangers_named(hub, port, number):
    for login in ("writer", "reader", "writer"):
        await port.reviewing.assign(number, [login])
    shown = (await hub.user("owner").get(f"{REPO}/pulls/{number}")).ok()
    assert sorted(one["login"] for one in shown["assignees"]) == ["reader", "writer"]
    with pytest.raises(UserError, match="no-such-person"):
        await port.reviewing.assign(number, ["no-such-person"])


async def test_a_workflow_from_dispatch_to_end(hub, port):
    await hub.file(REPO, ".github/workflows/deploy.yaml", WORKFLOW)
    began = datetime.now(UTC) - timedelta(seconds=5)
    assert await port.workflows.dispatched("deploy.yaml", began) == ()
    started = await port.workflows.dispatch("deploy.yaml", "main", {"tag": "1.0.0"})
    assert started is not None
    assert [one.id for one in await port.workflows.dispatched("deploy.yaml", began)] == [started.id]
    assert await port.workflows.dispatched("deploy.yaml", datetime.now(UTC) + timedelta(minutes=1)) == ()
    running = await port.workflows.run(started.id)
    assert (running.status, running.conclusion) == ("queued", "")
    ended = await hub.user("owner").call("POST", f"{hub.sandbox.url}/sandbox/runs", {"conclusion": "failure"})
    assert ended.ok() == {"ended": 1}
    seen = await port.workflows.run(started.id)
    assert (seen.status, seen.conclusion) == ("completed", "failure")
    assert await port.workflows.run(999_999) is None


async def test_only_our_own_dispatches_are_found(hub, port):
    await hub.file(REPO, ".github/workflows/deploy.yaml", WORKFLOW)
    path = f"{REPO}/actions/workflows/deploy.yaml/dispatches"
    (await hub.user("writer").post(path, {"ref": "main", "inputs": {"tag": "1"}})).ok(204)
    assert await port.workflows.dispatched("deploy.yaml", datetime.now(UTC) - timedelta(minutes=1)) == ()


@pytest.mark.parametrize(
    ("workflow", "ref", "inputs", "says"),
    [
        ("none.yaml", "main", {}, "no workflow 'none.yaml'"),
        ("deploy.yaml", "nowhere", {"tag": "1"}, "No ref found for: nowhere"),
        ("deploy.yaml", "main", {}, "Required input 'tag' not provided"),
        ("deploy.yaml", "main", {"tag": "1", "x": "1"}, "Unexpected inputs"),
        ("push.yaml", "main", {}, "does not have 'workflow_dispatch' trigger"),
    ],
)
async def test_what_cannot_be_started_is_said(hub, port, workflow, ref, inputs, says):
    await hub.file(REPO, ".github/workflows/deploy.yaml", WORKFLOW)
    await hub.file(REPO, ".github/workflows/push.yaml", "on: push\n")
    with pytest.raises(UserError, match=says):
        await port.workflows.dispatch(workflow, ref, inputs)


async def test_a_deployment_is_found_again_by_what_it_was_made_for(hub, port):
    head = await hub.file(REPO, "x", "1")
    made = await port.deployments.create(head, "uat", "promote", "x" * 200, {"promotion": "uat.01"})
    await port.deployments.create("main", "prod", "promote", "", {"promotion": "prod.01"})
    (found,) = await port.deployments.find("uat", "promote")
    assert found == made
    assert (found.commit, found.payload) == (head, {"promotion": "uat.01"})
    assert await port.deployments.status(made.id) is None
    status = DeploymentStatus("success", "up", "https://example.com/", "https://example.com/log")
    await port.deployments.set_status(made.id, DeploymentStatus("in_progress"))
    await port.deployments.set_status(made.id, status)
    assert await port.deployments.status(made.id) == status
    with pytest.raises(UserError, match="nowhere"):
        await port.deployments.create("nowhere", "uat", "promote", "", {})


async def test_what_github_commits_for_the_app_is_verified(hub, port):
    owner = hub.user("owner")
    parent = await hub.file(REPO, "x", "1")
    tree = (await owner.get(f"{REPO}/git/commits/{parent}")).ok()["tree"]["sha"]
    made = await port.objects.write_commit("Promote\n\nStage: test", tree, [parent])
    seen = (await owner.get(f"{REPO}/commits/{made}")).ok()
    assert seen["commit"]["verification"]["verified"]
    assert (seen["author"]["login"], seen["commit"]["committer"]["name"]) == ("towpath[bot]", "GitHub")
    assert seen["commit"]["author"]["email"].endswith("+towpath[bot]@users.noreply.127.0.0.1")
    assert not (await owner.get(f"{REPO}/commits/{parent}")).ok()["commit"]["verification"]["verified"]
    with pytest.raises(UserError, match="did not make the commit"):
        await port.objects.write_commit("x", "0" * 40, [])


async def test_a_branch_with_a_merge_queue_is_merged_by_it(hub, port, number):
    control = f"{hub.sandbox.url}/sandbox/merge_queue"
    (await hub.user("owner").call("POST", control, {"repository": "acme/shop", "branch": "main"})).ok()
    head = (await port.pull(number)).head_sha
    for _ in range(2):
        with pytest.raises(NotMergeable, match="in the merge queue"):
            await port.merge_pull(number, head, "merge")
    assert (await hub.user("owner").call("POST", f"{control}/run")).ok() == {"merged": 1}
    assert await port.merge_pull(number, head, "merge") == (await port.pull(number)).merge_sha


async def test_an_older_head_is_not_put_into_the_queue(hub, port, number):
    control = f"{hub.sandbox.url}/sandbox/merge_queue"
    (await hub.user("owner").call("POST", control, {"repository": "acme/shop", "branch": "main"})).ok()
    with pytest.raises(NotMergeable, match="Head branch was modified"):
        await port.merge_pull(number, "0" * 40, "merge")
    assert (await hub.user("owner").call("POST", f"{control}/run")).ok() == {"merged": 0}

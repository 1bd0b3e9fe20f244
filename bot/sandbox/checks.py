"""The life of check suites and check runs: made on push, reported by their App, asked for again by people.

Everything here changes the world and tells the Apps: call it inside a change.
https://docs.github.com/en/rest/guides/using-the-rest-api-to-interact-with-checks
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.sandbox.git import reading
from bot.sandbox.hooks import Hooks
from bot.sandbox.model.accounts import Account, Level
from bot.sandbox.model.checks import CheckRun, CheckSuite
from bot.sandbox.model.repos import Repo
from bot.sandbox.payloads.checks import check_run_webhook, check_suite_payload
from bot.sandbox.rules import suite_outcome
from bot.sandbox.world import World


class NoSuchAction(Exception):
    """The check run has no button with this identifier."""


def suite_of(world: World, repo: Repo, app_id: int, sha: str) -> CheckSuite | None:
    """The suite of an App on a commit, if there is one."""
    rows = world.check_suites.of((repo.id, sha))
    return next((row for row in rows if row.app_id == app_id), None)


def new_suite(
    world: World, repo: Repo, app_id: int, sha: str, branch: str | None = None, before: str | None = None
) -> CheckSuite:
    """Keep a new suite; without `branch` it belongs to one whose head the commit is, if any."""
    if branch is None:
        seen = world.refs.get(repo.id)
        heads = [name for name, tip in (seen.refs if seen else {}).items() if tip == sha]
        branches = [name.removeprefix("refs/heads/") for name in heads if name.startswith("refs/heads/")]
        branch = min(branches, key=lambda name: name == repo.default_branch, default=None)
    now = world.now()
    return world.check_suites.put(CheckSuite(world.new_id(), repo.id, app_id, sha, branch, now, now, before))


async def pushed(world: World, hooks: Hooks, repo: Repo, branch: str, before: str, after: str, sender: Account) -> None:
    """Make a suite for each App that may write checks, unless it has one on this commit, and ask it to begin."""
    for installation in world.installed(repo):
        app_id = installation.app_id
        if installation.permissions.get("checks") is Level.WRITE and suite_of(world, repo, app_id, after) is None:
            suite = new_suite(world, repo, app_id, after, branch, before)
            await _tell_suite(world, hooks, suite, "requested", sender, only_app=app_id)


async def keep(world: World, hooks: Hooks, run: CheckRun, before: CheckRun | None, sender: Account) -> CheckRun:
    """Keep a check run that is new (`before` None) or updated, and tell what that means for it and its suite."""
    suite = world.check_suites[run.suite_id]
    was = suite_outcome(world, suite)
    world.check_runs.put(run)
    suite = world.check_suites.put(replace(suite, updated_at=world.now(), rerequested=False))
    if before is None:
        _tell_run(world, hooks, run, "created", sender)
    if run.conclusion is not None and (before is None or before.conclusion != run.conclusion):
        _tell_run(world, hooks, run, "completed", sender)
    status = suite_outcome(world, suite)
    if status != was and status[0] == "completed":
        await _tell_suite(world, hooks, suite, "completed", sender)
    return run


def rerequest_run(world: World, hooks: Hooks, run: CheckRun, sender: Account) -> None:
    """Ask the App to run a check again. The run stays as it is; its suite is queued."""
    world.check_suites.put(replace(world.check_suites[run.suite_id], rerequested=True, updated_at=world.now()))
    _tell_run(world, hooks, run, "rerequested", sender, only_app=run.app_id)


async def rerequest_suite(world: World, hooks: Hooks, suite: CheckSuite, sender: Account) -> None:
    """Ask the App to run all of its checks on a commit again."""
    suite = world.check_suites.put(replace(suite, rerequested=True, updated_at=world.now()))
    await _tell_suite(world, hooks, suite, "rerequested", sender, only_app=suite.app_id)


def press(world: World, hooks: Hooks, run: CheckRun, identifier: str, sender: Account) -> None:
    """Press a button on a check run; raises NoSuchAction. Only the App that owns the run hears of it."""
    if identifier not in [action.identifier for action in run.actions]:
        raise NoSuchAction(f"check run {run.name!r} has no action {identifier!r}")
    asked = {"requested_action": {"identifier": identifier}}
    _tell_run(world, hooks, run, "requested_action", sender, only_app=run.app_id, **asked)


def _tell_run(
    world: World, hooks: Hooks, run: CheckRun, action: str, sender: Account, only_app: int | None = None, **more: Any
) -> None:
    payload = {"action": action, "check_run": check_run_webhook(world, run), **more}
    hooks.emit("check_run", payload, sender=sender, repo=world.repos[run.repo_id], only_app=only_app)


async def _tell_suite(
    world: World, hooks: Hooks, suite: CheckSuite, action: str, sender: Account, only_app: int | None = None
) -> None:
    repo = world.repos[suite.repo_id]
    commit = (await reading.log(world.git(repo), suite.head_sha, limit=1))[0]
    payload = {"action": action, "check_suite": check_suite_payload(world, suite, commit)}
    hooks.emit("check_suite", payload, sender=sender, repo=repo, only_app=only_app)

"""Noticing that refs moved: whoever moved them and however, what differs from the last look becomes events.

A push over HTTP, a merge, an edit through the contents API and a ref set through the API all end here; so does
a restart, which catches up on what a killed sandbox did not get to tell.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.sandbox import checks, pulls
from bot.sandbox.git import reading
from bot.sandbox.git.process import ZERO
from bot.sandbox.hooks import Hooks
from bot.sandbox.model.accounts import Account
from bot.sandbox.model.repos import Repo, SeenRefs
from bot.sandbox.payloads.commits import person, pushed_commit
from bot.sandbox.payloads.repos import repo_page
from bot.sandbox.payloads.values import JsonObject
from bot.sandbox.world import World

# https://docs.github.com/en/webhooks/webhook-events-and-payloads#push and #create
_MAX_BRANCHES, _MAX_TAGS, _MAX_COMMITS = 5_000, 3, 2_048


@dataclass(frozen=True, slots=True)
class RefChange:
    """One ref that moved; ZERO stands for not there."""

    ref: str
    before: str
    after: str

    @property
    def branch(self) -> str | None:
        """The branch's name, or None for a tag."""
        return self.ref.removeprefix("refs/heads/") if self.ref.startswith("refs/heads/") else None


async def observe(world: World, hooks: Hooks, repo: Repo, sender: Account) -> tuple[RefChange, ...]:
    """Tell of every branch and tag of `repo` that moved since the last look. Call inside a change."""
    seen = world.refs.get(repo.id)
    before = dict(seen.refs) if seen else {}
    after = await reading.refs(world.git(repo), "refs/heads/", "refs/tags/")
    names = sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
    changes = tuple(RefChange(name, before.get(name, ZERO), after.get(name, ZERO)) for name in names)
    if not changes:
        return ()
    world.refs.put(SeenRefs(repo.id, after))
    repo = world.repos.put(replace(repo, pushed_at=world.now(), updated_at=world.now()))
    tags = [change for change in changes if change.branch is None]
    if len(changes) - len(tags) <= _MAX_BRANCHES:
        for change in changes:
            if change.branch is not None or len(tags) <= _MAX_TAGS:
                await _tell(world, hooks, repo, change, after, sender)
    for change in changes:
        if change.branch is not None:
            await pulls.follow(world, hooks, repo, change.branch, change.before, change.after, sender)
    return changes


async def _tell(
    world: World, hooks: Hooks, repo: Repo, change: RefChange, after: dict[str, str], sender: Account
) -> None:
    kind = "tag" if change.branch is None else "branch"
    short = change.ref.split("/", 2)[2]
    if ZERO in (change.before, change.after):
        made = change.before == ZERO
        payload: JsonObject = {"ref": short, "ref_type": kind, "pusher_type": "user"}
        if made:
            payload |= {"master_branch": repo.default_branch, "description": repo.description}
        hooks.emit("create" if made else "delete", payload, sender=sender, repo=repo)
    hooks.emit("push", await _push(world, repo, change, after, sender), sender=sender, repo=repo)
    if change.branch is not None and change.after != ZERO:
        await checks.pushed(world, hooks, repo, change.branch, change.before, change.after, sender)


async def _push(world: World, repo: Repo, change: RefChange, after: dict[str, str], sender: Account) -> JsonObject:
    git, deleted = world.git(repo), change.after == ZERO
    forced = ZERO not in (change.before, change.after) and not await reading.is_ancestor(
        git, change.before, change.after
    )
    commits, head = [], None
    if not deleted:
        others = [sha for name, sha in after.items() if name != change.ref]
        known = [change.before] if change.before != ZERO else others
        rows = await reading.log(git, "--topo-order", change.after, "--not", *known, limit=_MAX_COMMITS)
        tip = (await reading.log(git, change.after, limit=1))[0]
        touched = await reading.touched(git, [row.sha for row in (*rows, tip)])
        commits = [pushed_commit(world, repo, row, touched[row.sha]) for row in reversed(rows)]
        head = pushed_commit(world, repo, tip, touched[tip.sha])
    name, email = person(sender)
    return {
        "ref": change.ref,
        "before": change.before,
        "after": change.after,
        "base_ref": None,
        "created": change.before == ZERO,
        "deleted": deleted,
        "forced": forced,
        "compare": f"{repo_page(world, repo)}/compare/{change.before[:12]}...{change.after[:12]}",
        "commits": commits,
        "head_commit": head,
        "pusher": {"name": sender.login or name, "email": email},
    }

"""What a push may not do: judged ref by ref, and carried out by Git's own `update` hook.

Python knows the rules, only Git (in the hook) can see the new objects: so the rules go there as environment.
https://git-scm.com/docs/githooks#update
"""

from __future__ import annotations

from pathlib import Path

from bot.sandbox.access import is_admin
from bot.sandbox.auth import Actor, ActorKind
from bot.sandbox.git.process import ZERO
from bot.sandbox.model.accounts import Level
from bot.sandbox.model.repos import Protection, Repo
from bot.sandbox.rules import missing_checks
from bot.sandbox.world import World

_HOOK = """#!/bin/sh
# Refuses what the server named in SANDBOX_REFUSED (lines of: ref, tab, message), changes of history on the
# refs in SANDBOX_NO_FORCE, and, with SANDBOX_NO_WORKFLOWS, any change under .github/workflows.
ref=$1 old=$2 new=$3
refuse() { printf 'error: GH006: Protected branch update failed for %s.\\nerror: %s\\n' "$ref" "$1" >&2; exit 1; }
tab=$(printf '\\t')
message=$(printf '%s\\n' "$SANDBOX_REFUSED" | while IFS="$tab" read -r name text; do
  if [ "$name" = "$ref" ]; then printf '%s' "$text"; break; fi
done)
[ -z "$message" ] || refuse "$message"
zero=0000000000000000000000000000000000000000
if [ "$old" != "$zero" ] && [ "$new" != "$zero" ]; then
  if printf '%s\\n' "$SANDBOX_NO_FORCE" | grep -qxF -- "$ref"; then
    git merge-base --is-ancestor "$old" "$new" || refuse "Cannot force-push to this branch"
  fi
fi
if [ -n "$SANDBOX_NO_WORKFLOWS" ] && [ "$new" != "$zero" ]; then
  if [ "$old" = "$zero" ]; then
    old=$(git merge-base "$new" HEAD 2>/dev/null) || old=4b825dc642cb6eb9a060e54bf8d69288fbee4904
  fi
  path=$(git diff-tree -r --name-only "$old" "$new" -- .github/workflows | head -n 1)
  if [ -n "$path" ]; then
    printf 'error: refusing to allow a GitHub App to create or update workflow `%s` ' "$path" >&2
    printf 'without `workflows` permission\\n' >&2
    exit 1
  fi
fi
"""


def install(folder: Path) -> None:
    """Write the hook into `folder`, where every repository's `core.hooksPath` points."""
    folder.mkdir(parents=True, exist_ok=True)
    hook = folder / "update"
    hook.write_text(_HOOK, encoding="utf-8")
    hook.chmod(0o700)


async def guard(world: World, actor: Actor, repo: Repo, commands: bytes) -> dict[str, str]:
    """The hook's environment for a push that starts with these pkt-lines."""
    refused, no_force = [], []
    for old, new, ref in parse(commands):
        rules = world.protection(repo, ref.removeprefix("refs/heads/")) if ref.startswith("refs/heads/") else None
        if rules is None:
            continue
        if not rules.allow_force_pushes:
            no_force.append(ref)
        message = objection(world, actor, repo, rules, old, new)
        if message:
            refused.append(f"{ref}\t{message}")
    without = actor.kind is ActorKind.INSTALLATION and actor.level("workflows") is not Level.WRITE
    return {
        "SANDBOX_REFUSED": "\n".join(refused),
        "SANDBOX_NO_FORCE": "\n".join(no_force),
        "SANDBOX_NO_WORKFLOWS": "1" if without else "",
    }


def parse(commands: bytes) -> list[tuple[str, str, str]]:
    """The (old, new, ref) of each command of a push.

    https://git-scm.com/docs/gitprotocol-pack#_reference_update_request_and_packfile_transfer
    """
    found, at = [], 0
    while at + 4 <= len(commands):
        size = int(commands[at : at + 4], 16)
        if size < 4:
            break
        line = commands[at + 4 : at + size].split(b"\0")[0].decode("utf-8", "replace").rstrip("\n")
        at += size
        parts = line.split(" ", 2)
        if len(parts) == 3:  # not `shallow` or `push-cert` lines
            found.append((parts[0], parts[1], parts[2]))
    return found


def objection(world: World, actor: Actor, repo: Repo, rules: Protection, old: str, new: str) -> str:
    """Why a protected branch may not be pushed to; empty if it may."""
    if new == ZERO:
        return "" if rules.allow_deletions else "Cannot delete this branch"
    if rules.lock_branch:
        return "Cannot change this locked branch"
    if is_admin(world, actor, repo) and not rules.enforce_admins:
        return ""
    if rules.reviews is not None:
        return "Changes must be made through a pull request."
    if rules.restrict_users is not None and not _listed(world, actor, rules):
        return "You're not authorized to push to this branch."
    return " ".join(missing_checks(world, repo, rules, new)) if old != ZERO else ""


def _listed(world: World, actor: Actor, rules: Protection) -> bool:
    if actor.kind is ActorKind.INSTALLATION and actor.app is not None:
        return actor.app.id in (rules.restrict_apps or ())
    account = actor.account
    if account is None:
        return False
    teams = [row for team in rules.restrict_teams or () for row in world.team_members.of(team)]
    return account.id in (rules.restrict_users or ()) or any(row.account_id == account.id for row in teams)

"""Branch protection."""

from __future__ import annotations

from urllib.parse import quote

from bot.sandbox.model.repos import Protection, Repo
from bot.sandbox.payloads.accounts import simple_user, team_simple
from bot.sandbox.payloads.apps import integration
from bot.sandbox.payloads.repos import repo_url
from bot.sandbox.payloads.values import JsonObject
from bot.sandbox.world import World


def protection_url(world: World, repo: Repo, branch: str) -> str:
    """The API address of a branch's rules."""
    return f"{repo_url(world, repo)}/branches/{quote(branch, safe='')}/protection"


def branch_protection(world: World, repo: Repo, branch: str) -> JsonObject:
    """The rules as a branch's own payload carries them; only `enabled: false` if there are none."""
    rules = world.protection(repo, branch)
    if rules is None:
        return {"enabled": False, "required_status_checks": _checks_summary(None)}
    return {"enabled": True, "required_status_checks": _checks_summary(rules)}


def protection(world: World, rules: Protection) -> JsonObject:
    """`branch-protection`: the rules at their own address."""
    repo = world.repos[rules.repo_id]
    url = protection_url(world, repo, rules.branch)
    body: JsonObject = {
        "url": url,
        "enforce_admins": {"url": f"{url}/enforce_admins", "enabled": rules.enforce_admins},
        "required_signatures": {"url": f"{url}/required_signatures", "enabled": False},
        "required_linear_history": {"enabled": rules.linear_history},
        "allow_force_pushes": {"enabled": rules.allow_force_pushes},
        "allow_deletions": {"enabled": rules.allow_deletions},
        "block_creations": {"enabled": rules.block_creations},
        "required_conversation_resolution": {"enabled": rules.conversation_resolution},
        "lock_branch": {"enabled": rules.lock_branch},
        "allow_fork_syncing": {"enabled": rules.allow_fork_syncing},
    }
    if rules.checks is not None:
        body["required_status_checks"] = {
            "url": f"{url}/required_status_checks",
            "strict": rules.strict,
            "contexts": [check.context for check in rules.checks],
            "contexts_url": f"{url}/required_status_checks/contexts",
            "checks": [{"context": check.context, "app_id": check.app_id} for check in rules.checks],
        }
    if rules.reviews is not None:
        body["required_pull_request_reviews"] = {
            "url": f"{url}/required_pull_request_reviews",
            "dismiss_stale_reviews": rules.reviews.dismiss_stale,
            "require_code_owner_reviews": rules.reviews.code_owners,
            "required_approving_review_count": rules.reviews.approvals,
            "require_last_push_approval": rules.reviews.last_push,
        }
    if rules.restrict_users is not None:
        body["restrictions"] = _restrictions(world, repo, rules, f"{url}/restrictions")
    return body


def _restrictions(world: World, repo: Repo, rules: Protection, url: str) -> JsonObject:
    return {
        "url": url,
        "users_url": f"{url}/users",
        "teams_url": f"{url}/teams",
        "apps_url": f"{url}/apps",
        "users": [simple_user(world, world.accounts[number]) for number in rules.restrict_users or ()],
        "teams": [team_simple(world, world.teams[number], repo) for number in rules.restrict_teams or ()],
        "apps": [integration(world, world.apps[number]) for number in rules.restrict_apps or ()],
    }


def _checks_summary(rules: Protection | None) -> JsonObject:
    checks = (rules.checks if rules else None) or ()
    level = "off" if not checks else "everyone" if rules and rules.enforce_admins else "non_admins"
    return {
        "enforcement_level": level,
        "contexts": [check.context for check in checks],
        "checks": [{"context": check.context, "app_id": check.app_id} for check in checks],
    }

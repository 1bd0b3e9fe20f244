"""May this caller do this? One rule per route, said in permissions (for Apps) and roles (for people)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bot.sandbox.auth import Actor, ActorKind
from bot.sandbox.model.accounts import Level, Role
from bot.sandbox.model.repos import Repo
from bot.sandbox.world import World


class Who(StrEnum):
    """Which kind of caller a route is for."""

    ANYONE = "anyone"
    TOKEN = "token"  # noqa: S105 - a kind of caller
    USER = "user"
    APP = "app"
    INSTALLATION = "installation"


@dataclass(frozen=True, slots=True)
class Needs:
    """What a route asks for.

    An installation needs one of `permissions` at `level`; a person needs `role` in the repository.
    https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps
    """

    who: Who = Who.TOKEN
    permissions: tuple[str, ...] = ("metadata",)
    level: Level = Level.READ
    role: Role = Role.READ


class Verdict(StrEnum):
    """The answer."""

    ALLOWED = "allowed"
    HIDDEN = "hidden"
    FORBIDDEN = "forbidden"


def reads(*permissions: str, role: Role = Role.READ) -> Needs:
    """A route that reads; anybody may on a public repository."""
    return Needs(Who.ANYONE, permissions or ("metadata",), Level.READ, role)


def writes(*permissions: str, role: Role = Role.WRITE) -> Needs:
    """A route that writes."""
    return Needs(Who.TOKEN, permissions, Level.WRITE, role)


def visible(world: World, actor: Actor, repo: Repo) -> bool:
    """Whether the caller may know that `repo` exists."""
    if not repo.private or actor.reaches(repo):
        return True
    if actor.kind is ActorKind.USER and actor.account:
        return world.role(actor.account, repo).allows(Role.READ)
    return False


def judge(world: World, actor: Actor, repo: Repo, needs: Needs) -> Verdict:
    """Whether `actor` may do in `repo` what a route with `needs` does."""
    if not visible(world, actor, repo):
        return Verdict.HIDDEN
    public_read = not repo.private and needs.level is Level.READ and needs.role is Role.READ
    if public_read:
        return Verdict.ALLOWED
    if actor.kind is ActorKind.USER and actor.account:
        enough = world.role(actor.account, repo).allows(needs.role)
    elif actor.kind is ActorKind.INSTALLATION and actor.reaches(repo):
        levels = (actor.level(name) for name in needs.permissions)
        enough = any(level is not None and level.allows(needs.level) for level in levels)
    else:
        enough = False
    return Verdict.ALLOWED if enough else Verdict.FORBIDDEN


def is_admin(world: World, actor: Actor, repo: Repo) -> bool:
    """Whether branch protection that spares administrators spares this caller."""
    return actor.kind is ActorKind.USER and actor.account is not None and world.role(actor.account, repo) is Role.ADMIN

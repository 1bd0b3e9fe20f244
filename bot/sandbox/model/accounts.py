"""Who there is: accounts, organisations, teams, Apps, and the tokens they sign in with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

# https://docs.github.com/en/organizations/managing-user-access-to-your-organizations-repositories
# /managing-repository-roles/repository-roles-for-an-organization
_ROLE_ORDER = ("none", "read", "triage", "write", "maintain", "admin")


class Role(StrEnum):
    """What somebody may do in one repository, from least to most."""

    NONE = "none"
    READ = "read"
    TRIAGE = "triage"
    WRITE = "write"
    MAINTAIN = "maintain"
    ADMIN = "admin"

    def allows(self, wanted: Role) -> bool:
        """Whether this role includes `wanted`."""
        return _ROLE_ORDER.index(self) >= _ROLE_ORDER.index(wanted)

    @property
    def permission(self) -> str:
        """The older four-valued name: maintain counts as write, triage as read."""
        return {"maintain": "write", "triage": "read"}.get(self, str(self))


class Level(StrEnum):
    """How far one permission of a GitHub App goes."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    def allows(self, wanted: Level) -> bool:
        """Whether this level includes `wanted`."""
        order = (Level.READ, Level.WRITE, Level.ADMIN)
        return order.index(self) >= order.index(wanted)


Permissions = Mapping[str, Level]


class AccountKind(StrEnum):
    """The `type` GitHub gives an account."""

    USER = "User"
    ORGANIZATION = "Organization"
    BOT = "Bot"


@dataclass(frozen=True, slots=True)
class Account:
    """A user, an organisation, or the bot user an App acts as."""

    id: int
    login: str
    kind: AccountKind
    name: str | None
    email: str | None
    created_at: datetime


class OrgRole(StrEnum):
    """A member's role in an organisation."""

    ADMIN = "admin"
    MEMBER = "member"


@dataclass(frozen=True, slots=True)
class Membership:
    """One user in one organisation."""

    id: int
    org_id: int
    account_id: int
    role: OrgRole


@dataclass(frozen=True, slots=True)
class Team:
    """A team; `every_repository` is its role on all of the organisation's repositories, present and future.

    https://docs.github.com/en/organizations/managing-peoples-access-to-your-organization-with-roles
    """

    id: int
    org_id: int
    slug: str
    name: str
    description: str | None = None
    privacy: str = "closed"
    every_repository: Role = Role.NONE


@dataclass(frozen=True, slots=True)
class TeamMember:
    """One user in one team; role `member` or `maintainer`."""

    id: int
    team_id: int
    account_id: int
    role: str = "member"


@dataclass(frozen=True, slots=True)
class TeamRepo:
    """A team's role on one repository."""

    id: int
    team_id: int
    repo_id: int
    role: Role


@dataclass(frozen=True, slots=True)
class App:
    """A GitHub App; `bot_id` is the account it acts as."""

    id: int
    slug: str
    name: str
    client_id: str
    owner_id: int
    bot_id: int
    public_key: str
    webhook_url: str
    webhook_secret: str
    permissions: Permissions
    events: tuple[str, ...]
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Installation:
    """An App on one account; `repositories` of None means all of that account's repositories."""

    id: int
    app_id: int
    account_id: int
    permissions: Permissions
    events: tuple[str, ...]
    created_at: datetime
    repositories: tuple[int, ...] | None = None
    suspended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class UserToken:
    """A user's personal token, by its SHA-256 digest."""

    id: int
    account_id: int
    digest: str


@dataclass(frozen=True, slots=True)
class InstallationToken:
    """An installation's token, by its SHA-256 digest, with what it was narrowed to."""

    id: int
    installation_id: int
    digest: str
    permissions: Permissions
    expires_at: datetime
    repositories: tuple[int, ...] | None = None

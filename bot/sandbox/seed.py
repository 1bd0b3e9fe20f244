"""The world a new sandbox starts with, and what a bot and a person need to use it.

`empty`: organisation `acme`, one account per role, the App `towpath` installed on the organisation.
`demo`: also what the seeders in `DEMO` add.
Private key and tokens stay in the directory, so a restart changes nothing for those who hold them.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from bot.sandbox import demo
from bot.sandbox.auth import new_user_token
from bot.sandbox.model.accounts import (
    Account,
    AccountKind,
    App,
    Installation,
    Level,
    Membership,
    OrgRole,
    Role,
    Team,
    TeamMember,
)
from bot.sandbox.server import HOST, Sandbox
from bot.sandbox.world import World

ORG = "acme"
APP_SLUG = "towpath"
# Roles on all of the organisation's repositories, by team; the owner has all by owning the organisation.
TEAMS: Mapping[str, Role] = {"maintainer": Role.MAINTAIN, "writer": Role.WRITE, "reader": Role.READ}
ACCOUNTS = ("owner", *TEAMS, "outsider")
PERMISSIONS: Mapping[str, Level] = {
    "actions": Level.WRITE,
    "administration": Level.WRITE,
    "checks": Level.WRITE,
    "contents": Level.WRITE,
    "deployments": Level.WRITE,
    "environments": Level.WRITE,
    "issues": Level.WRITE,
    "members": Level.READ,
    "metadata": Level.READ,
    "packages": Level.READ,
    "pull_requests": Level.WRITE,
    "statuses": Level.WRITE,
    "workflows": Level.WRITE,
}
EVENTS = (
    "branch_protection_rule",
    "check_run",
    "check_suite",
    "create",
    "delete",
    "deployment",
    "deployment_status",
    "issue_comment",
    "issues",
    "label",
    "member",
    "membership",
    "organization",
    "pull_request",
    "pull_request_review",
    "push",
    "registry_package",
    "repository",
    "repository_dispatch",
    "status",
    "team",
)


class Seed(StrEnum):
    """How much a new sandbox holds."""

    EMPTY = "empty"
    DEMO = "demo"


Seeder = Callable[[Sandbox], Awaitable[None]]
DEMO: tuple[Seeder, ...] = (demo.fill,)


@dataclass(frozen=True, slots=True)
class Keys:
    """What may be handed out: the App's id, where its private key is, its webhook secret, a token per login."""

    app_id: int
    private_key_path: Path
    webhook_secret: str
    webhook_url: str
    tokens: Mapping[str, str]


async def seed(sandbox: Sandbox, kind: Seed = Seed.EMPTY, webhook_url: str | None = None) -> Keys:
    """Fill a new world and hand out its keys; on a world that is filled already, only the latter.

    `webhook_url` is where the App hears of events; by default the next port's `/webhook`.
    """
    world, url = sandbox.world, webhook_url or f"http://{HOST}:{sandbox.port + 1}/webhook"
    key_path = world.directory / "app.pem"
    public_key = await asyncio.to_thread(_key_pair, key_path)
    new = world.organization(ORG) is None
    async with world.change():
        if new:
            _fill(world, public_key)
        app = world.apps.find(lambda row: row.slug == APP_SLUG)
        if app is None:
            raise LookupError(f"{world.directory} holds a world without the App {APP_SLUG!r}")
        app = world.apps.put(replace(app, webhook_url=url, public_key=public_key))
        tokens = _tokens(world)
    if new and kind is Seed.DEMO:
        for seeder in DEMO:
            await seeder(sandbox)
    return Keys(app.id, key_path, app.webhook_secret, url, tokens)


def env_file(sandbox: Sandbox, keys: Keys) -> str:
    """The settings for a bot and the tokens for people, as `NAME=value` lines."""
    values = {
        "GITHUB_API_URL": sandbox.world.api,
        "GITHUB_SERVER_URL": sandbox.url,
        "APP_ID": keys.app_id,
        "PRIVATE_KEY_PATH": keys.private_key_path,
        "WEBHOOK_SECRET": keys.webhook_secret,
        "WEBHOOK_URL": keys.webhook_url,
        "HOST": HOST,
        "PORT": sandbox.port + 1,
        "GITHUB_WRITE_INTERVAL": 0,
        "EGRESS_ALLOW": "*,127.0.0.0/8,::1",
        "DATA_DIR": sandbox.world.directory / "bot",
        **{f"TOKEN_{login.upper()}": token for login, token in keys.tokens.items()},
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner may read, all of it or nothing."""
    draft = path.with_name(f".{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def _fill(world: World, public_key: str) -> None:
    now = world.now()

    def account(login: str, kind: AccountKind, name: str | None = None) -> Account:
        return world.accounts.put(Account(world.new_id(), login, kind, name, None, now))

    org = account(ORG, AccountKind.ORGANIZATION, "Acme")
    people = {login: account(login, AccountKind.USER) for login in ACCOUNTS}
    for login in ("owner", *TEAMS):
        role = OrgRole.ADMIN if login == "owner" else OrgRole.MEMBER
        world.memberships.put(Membership(world.new_id(), org.id, people[login].id, role))
    for login, every in TEAMS.items():
        team = Team(world.new_id(), org.id, f"{login}s", f"{login}s", every_repository=every)
        world.teams.put(team)
        world.team_members.put(TeamMember(world.new_id(), team.id, people[login].id))
    bot = account(f"{APP_SLUG}[bot]", AccountKind.BOT)
    app = world.apps.put(
        App(
            world.new_id(),
            APP_SLUG,
            "Towpath",
            f"Iv23li{secrets.token_hex(7)}",
            org.id,
            bot.id,
            public_key,
            "",
            secrets.token_hex(20),
            PERMISSIONS,
            EVENTS,
            now,
        )
    )
    world.installations.put(Installation(world.new_id(), app.id, org.id, app.permissions, app.events, now))


def _tokens(world: World) -> Mapping[str, str]:
    path = world.directory / "tokens.json"
    tokens: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    missing = [login for login in ACCOUNTS if login not in tokens]
    for login in missing:
        account = world.account(login)
        if account is not None:
            tokens[login] = new_user_token(world, account)
    if missing:
        write_secret(path, json.dumps(tokens))
    return tokens


def _key_pair(path: Path) -> str:
    """The public half of the App's key; the private one is at `path`, made if missing."""
    if not path.exists():
        made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = made.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
        write_secret(path, pem.decode())
    # It was made here: proving its numbers to be primes would take longer than all the rest of a start.
    key = serialization.load_pem_private_key(path.read_bytes(), None, unsafe_skip_rsa_key_validation=True)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return public.decode()

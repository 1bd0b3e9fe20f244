"""Webhooks: JSON stops here. Each becomes one `Delivery`: which repositories want a look, which comment a command.

An event never carries a decision; it only says "look now" (DESIGN §3). So little of a payload is read, nothing in it
is trusted for more than a name, and whatever is missing or strange makes it mean less, never an error.
Payloads: https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bot.core.jobs import CommandRef, has_command
from bot.core.model import RepositoryName, WarehouseName
from bot.core.news import News
from bot.server import github_news
from bot.server.payloads import at, items, number, text

Json = Mapping[str, Any]

_NAME = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one webhook asks for. `id` is GitHub's delivery id, the same when it is delivered again.

    In `looks` everything that is watched is asked again. Of `news` whoever watches that is told; `warehouses` are
    those that a receiver's news concerns.
    """

    id: str
    event: str
    looks: tuple[RepositoryName, ...] = ()
    commands: tuple[CommandRef, ...] = ()
    news: tuple[News, ...] = ()
    warehouses: Mapping[RepositoryName, frozenset[WarehouseName]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.looks or self.commands or self.news or self.warehouses)


@dataclass(frozen=True, slots=True)
class Event:
    """One event that is handled, when its `actions` (empty: any) are.

    `permission` is what GitHub asks of an App that wants it; "" for what every App gets without asking.
    What Towpath did itself it knows already, but for the actions in `also_ours` ("*": any).
    """

    name: str
    permission: str
    actions: frozenset[str] = frozenset()
    also_ours: frozenset[str] = frozenset()


def _event(name: str, permission: str = "", actions: str = "", also_ours: str = "") -> Event:
    return Event(name, permission, frozenset(actions.split()), frozenset(also_ours.split()))


EVENTS: tuple[Event, ...] = (
    _event("check_run", "checks", "rerequested requested_action"),
    _event("check_suite", "checks", "completed rerequested"),
    _event("create", "contents", also_ours="*"),
    _event("issue_comment", "issues", "created"),
    _event("issues", "issues", "labeled unlabeled closed reopened"),
    _event("package", "packages", "published updated", also_ours="*"),
    _event(
        "pull_request",
        "pull_requests",
        "opened edited reopened closed synchronize labeled unlabeled ready_for_review converted_to_draft",
        also_ours="closed",  # a merge of ours moves a stage
    ),
    _event("pull_request_review", "pull_requests", "submitted dismissed"),
    _event("push", "contents", also_ours="*"),
    _event("registry_package", "packages", "published updated", also_ours="*"),
    _event("release", "contents", "published released", also_ours="*"),
    _event("repository", "metadata", "edited renamed transferred unarchived"),
    _event("repository_dispatch", "contents"),  # for pipelines: "there is something new, look now"
    _event("status", "statuses"),
    # These come to every App unasked, and can't be asked for.
    _event("installation", "", "created unsuspend new_permissions_accepted"),
    _event("installation_repositories", "", "added"),
)
_BY_NAME = {event.name: event for event in EVENTS}

HANDLED: tuple[str, ...] = tuple(event.name for event in EVENTS if event.permission)
"""What `app.yml` subscribes to."""


def translate(event: str, delivery_id: str, payload: Json, bot_login: str) -> Delivery:
    """What a webhook asks for, nothing for what isn't handled. Never raises, whatever the payload.

    `bot_login` is our own, `<slug>[bot]`: what we did ourselves needs no further look.
    """
    handled = _BY_NAME.get(event)
    action = text(payload, "action")
    nothing = Delivery(delivery_id, event)
    if handled is None or (handled.actions and action not in handled.actions):
        return nothing
    if _is_ours(payload, bot_login) and not handled.also_ours & {action, "*"}:
        return nothing
    match event:
        case "issue_comment":
            return Delivery(delivery_id, event, commands=_commands(payload, bot_login))
        case "installation":
            return Delivery(delivery_id, event, looks=_names(items(payload, "repositories")))
        case "installation_repositories":
            return Delivery(delivery_id, event, looks=_names(items(payload, "repositories_added")))
        case "create" | "package" | "registry_package" | "release":
            return replace(nothing, news=github_news.of(event, payload))
        case "push":
            looks = _names([at(payload, "repository")])
            return replace(nothing, looks=looks, news=github_news.of(event, payload))
        case "status" if text(payload, "state") == "pending":
            return nothing
        case _:
            return Delivery(delivery_id, event, looks=_names([at(payload, "repository")]))


def _commands(payload: Json, bot_login: str) -> tuple[CommandRef, ...]:
    """The comment, if it may hold a command. Its text is read again when that is carried out."""
    names = _names([at(payload, "repository")])
    issue, comment = number(payload, "issue", "number"), number(payload, "comment", "id")
    ours = text(payload, "comment", "user", "login") == bot_login
    if not names or not issue or not comment or ours or not has_command(text(payload, "comment", "body")):
        return ()
    return (CommandRef(names[0], issue, comment),)


def _is_ours(payload: Json, bot_login: str) -> bool:
    """Done by our App, or the end of our own check suite, whose sender is whoever pushed the commit."""
    if text(payload, "sender", "login") == bot_login:
        return True
    return text(payload, "action") == "completed" and f"{text(payload, 'check_suite', 'app', 'slug')}[bot]" == bot_login


def _names(repositories: Iterable[Any]) -> tuple[RepositoryName, ...]:
    names = (text(one, "full_name") for one in repositories)
    return tuple(dict.fromkeys(RepositoryName(name) for name in names if _NAME.fullmatch(name)))

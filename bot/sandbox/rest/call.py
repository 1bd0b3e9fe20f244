"""One REST call as a handler sees it, and what it answers with."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from bot.sandbox.access import Needs
from bot.sandbox.auth import Actor, ActorKind
from bot.sandbox.hooks import Hooks
from bot.sandbox.limits import Limits
from bot.sandbox.model.accounts import Account, Role
from bot.sandbox.model.issues import Issue
from bot.sandbox.model.repos import Repo
from bot.sandbox.rest.errors import ApiError, not_found, unprocessable
from bot.sandbox.world import World

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. `body` is JSON, or bytes or text to be sent as `content_type`; None sends nothing."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """The part of a list that was asked for. `total` counts the whole list."""

    items: Sequence[T]
    total: int
    headers: Mapping[str, str]

    def reply(self, body: Any) -> Reply:
        """`body` (the rendered items, perhaps in an object) with the `Link` header."""
        return Reply(body, headers=self.headers)


class Body(dict[str, Any]):
    """A request's JSON object, read field by field; a value of the wrong type is refused as GitHub does."""

    def text(self, name: str, default: str | None = None) -> str | None:
        """A string; absent gives `default`, null gives None."""
        value = self.get(name, default)
        if value is not None and not isinstance(value, str):
            raise self._wrong(name, value, "a string")
        if value is not None and not _writable(value):
            raise unprocessable(f"Invalid request.\n\nFor 'properties/{name}', the text holds what can't be stored.")
        return value

    def required_text(self, name: str) -> str:
        """A string that must be there."""
        value = self.text(name)
        if value is None:
            raise unprocessable(f'Invalid request.\n\n"{name}" wasn\'t supplied.')
        return value

    def flag(self, name: str, default: bool) -> bool:
        """A boolean; absent or null gives `default`."""
        value = self.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._wrong(name, value, "a boolean")
        return value

    def number(self, name: str) -> int | None:
        """An integer; absent or null gives None."""
        value = self.get(name)
        if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
            raise self._wrong(name, value, "an integer")
        return value

    def array(self, name: str, kind: type[T]) -> list[T] | None:
        """An array of `kind`; absent or null gives None."""
        value = self.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, kind) for item in value):
            raise self._wrong(name, value, "an array")
        return value

    def moment(self, name: str) -> datetime | None:
        """An ISO 8601 time; absent or null gives None."""
        text = self.text(name)
        try:
            return None if text is None else _moment(text)
        except ValueError as error:
            raise self._wrong(name, text, "a time") from error

    def record(self, name: str) -> Body | None:
        """An object; absent or null gives None."""
        value = self.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self._wrong(name, value, "an object")
        return Body(value)

    @staticmethod
    def _wrong(name: str, value: Any, wanted: str) -> ApiError:
        return unprocessable(f"Invalid request.\n\nFor 'properties/{name}', {value!r} is not {wanted}.")


@dataclass(frozen=True, slots=True)
class Call:
    """A call that may go ahead. `params` are the decoded parts of the path, `accept` the media type asked for."""

    world: World
    hooks: Hooks
    limits: Limits
    actor: Actor
    method: str
    path: str
    params: Mapping[str, str]
    query: Mapping[str, str]
    body: Body
    accept: str
    found: Repo | None

    @property
    def repo(self) -> Repo:
        """The repository in the path."""
        if self.found is None:
            raise not_found()
        return self.found

    @property
    def account(self) -> Account:
        """Who the call is by; 401 for nobody."""
        if self.actor.account is None:
            raise ApiError(401, "Requires authentication")
        return self.actor.account

    @property
    def via_app_id(self) -> int | None:
        """The App a write is made through, if any."""
        return self.actor.app.id if self.actor.app else None

    def trusted(self, role: Role) -> bool:
        """Whether the caller is a person with `role` here, or an App: what that may do was asked already."""
        if self.actor.kind is ActorKind.USER:
            return self.world.role(self.account, self.repo).allows(role)
        return self.actor.kind is ActorKind.INSTALLATION

    def number(self, name: str) -> int:
        """A number in the path; 404 for anything else."""
        text = self.params[name]
        if not text.isascii() or not text.isdigit() or len(text) > 18:
            raise not_found()
        return int(text)

    def since(self) -> datetime | None:
        """The time in the query's `since`; 422 if it is none."""
        text = self.query.get("since")
        try:
            return None if not text else _moment(text)
        except ValueError as error:
            raise unprocessable(f"Invalid request.\n\n'since' is not a time: {text!r}.") from error

    def issue(self, name: str = "issue_number") -> Issue:
        """The issue or pull request whose number is in the path; 404 if there is none."""
        issue = self.world.issue(self.repo, self.number(name))
        if issue is None:
            raise not_found()
        return issue

    def pull(self) -> Issue:
        """The pull request whose number is in the path; 404 if there is none."""
        issue = self.issue("pull_number")
        if issue.pull is None:
            raise not_found()
        return issue

    def page(self, rows: Sequence[T], per_page: int = 30) -> Page[T]:
        """The page of `rows` that `page` and `per_page` (at most 100) ask for.

        https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
        """
        size = min(max(_whole(self.query.get("per_page"), per_page), 1), 100)
        number = max(_whole(self.query.get("page"), 1), 1)
        last = max((len(rows) + size - 1) // size, 1)
        targets = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
        wanted = [rel for rel in targets if (rel in ("prev", "first") and number > 1)]
        wanted += [rel for rel in targets if (rel in ("next", "last") and number < last)]
        link = ", ".join(f'<{self._address(targets[rel])}>; rel="{rel}"' for rel in wanted)
        start = (number - 1) * size
        return Page(rows[start : start + size], len(rows), {"Link": link} if link else {})

    def _address(self, page: int) -> str:
        query = urlencode({**self.query, "page": str(page)})
        return f"{self.world.api}{self.path}?{query}"


Handler = Callable[[Call], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation: GitHub's method and path template, who may use it, and what does it.

    A body that is a bare array is read as the field `array` of an object, where GitHub takes both.
    """

    method: str
    path: str
    handler: Handler
    needs: Needs
    array: str | None = None


def _writable(text: str) -> bool:
    """Whether Git and UTF-8 can hold it: JSON can say NUL and half a surrogate pair, they cannot."""
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _moment(text: str) -> datetime:
    """A time in whole seconds; without a zone it is UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text).replace(microsecond=0)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _whole(text: str | None, default: int) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else default

"""GitHub as a repository's secrets see it: whatever the bot writes there has them masked."""

from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from typing import Any, TypeVar, cast

from cachetools import LRUCache

from bot.core.facts import CheckRun, Comment, PullRequest
from bot.engine.ports import View
from bot.engine.redaction import Redactor

_REMEMBERED = 256  # texts in which something was masked: there should be next to none
T = TypeVar("T")


def masked(port: View, redactor: Redactor, written: "Written") -> View:
    """The same port with a last look at its texts."""
    return cast(View, _Masked(port, redactor, written))  # what it doesn't define itself is the port's


class Written:
    """What masked texts were meant to be: what is read again looks as it was written, and is not written anew."""

    def __init__(self) -> None:
        self._meant: LRUCache[str, str] = LRUCache(_REMEMBERED)

    def keep(self, text: str, masked_text: str) -> str:
        if text != masked_text:
            self._meant[masked_text] = text
        return masked_text

    def as_meant(self, facts: T) -> T:
        """A pull request, comment or check run with its texts as they were meant."""
        if not self._meant or not is_dataclass(facts) or isinstance(facts, type):
            return facts
        texts = {field.name: getattr(facts, field.name) for field in fields(facts)}
        meant = {
            name: self._meant[text] for name, text in texts.items() if isinstance(text, str) and text in self._meant
        }
        return replace(facts, **meant) if meant else facts


class _Masked:
    def __init__(self, port: View, redactor: Redactor, written: Written) -> None:
        self._port = port
        self._redactor = redactor
        self._written = written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    # --- what is written ----------------------------------------------------------------------------

    async def create_pull(self, head: str, base: str, title: str, body: str, *, draft: bool = False) -> PullRequest:
        title, body = self._mask(title), self._mask(body)
        return self._meant(await self._port.create_pull(head, base, title, body, draft=draft))

    async def update_pull(
        self, number: int, *, title: str | None = None, body: str | None = None, open: bool | None = None
    ) -> PullRequest:
        title = None if title is None else self._mask(title)
        body = None if body is None else self._mask(body)
        return self._meant(await self._port.update_pull(number, title=title, body=body, open=open))

    async def create_comment(self, number: int, body: str) -> Comment:
        return self._meant(await self._port.create_comment(number, self._mask(body)))

    async def update_comment(self, comment_id: int, body: str) -> None:
        await self._port.update_comment(comment_id, self._mask(body))

    async def put_check_run(self, check: CheckRun) -> CheckRun:
        notes = tuple(
            replace(note, message=self._mask(note.message), title=self._mask(note.title)) for note in check.annotations
        )
        clean = replace(
            check,
            title=self._mask(check.title),
            summary=self._mask(check.summary),
            text=self._mask(check.text),
            annotations=notes,
        )
        return self._meant(await self._port.put_check_run(clean))

    # --- what is read again -------------------------------------------------------------------------

    async def recent_pulls(self) -> tuple[PullRequest, ...]:
        return self._all_meant(await self._port.recent_pulls())

    async def pulls_from(self, branch: str, limit: int = 10) -> tuple[PullRequest, ...]:
        return self._all_meant(await self._port.pulls_from(branch, limit))

    async def pull(self, number: int) -> PullRequest:
        return self._meant(await self._port.pull(number))

    async def check_runs(self, sha: Any) -> tuple[CheckRun, ...]:
        return self._all_meant(await self._port.check_runs(sha))

    async def comments(self, number: int, since: datetime | None = None) -> tuple[Comment, ...]:
        return self._all_meant(await self._port.comments(number, since))

    async def recent_comments(self, since: datetime) -> tuple[Comment, ...]:
        return self._all_meant(await self._port.recent_comments(since))

    async def comment(self, comment_id: int) -> Comment | None:
        return self._meant(await self._port.comment(comment_id))

    def _mask(self, text: str) -> str:
        return self._written.keep(text, self._redactor.mask(text))

    def _meant(self, facts: T) -> T:
        return self._written.as_meant(facts)

    def _all_meant(self, facts: Sequence[T]) -> tuple[T, ...]:
        return tuple(self._meant(one) for one in facts)

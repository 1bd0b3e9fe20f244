"""GitHub and Git as a repository's secrets see them: whatever the bot writes there has them masked.

What a step writes into files, and what it names a branch, is its author's will.
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from cachetools import LRUCache

from bot.contracts.git import Git, Identity
from bot.contracts.github_areas import Deployment, Deployments, DeploymentStatus, GitObjects
from bot.core.facts import CheckRun, Comment, PullRequest
from bot.core.model import CommitSha
from bot.engine.ports import View
from bot.engine.redaction import Redactor

_REMEMBERED = 256  # texts in which something was masked: there should be next to none
T = TypeVar("T")


def masked(port: View, redactor: Redactor, written: "Written") -> View:
    """The same port with a last look at its texts."""
    return cast(View, _Masked(port, redactor, written))  # what it doesn't define itself is the port's


def masked_git(port: Git, redactor: Redactor) -> Git:
    """The same port with a last look at the messages of commits and tags."""
    return cast(Git, _MaskedGit(port, redactor))


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

    @property
    def deployments(self) -> Deployments:
        return cast(Deployments, _MaskedDeployments(self._port.deployments, self._redactor, self._written))

    @property
    def objects(self) -> GitObjects:
        return _MaskedObjects(self._port.objects, self._redactor)

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


class _MaskedDeployments:
    def __init__(self, port: Deployments, redactor: Redactor, written: Written) -> None:
        self._port = port
        self._redactor = redactor
        self._written = written

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    async def create(
        self, ref: str, environment: str, task: str, description: str, payload: Mapping[str, Any]
    ) -> Deployment:
        description, payload = self._redactor.mask(description), self._redactor.mask_all(payload)
        return await self._port.create(ref, environment, task, description, payload)

    async def status(self, deployment: int) -> DeploymentStatus | None:
        return self._written.as_meant(await self._port.status(deployment))

    async def set_status(self, deployment: int, status: DeploymentStatus, *, auto_inactive: bool = True) -> None:
        clean = replace(
            status,
            description=self._mask(status.description),
            environment_url=self._mask(status.environment_url),
            log_url=self._mask(status.log_url),
        )
        await self._port.set_status(deployment, clean, auto_inactive=auto_inactive)

    def _mask(self, text: str) -> str:
        return self._written.keep(text, self._redactor.mask(text))


class _MaskedObjects:
    def __init__(self, port: GitObjects, redactor: Redactor) -> None:
        self._port = port
        self._redactor = redactor

    async def write_commit(self, message: str, tree: str, parents: Sequence[CommitSha]) -> CommitSha:
        return await self._port.write_commit(self._redactor.mask(message), tree, parents)


class _MaskedGit:
    def __init__(self, port: Git, redactor: Redactor) -> None:
        self._port = port
        self._redactor = redactor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._port, name)

    async def commit(
        self, worktree: Path, message: str, *, author: Identity, paths: Sequence[str] = ()
    ) -> CommitSha | None:
        message, author = self._redactor.mask(message), self._masked(author)
        return await self._port.commit(worktree, message, author=author, paths=paths)

    async def tag(self, worktree: Path, name: str, message: str, *, tagger: Identity, force: bool = False) -> CommitSha:
        message, tagger = self._redactor.mask(message), self._masked(tagger)
        return await self._port.tag(worktree, name, message, tagger=tagger, force=force)

    def _masked(self, who: Identity) -> Identity:
        return Identity(self._redactor.mask(who.name), self._redactor.mask(who.email))

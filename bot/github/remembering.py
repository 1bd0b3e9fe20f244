"""What GitHub said during one look, asked once: the same port, with a memory that its own writes keep true."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar, cast

from bot.contracts import GitHub
from bot.contracts.github_areas import Deployments, GitObjects, Reviewing, Workflows
from bot.core.facts import CheckRun, Comment, Permission, PullRequest
from bot.core.model import CommitSha, RepositoryName

T = TypeVar("T")
Key = tuple[Any, ...]  # kind, then arguments

_PULLS = ("recent pulls", "pulls from", "pull")


class Remembering:
    """Wraps a `GitHub` port for the time of one look; `forget` begins the next.

    Remembered: pull requests and lists of them, check runs, comments and our own reactions. Never remembered: what
    somebody may do, because that is asked at the moment it counts, and a `mergeable` that GitHub doesn't know yet.
    A write that fails leaves nothing remembered about what it was to change.
    """

    def __init__(self, port: GitHub) -> None:
        self._port = port
        self._known: dict[Key, Any] = {}
        self._listed = 0.0

    @property
    def listed(self) -> float:
        """When GitHub last told what `recent_pulls` gives (`time.monotonic`); 0.0: not yet."""
        return self._listed

    def forget(self) -> None:
        self._known.clear()

    @property
    def repository(self) -> RepositoryName:
        return self._port.repository

    @property
    def bot_login(self) -> str:
        return self._port.bot_login

    # --- what is asked at the moment it counts, and so never remembered ------------------------------

    @property
    def reviewing(self) -> Reviewing:
        return self._port.reviewing

    @property
    def workflows(self) -> Workflows:
        return self._port.workflows

    @property
    def deployments(self) -> Deployments:
        return self._port.deployments

    @property
    def objects(self) -> GitObjects:
        return self._port.objects

    # --- pull requests ------------------------------------------------------------------------------

    async def recent_pulls(self) -> tuple[PullRequest, ...]:
        return await self._once(("recent pulls",), self._list)

    async def _list(self) -> tuple[PullRequest, ...]:
        pulls = await self._port.recent_pulls()
        self._listed = time.monotonic()
        return pulls

    async def pulls_from(self, branch: str, limit: int = 10) -> tuple[PullRequest, ...]:
        return await self._once(("pulls from", branch, limit), lambda: self._port.pulls_from(branch, limit))

    async def pull(self, number: int) -> PullRequest:
        known: PullRequest | None = self._known.get(("pull", number))
        return known or self._keep(await self._port.pull(number))

    async def changed_files(self, number: int) -> tuple[str, ...]:
        return await self._port.changed_files(number)

    async def read_file(self, path: str, ref: str) -> bytes | None:
        return await self._port.read_file(path, ref)

    async def list_folder(self, path: str, ref: str) -> tuple[tuple[str, bool], ...]:
        return await self._port.list_folder(path, ref)

    async def create_pull(self, head: str, base: str, title: str, body: str, *, draft: bool = False) -> PullRequest:
        return await self._write_pull(self._port.create_pull(head, base, title, body, draft=draft))

    async def update_pull(
        self, number: int, *, title: str | None = None, body: str | None = None, open: bool | None = None
    ) -> PullRequest:
        return await self._write_pull(self._port.update_pull(number, title=title, body=body, open=open))

    async def merge_pull(self, number: int, head_sha: CommitSha, method: str) -> CommitSha:
        self._forget(*_PULLS)  # a merge may close others, and a refusal to merge says that we knew too little
        return await self._port.merge_pull(number, head_sha, method)

    async def add_labels(self, number: int, labels: Sequence[str]) -> None:
        await self._relabel(number, self._port.add_labels(number, labels), lambda have: have | set(labels))

    async def remove_label(self, number: int, label: str) -> None:
        await self._relabel(number, self._port.remove_label(number, label), lambda have: have - {label})

    # --- check runs ---------------------------------------------------------------------------------

    async def check_runs(self, sha: CommitSha) -> tuple[CheckRun, ...]:
        return await self._once(("check runs", sha), lambda: self._port.check_runs(sha))

    async def put_check_run(self, check: CheckRun) -> CheckRun:
        key = ("check runs", check.head_sha)
        known: tuple[CheckRun, ...] | None = self._known.pop(key, None)
        stored = await self._port.put_check_run(check)
        if known is not None:
            self._known[key] = (*(run for run in known if run.name != stored.name), stored)
        return stored

    # --- comments -----------------------------------------------------------------------------------

    async def comments(self, number: int, since: datetime | None = None) -> tuple[Comment, ...]:
        return await self._once(("comments", number, since), lambda: self._port.comments(number, since))

    async def recent_comments(self, since: datetime) -> tuple[Comment, ...]:
        return await self._once(("recent comments", since), lambda: self._port.recent_comments(since))

    async def comment(self, comment_id: int) -> Comment | None:
        return await self._port.comment(comment_id)

    async def create_comment(self, number: int, body: str) -> Comment:
        self._forget("comments", "recent comments")
        return await self._port.create_comment(number, body)

    async def update_comment(self, comment_id: int, body: str) -> None:
        self._forget("comments", "recent comments")
        await self._port.update_comment(comment_id, body)

    async def react(self, comment_id: int, content: str) -> None:
        self._known.pop(("own reactions", comment_id), None)
        await self._port.react(comment_id, content)

    async def own_reactions(self, comment_id: int) -> frozenset[str]:
        return await self._once(("own reactions", comment_id), lambda: self._port.own_reactions(comment_id))

    # --- people -------------------------------------------------------------------------------------

    async def permission(self, login: str) -> Permission:
        return await self._port.permission(login)

    async def is_team_member(self, organisation: str, team: str, login: str) -> bool:
        return await self._port.is_team_member(organisation, team, login)

    # --- the memory ---------------------------------------------------------------------------------

    async def _once(self, key: Key, ask: Callable[[], Awaitable[T]]) -> T:
        if key not in self._known:
            self._known[key] = await ask()
        return cast(T, self._known[key])

    def _forget(self, *kinds: str) -> None:
        self._known = {key: value for key, value in self._known.items() if key[0] not in kinds}

    async def _write_pull(self, write: Awaitable[PullRequest]) -> PullRequest:
        before = self._known
        self._forget(*_PULLS)
        pull = await write
        self._known = before
        listed = replace(pull, mergeable=None)  # as GitHub has it in lists
        for key, known in list(before.items()):
            match key:
                case ("recent pulls",):
                    self._known[key] = _with(listed, known)
                case ("pulls from", pull.head_branch, limit):
                    self._known[key] = _with(listed, known)[:limit]
        return self._keep(pull)

    def _keep(self, pull: PullRequest) -> PullRequest:
        if pull.open and pull.mergeable is None:
            self._known.pop(("pull", pull.number), None)
        else:
            self._known["pull", pull.number] = pull
        return pull

    async def _relabel(
        self, number: int, write: Awaitable[None], change: Callable[[frozenset[str]], frozenset[str]]
    ) -> None:
        before = self._known
        self._forget(*_PULLS)
        await write
        self._known = before

        def relabelled(pull: PullRequest) -> PullRequest:
            return replace(pull, labels=change(pull.labels)) if pull.number == number else pull

        for key, known in list(before.items()):
            match key[0]:
                case "pull":
                    self._known[key] = relabelled(known)
                case "recent pulls" | "pulls from":
                    self._known[key] = tuple(relabelled(one) for one in known)


def _with(pull: PullRequest, known: tuple[PullRequest, ...]) -> tuple[PullRequest, ...]:
    """Newest first, as the port lists them."""
    others = (one for one in known if one.number != pull.number)
    return tuple(sorted((pull, *others), key=lambda one: one.number, reverse=True))

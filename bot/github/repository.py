"""The `GitHub` port (`bot.contracts.github`) for one repository, on GitHub's REST API."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import quote

from bot.contracts import NotMergeable
from bot.core.facts import CheckRun, Comment, Permission, PullRequest
from bot.core.model import CommitSha, RepositoryName
from bot.errors import UserError
from bot.github import checks, merge_queue, parse, routes, texts
from bot.github.actions import Workflows
from bot.github.client import Client, Refused
from bot.github.deployments import Deployments
from bot.github.git_objects import GitObjects
from bot.github.merge_queue import MergeQueue
from bot.github.reviewing import Reviewing
from bot.github.routes import Route

_RECENT_PULLS = 50


class WhoWeAre(Protocol):
    """What the port must know of the App."""

    @property
    def id(self) -> int: ...
    @property
    def login(self) -> str: ...


class Repository:
    """Each method is one call (more for long lists), and does what `bot.contracts.GitHub` says of it."""

    def __init__(self, client: Client, name: RepositoryName, app: WhoWeAre) -> None:
        self._client = client
        self._name = name
        self._app = app
        self._path = parse.owner_and_repo(name)
        self.reviewing = Reviewing(client, name)
        self.workflows = Workflows(client, name, app.login)
        self.deployments = Deployments(client, name)
        self.objects = GitObjects(client, name)

    @property
    def repository(self) -> RepositoryName:
        return self._name

    @property
    def bot_login(self) -> str:
        return self._app.login

    # --- pull requests ------------------------------------------------------------------------------

    async def recent_pulls(self) -> tuple[PullRequest, ...]:
        found = await self._get(
            routes.LIST_PULLS, state="all", sort="updated", direction="desc", per_page=_RECENT_PULLS
        )
        if len(found) >= _RECENT_PULLS:  # then an open one that nobody touched may be further back
            found = [*found, *await self._client.pages(routes.LIST_PULLS, **self._path, state="open")]
        pulls = (parse.read(parse.pull_request, one) for one in found)
        return _newest_first({pull.number: pull for pull in pulls}.values())

    async def pulls_from(self, branch: str, limit: int = 10) -> tuple[PullRequest, ...]:
        # The filter goes by owner and branch: a fork of the same owner would pass it.
        found = await self._get(
            routes.LIST_PULLS,
            state="all",
            head=f"{self._path['owner']}:{branch}",
            sort="created",
            direction="desc",
            per_page=max(1, min(limit, 100)),
        )
        pulls = (parse.read(parse.own_pull_request, one) for one in found)
        return _newest_first(one for one in pulls if one is not None)

    async def pull(self, number: int) -> PullRequest:
        return parse.read(parse.pull_request, await self._get(routes.GET_PULL, pull_number=number))

    async def changed_files(self, number: int) -> tuple[str, ...]:
        found = await self._client.pages(routes.LIST_PULL_FILES, **self._path, pull_number=number)
        return tuple(path for one in found for path in parse.read(parse.changed_file, one))

    async def read_file(self, path: str, ref: str) -> bytes | None:
        content = await self._content(path, ref)
        return content if isinstance(content, bytes) else None

    async def list_folder(self, path: str, ref: str) -> tuple[tuple[str, bool], ...]:
        content = await self._content(path, ref)
        return content if isinstance(content, tuple) else ()

    async def create_pull(self, head: str, base: str, title: str, body: str, *, draft: bool = False) -> PullRequest:
        request: dict[str, Any] = {"head": head, "base": base, "title": _title(title), "body": _body(body)}
        if draft:
            request["draft"] = True
        try:
            return parse.read(parse.pull_request, await self._send(routes.CREATE_PULL, request))
        except Refused as refusal:
            if draft and refusal.status == 422 and "draft" in refusal.message.lower():
                raise UserError(f"{self._name} takes no draft pull requests; leave `draft` out") from refusal
            if refusal.status != 422 or "already exists" not in refusal.message:
                raise
            found = await self._get(
                routes.LIST_PULLS, state="open", head=f"{self._path['owner']}:{head}", base=base, per_page=10
            )
            ours = [one for data in found if (one := parse.read(parse.own_pull_request, data))]
            if not ours:  # closed since; the next look opens a new one
                raise
            if (ours[0].title, ours[0].body) == (request["title"], request["body"]):
                return ours[0]
            return await self.update_pull(ours[0].number, title=title, body=body)

    async def update_pull(
        self, number: int, *, title: str | None = None, body: str | None = None, open: bool | None = None
    ) -> PullRequest:
        request: dict[str, str] = {}
        if title is not None:
            request["title"] = _title(title)
        if body is not None:
            request["body"] = _body(body)
        if open is not None:
            request["state"] = "open" if open else "closed"
        return parse.read(parse.pull_request, await self._send(routes.UPDATE_PULL, request, pull_number=number))

    async def merge_pull(self, number: int, head_sha: CommitSha, method: str) -> CommitSha:
        try:
            answer = await self._send(routes.MERGE_PULL, {"sha": head_sha, "merge_method": method}, pull_number=number)
        except Refused as refusal:
            if refusal.status not in (405, 409):
                raise
            pull = await self.pull(number)
            if pull.merge_sha is not None and pull.head_sha == head_sha:
                return pull.merge_sha
            if merge_queue.is_meant(refusal.message):
                await self._enter_queue(number, head_sha)
            raise NotMergeable(refusal.message) from refusal
        return parse.read(_merge_commit, answer)

    async def _enter_queue(self, number: int, head_sha: CommitSha) -> None:
        """GitHub merges when its turn comes; until then it is not merged. Always raises NotMergeable, or Retry."""
        try:
            await MergeQueue(self._client, self._name).enter(number, head_sha)
        except Refused as refusal:
            raise NotMergeable(refusal.message) from refusal
        raise NotMergeable(f"#{number} is in the merge queue")

    async def add_labels(self, number: int, labels: Sequence[str]) -> None:
        """GitHub creates labels that the repository doesn't have yet."""
        if labels:
            await self._send(routes.ADD_LABELS, {"labels": list(labels)}, issue_number=number)

    async def remove_label(self, number: int, label: str) -> None:
        try:
            await self._client.call(routes.REMOVE_LABEL, **self._path, issue_number=number, name=label)
        except Refused as refusal:
            if refusal.status != 404:
                raise

    # --- check runs ---------------------------------------------------------------------------------

    async def check_runs(self, sha: CommitSha) -> tuple[CheckRun, ...]:
        found = await self._client.pages(
            routes.LIST_CHECK_RUNS, "check_runs", **self._path, ref=sha, filter="latest", app_id=self._app.id
        )
        # `latest` is by check suite, and a commit may have several of ours
        runs = sorted((parse.read(parse.check_run, one) for one in found), key=lambda run: run.id)
        return tuple({run.name: run for run in runs}.values())

    async def put_check_run(self, check: CheckRun) -> CheckRun:
        """GitHub appends annotations and never takes one back, so only those it lacks by count are sent."""
        request = checks.request(check)
        if check.id:
            if output := request.get("output"):
                output.pop("annotations", None)
            answer = await self._send(routes.UPDATE_CHECK_RUN, request, check_run_id=check.id)
        else:
            answer = await self._send(routes.CREATE_CHECK_RUN, request | {"head_sha": check.head_sha})
        stored = parse.read(parse.check_run, answer)
        has = parse.read(parse.annotations_count, answer) if check.id else checks.PART
        for first in range(has, len(check.annotations), checks.PART):
            part = {"output": checks.output(check, first)}
            await self._send(routes.UPDATE_CHECK_RUN, part, check_run_id=stored.id)
        return replace(stored, annotations=check.annotations, actions=check.actions)

    # --- comments -----------------------------------------------------------------------------------

    async def comments(self, number: int, since: datetime | None = None) -> tuple[Comment, ...]:
        found = await self._client.pages(
            routes.LIST_COMMENTS, **self._path, issue_number=number, since=texts.moment(since) if since else None
        )
        return _oldest_first(found)

    async def recent_comments(self, since: datetime) -> tuple[Comment, ...]:
        found = await self._client.pages(
            routes.LIST_ALL_COMMENTS, **self._path, since=texts.moment(since), sort="updated", direction="asc"
        )
        return _oldest_first(found)

    async def comment(self, comment_id: int) -> Comment | None:
        try:
            return parse.read(parse.comment, await self._get(routes.GET_COMMENT, comment_id=comment_id))
        except Refused as refusal:
            if refusal.status not in (404, 410):
                raise
            return None

    async def create_comment(self, number: int, body: str) -> Comment:
        answer = await self._send(routes.CREATE_COMMENT, {"body": _body(body)}, issue_number=number)
        return parse.read(parse.comment, answer)

    async def update_comment(self, comment_id: int, body: str) -> None:
        await self._send(routes.UPDATE_COMMENT, {"body": _body(body)}, comment_id=comment_id)

    async def react(self, comment_id: int, content: str) -> None:
        await self._send(routes.CREATE_REACTION, {"content": content}, comment_id=comment_id)

    async def own_reactions(self, comment_id: int) -> frozenset[str]:
        found = await self._client.pages(routes.LIST_REACTIONS, **self._path, comment_id=comment_id)
        reactions = (parse.read(parse.reaction, one) for one in found)
        return frozenset(content for login, content in reactions if login == self.bot_login)

    # --- people -------------------------------------------------------------------------------------

    async def permission(self, login: str) -> Permission:
        try:
            return parse.read(parse.permission, await self._get(routes.GET_PERMISSION, username=login))
        except Refused as refusal:
            if refusal.status != 404:
                raise
            return Permission.NONE

    async def is_team_member(self, organisation: str, team: str, login: str) -> bool:
        try:
            answer = await self._client.call(routes.GET_MEMBERSHIP, org=organisation, team_slug=team, username=login)
        except Refused as refusal:
            if refusal.status != 404:
                raise
            return False
        return parse.read(parse.membership, answer)

    async def _content(self, path: str, ref: str) -> parse.Content:
        try:
            return parse.read(parse.content, await self._get(routes.GET_CONTENT, path=quote(path), ref=ref))
        except Refused as refusal:
            if refusal.status != 404:
                raise
            return None

    async def _get(self, route: Route, **values: Any) -> Any:
        return await self._client.call(route, **self._path, **values)

    async def _send(self, route: Route, data: Any, **values: Any) -> Any:
        return await self._client.call(route, data, **self._path, **values)


def _title(text: str) -> str:
    return texts.line(text, texts.TITLE_CHARACTERS)


def _body(text: str) -> str:
    return texts.by_characters(text, texts.BODY_CHARACTERS)


def _newest_first(pulls: Iterable[PullRequest]) -> tuple[PullRequest, ...]:
    return tuple(sorted(pulls, key=lambda one: one.number, reverse=True))


def _merge_commit(data: parse.Json) -> CommitSha:
    return CommitSha(data["sha"])


def _oldest_first(found: Sequence[Any]) -> tuple[Comment, ...]:
    return tuple(sorted((parse.read(parse.comment, one) for one in found), key=lambda one: one.id))

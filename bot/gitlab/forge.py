"""The merge requests of one GitLab project (`bot.contracts.forges.Forge`).

https://docs.gitlab.com/api/merge_requests/
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from bot.contracts import Clock, Http
from bot.contracts.forges import ForgePull, NewPull
from bot.contracts.git import Credentials
from bot.core.model import CommitSha
from bot.errors import UserError
from bot.gitlab import parse, texts
from bot.gitlab.address import address
from bot.gitlab.client import Client, Refused
from bot.gitlab.merging import Merging
from bot.gitlab.parse import MergeRequest, Project
from bot.gitlab.refusals import told

_OPENING = "open a merge request"


class GitLabForge:
    """Made for one look: what it learns of the project itself it asks once.

    The project is named by its number, so that a project that has moved is found at its old path too:
    https://docs.gitlab.com/api/rest/#redirects
    """

    def __init__(self, http: Http, url: str, credentials: Credentials, clock: Clock) -> None:
        """`url` is the repository's. `credentials` are asked for its page's address, and their password is the token.

        Raises UserError for a URL that no project of GitLab's can have.
        """
        self._address = address(url)
        self._client = Client(http, self._address, credentials, clock)
        self._known: Project | None = None

    async def open_pull(self, new: NewPull) -> ForgePull:
        _check_labels(new.labels)
        found = await self._opened(new)
        assignees = await self._ids(new.assignees, found.assignees if found else {})
        reviewers = await self._ids(new.reviewers, found.reviewers if found else {})
        if found is None:
            try:
                made = await self._create(new, assignees, reviewers)
            except Refused as refusal:
                found = await self._opened(new) if refusal.status == 409 else None  # somebody was quicker
                if found is None:
                    raise told(refusal, self._address, _OPENING, "Developer") from refusal
            else:
                self._expect_all(made.pull.number, assignees, made.assignees, "assignee")
                self._expect_all(made.pull.number, reviewers, made.reviewers, "reviewer")
                return made.pull
        return await self._bring_up_to_date(found, new, assignees, reviewers)

    async def pull(self, number: int) -> ForgePull:
        return (await self._request(number)).pull

    async def merge_pull(self, number: int, head_sha: CommitSha, method: str) -> CommitSha | None:
        """`squash` squashes; "merge" and "" merge as the project says: by merge commit, or fast-forward.

        Where the pipeline must succeed first this is NotMergeable, and GitLab is not asked to merge on its own later:
        then nobody would look whether that is still wanted. A merge train is joined, as it is the project's only way.
        """
        if method not in {"", "merge", "squash"}:
            raise UserError(
                f"GitLab has no way to merge that is called {method!r}: choose squash, or merge, which is the way "
                f"that is set in {self._address.url} (merge commit, semi-linear history or fast-forward)"
            )
        project = await self._project()
        squash = method == "squash"
        if squash and project.squash == "never":
            raise UserError(f"{self._address.url} does not allow to squash; choose merge, or change its settings")
        merging = Merging(self._client, project, number, head_sha, squash=squash)
        try:
            return await merging.merge(await self._request(number), lambda: self._request(number))
        except Refused as refusal:
            if refusal.status in {401, 403} and not refusal.error:  # 401 is what GitLab says for the role here
                raise UserError(
                    f"the token for {self._address.url} may not merge !{number} ({refusal.message}); whose it is needs "
                    "a role that may merge into its target branch: Maintainer, or whom the branch's protection allows"
                ) from refusal
            raise told(refusal, self._address, f"merge !{number}", "Maintainer") from refusal

    # --- what is there --------------------------------------------------------------------------------

    async def _project(self) -> Project:
        if self._known is None:
            try:
                answer = await self._client.get(f"/projects/{self._address.project}")
            except Refused as refusal:
                raise told(refusal, self._address, "read the project", "Developer") from refusal
            found = parse.read(parse.project, answer)
            here = urlsplit(self._address.origin)
            if (here.scheme, here.port) == ("http", None) and found.url.startswith("https:"):  # what redirects us
                raise UserError(f"{self._address.url} is {found.url} now; write that as repoURL, with https")
            self._known = found
        return self._known

    async def _request(self, number: int) -> MergeRequest:
        path = f"{await self._requests()}/{number}"
        try:
            answer = await self._client.get(path)
        except Refused as refusal:
            if refusal.status == 404:
                raise UserError(f"{self._address.url} has no merge request !{number}") from refusal
            raise told(refusal, self._address, "read merge requests", "Developer") from refusal
        return parse.read(parse.merge_request, answer)

    async def _requests(self) -> str:
        return f"/projects/{(await self._project()).id}/merge_requests"

    async def _opened(self, new: NewPull) -> MergeRequest | None:
        """The open one of these branches; a fork may have one of the same name, which is another."""
        path = await self._requests()
        try:
            answers = await self._client.pages(
                path, state="opened", source_branch=new.source, target_branch=new.target, scope="all"
            )
        except Refused as refusal:
            raise told(refusal, self._address, "read merge requests", "Developer") from refusal
        found = (parse.read(parse.merge_request, answer) for answer in answers)
        return next((one for one in found if one.own), None)

    async def _ids(self, names: Iterable[str], known: Mapping[str, int]) -> Mapping[str, int]:
        """Ids by login, in lower case. https://docs.gitlab.com/api/users/#list-users. Raises UserError."""
        ids: dict[str, int] = {}
        for name in {name.removeprefix("@").lower(): None for name in names}:
            if "/" in name:
                raise UserError(f"{name!r} is no login: GitLab asks people only, no groups")
            if name in known:
                ids[name] = known[name]
                continue
            try:
                answer = await self._client.get("/users", username=name)
            except Refused as refusal:
                raise told(refusal, self._address, "look people up", "Developer") from refusal
            found = parse.read(parse.users, answer)
            if name not in found:
                raise UserError(f"{self._address.origin} has no user {name!r}; correct the name, or leave it out")
            ids[name] = found[name]
        return ids

    # --- what changes ---------------------------------------------------------------------------------

    async def _create(self, new: NewPull, assignees: Mapping[str, int], reviewers: Mapping[str, int]) -> MergeRequest:
        data: dict[str, Any] = {
            "source_branch": new.source,
            "target_branch": new.target,
            "title": texts.title(new.title, draft=new.draft),
            "description": texts.description(new.body),
        }
        if new.labels:
            data["labels"] = ",".join(new.labels)
        if assignees:
            data["assignee_ids"] = list(assignees.values())
        if reviewers:
            data["reviewer_ids"] = list(reviewers.values())
        return parse.read(parse.merge_request, await self._client.send("POST", await self._requests(), data))

    async def _bring_up_to_date(
        self, found: MergeRequest, new: NewPull, assignees: Mapping[str, int], reviewers: Mapping[str, int]
    ) -> ForgePull:
        """Only what differs is sent: nothing, mostly."""
        number, draft = found.pull.number, found.pull.draft
        data: dict[str, Any] = {}
        title = texts.without_draft(texts.title(new.title, draft=draft))
        if title and title != found.pull.title:
            data["title"] = texts.title(title, draft=draft)
        description = texts.description(new.body)
        if description != found.description.rstrip():
            data["description"] = description
        if labels := [label for label in new.labels if label not in found.labels]:
            data["add_labels"] = ",".join(labels)
        for field, wanted, there in (
            ("assignee_ids", assignees, found.assignees),
            ("reviewer_ids", reviewers, found.reviewers),
        ):
            # One alone is all that GitLab Free takes, and whom people have put there stays.
            if set(wanted.values()) - set(there.values()):
                data[field] = [*there.values(), *(one for one in wanted.values() if one not in there.values())]
        if not data:
            return found.pull
        try:
            answer = await self._client.send("PUT", f"{await self._requests()}/{number}", data)
        except Refused as refusal:
            raise told(refusal, self._address, f"change !{number}", "Developer") from refusal
        changed = parse.read(parse.merge_request, answer)
        if not found.assignees:
            self._expect_all(number, assignees, changed.assignees, "assignee")
        if not found.reviewers:
            self._expect_all(number, reviewers, changed.reviewers, "reviewer")
        return changed.pull

    def _expect_all(self, number: int, wanted: Mapping[str, int], there: Mapping[str, int], what: str) -> None:
        """GitLab leaves out in silence whom it can't take."""
        if missing := [name for name, one in wanted.items() if one not in there.values()]:
            raise UserError(
                f"{', '.join(missing)} did not become {what} of !{number} in {self._address.url}: GitLab takes those "
                f"who may read the project, and on its Free tier one {what} only"
            )


def _check_labels(labels: Sequence[str]) -> None:
    for label in labels:
        if "," in label or not label.strip():
            raise UserError(f"{label!r} can't be a label on GitLab: it wants some text without a comma")

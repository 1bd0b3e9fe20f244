"""GitHub, as a port: one repository, typed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from bot.contracts.github_areas import Deployments, GitObjects, Reviewing, Workflows
from bot.core.facts import CheckRun, Comment, Permission, PullRequest
from bot.core.model import CommitSha, RepositoryName


class NotMergeable(Exception):
    """GitHub would not merge the pull request now; the text is GitHub's reason.

    https://docs.github.com/en/rest/pulls/pulls#merge-a-pull-request (405, 409)
    """


class GitHub(Protocol):
    """One repository, seen and changed with the App's installation token.

    Writes are safe to repeat where the natural key allows it; each method says so.
    Failures are `Retry` (limits, 5xx, network) or `Broken` (a refusal we did not expect).
    """

    @property
    def repository(self) -> RepositoryName: ...

    @property
    def bot_login(self) -> str:
        """The login our own writes carry, `<slug>[bot]`."""
        ...

    @property
    def reviewing(self) -> Reviewing: ...

    @property
    def workflows(self) -> Workflows: ...

    @property
    def deployments(self) -> Deployments: ...

    @property
    def objects(self) -> GitObjects: ...

    async def recent_pulls(self) -> tuple[PullRequest, ...]:
        """Every open pull request, and with them those closed most recently (at least the last thirty changed)."""
        ...

    async def pulls_from(self, branch: str, limit: int = 10) -> tuple[PullRequest, ...]:
        """Pull requests from this branch of this repository, open or closed, newest first."""
        ...

    async def pull(self, number: int) -> PullRequest:
        """One pull request, with `mergeable`."""
        ...

    async def changed_files(self, number: int) -> tuple[str, ...]:
        """Paths that a pull request changes, renamed ones under both names; GitHub tells of the first 3,000."""
        ...

    async def read_file(self, path: str, ref: str) -> bytes | None:
        """A file as GitHub has it at a commit, a fork's included; None where there is none, or one over 1 MB."""
        ...

    async def list_folder(self, path: str, ref: str) -> tuple[tuple[str, bool], ...]:
        """What is in a folder at a commit, each with whether it is a folder itself; nothing where there is none."""
        ...

    async def create_pull(self, head: str, base: str, title: str, body: str, *, draft: bool = False) -> PullRequest:
        """Open a pull request from branch `head`. Repeatable: where one is open already, that one is given the text,
        and stays the draft it is or is not."""
        ...

    async def update_pull(
        self, number: int, *, title: str | None = None, body: str | None = None, open: bool | None = None
    ) -> PullRequest: ...

    async def merge_pull(self, number: int, head_sha: CommitSha, method: str) -> CommitSha:
        """Merge exactly this head. Repeatable: an already merged one gives its merge commit. Raises NotMergeable."""
        ...

    async def add_labels(self, number: int, labels: Sequence[str]) -> None: ...

    async def remove_label(self, number: int, label: str) -> None:
        """Repeatable: a label that is not there is fine."""
        ...

    async def check_runs(self, sha: CommitSha) -> tuple[CheckRun, ...]:
        """Our App's latest check run of each name on a commit."""
        ...

    async def put_check_run(self, check: CheckRun) -> CheckRun:
        """Create it (id 0) or update it. Texts over GitHub's limits are cut, over 50 annotations sent in parts."""
        ...

    async def comments(self, number: int, since: datetime | None = None) -> tuple[Comment, ...]:
        """Comments on one issue or pull request, oldest first."""
        ...

    async def recent_comments(self, since: datetime) -> tuple[Comment, ...]:
        """Comments on all issues and pull requests of the repository updated since then, oldest first."""
        ...

    async def comment(self, comment_id: int) -> Comment | None:
        """One comment, None when it is gone."""
        ...

    async def create_comment(self, number: int, body: str) -> Comment: ...

    async def update_comment(self, comment_id: int, body: str) -> None: ...

    async def react(self, comment_id: int, content: str) -> None:
        """Add our reaction. Repeatable by GitHub's own rule (200 instead of 201)."""
        ...

    async def own_reactions(self, comment_id: int) -> frozenset[str]:
        """The contents of our own App's reactions on a comment."""
        ...

    async def permission(self, login: str) -> Permission:
        """What this account may do here, asked now (never `author_association`).

        https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
        """
        ...

    async def is_team_member(self, organisation: str, team: str, login: str) -> bool: ...

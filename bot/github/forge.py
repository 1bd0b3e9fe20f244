"""The pull requests of another repository on this GitHub (`bot.contracts.forges.Forge`), over its `GitHub` port."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from bot.contracts import GitHub, NotMergeable
from bot.contracts.forges import ForgePull, NewPull
from bot.core.facts import PullRequest
from bot.core.model import CommitSha
from bot.errors import UserError
from bot.github.client import Refused

_METHODS = ("merge", "squash", "rebase")
# What is told to whoever wrote the configuration; any other refusal is ours.
_TOLD = frozenset({401, 403, 404, 410, 422})
# https://docs.github.com/en/rest/pulls/pulls#merge-a-pull-request answers 405 for a way that a repository's settings
# don't allow, with "Squash merges are not allowed on this repository." and the like.
_NOT_ALLOWED = "not allowed on this repository"


class GitHubForge:
    """A repository the App is installed on. With a merge queue `merge_pull` is NotMergeable until it has its turn."""

    def __init__(self, repository: GitHub) -> None:
        self._github = repository

    async def open_pull(self, new: NewPull) -> ForgePull:
        reviewers, teams = self._reviewers(new.reviewers)
        with self._telling(f"propose {new.source} for {new.target}"):
            pull = await self._github.create_pull(new.source, new.target, new.title, new.body, draft=new.draft)
            if new.labels:
                await self._github.add_labels(pull.number, new.labels)
            if assignees := _logins(new.assignees):
                await self._github.reviewing.assign(pull.number, assignees)
            if reviewers or teams:
                await self._github.reviewing.request(pull.number, reviewers, teams)
        return self._shown(pull)

    async def pull(self, number: int) -> ForgePull:
        try:
            with self._telling(f"show #{number}"):
                return self._shown(await self._github.pull(number))
        except UserError as error:
            if isinstance(error.__cause__, Refused) and error.__cause__.status == 404:
                raise UserError(f"{self._github.repository} has no pull request #{number}") from error
            raise

    async def merge_pull(self, number: int, head_sha: CommitSha, method: str) -> CommitSha | None:
        """Without a method the first of merge, squash and rebase that the repository's settings allow."""
        if method and method not in _METHODS:
            raise UserError(f"GitHub has no way to merge that is called {method!r}: choose merge, squash or rebase")
        refused: NotMergeable | None = None
        for each in [method] if method else _METHODS:
            try:
                with self._telling(f"merge #{number}"):
                    return await self._github.merge_pull(number, head_sha, each)
            except NotMergeable as refusal:
                if _NOT_ALLOWED not in str(refusal):
                    raise
                refused = refusal
        raise UserError(f"{self._github.repository}: {refused} Choose another way to merge") from refused

    @contextmanager
    def _telling(self, doing: str) -> Iterator[None]:
        """GitHub's refusals, to whoever can mend them."""
        try:
            yield
        except Refused as refusal:
            if refusal.status not in _TOLD:
                raise
            what = f"{self._github.repository} would not {doing}: {refusal.message}"
            hint = "; the App must be installed on it, with the permissions it asks for"
            raise UserError(what if refusal.status == 422 else what + hint) from refusal

    def _reviewers(self, names: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Logins, and slugs of teams, which are all of the repository's organisation: GitHub asks no others."""
        owner = self._github.repository.partition("/")[0]
        teams: dict[str, None] = {}
        for name in names:
            organisation, slash, team = name.removeprefix("@").partition("/")
            if slash and organisation.lower() != owner.lower():
                raise UserError(
                    f"{name} is no team of {owner}, where {self._github.repository} is; correct `reviewers`"
                )
            if slash:
                teams[team.lower()] = None
        return _logins(name for name in names if "/" not in name), tuple(teams)

    def _shown(self, pull: PullRequest) -> ForgePull:
        """A branch of a fork is named with its owner before it, which no branch of the repository itself can be."""
        own = pull.head_repository.lower() == self._github.repository.lower()
        owner = pull.head_repository.partition("/")[0] or "ghost"
        hindrance = "it is a draft" if pull.draft else ""
        if pull.mergeable is False:
            hindrance = "it has a conflict with its base branch"
        return ForgePull(
            number=pull.number,
            url=pull.url,
            title=pull.title,
            open=pull.open,
            merged=pull.merged,
            draft=pull.draft,
            head_branch=pull.head_branch if own else f"{owner}:{pull.head_branch}",
            head_sha=pull.head_sha,
            base_branch=pull.base_branch,
            merge_sha=pull.merge_sha,
            hindrance=hindrance if pull.open else "",
        )


def _logins(names: Iterable[str]) -> tuple[str, ...]:
    """Each once: GitHub minds no upper case."""
    return tuple({name.removeprefix("@").lower(): name.removeprefix("@") for name in names}.values())

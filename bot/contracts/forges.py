"""Pull requests in other repositories than the pipeline's own, wherever these are: on GitHub, or on GitLab."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.core.model import CommitSha


@dataclass(frozen=True, slots=True)
class ForgePull:
    """A pull request, or GitLab's merge request. `merge_sha` is what it landed as, None while it has not.

    `hindrance` says why it can't be merged now, in the forge's own terms, "" where nothing is known to be in the way.
    """

    number: int
    url: str
    title: str
    open: bool
    merged: bool
    draft: bool
    head_branch: str
    head_sha: CommitSha
    base_branch: str
    merge_sha: CommitSha | None = None
    hindrance: str = ""


@dataclass(frozen=True, slots=True)
class NewPull:
    """What is to be proposed. Labels, assignees and reviewers are added to what is there already."""

    source: str
    target: str
    title: str
    body: str
    draft: bool = False
    labels: Sequence[str] = ()
    assignees: Sequence[str] = ()
    reviewers: Sequence[str] = ()


class Forge(Protocol):
    """The pull requests of one repository.

    Failures are `Retry` (limits, 5xx, network) or UserError: no access, no such repository, a name nobody has.
    """

    async def open_pull(self, new: NewPull) -> ForgePull:
        """Propose a branch of this repository. Repeatable: where one of the same branches is open already, that one is
        given the text, and stays the draft it is or is not."""
        ...

    async def pull(self, number: int) -> ForgePull:
        """One pull request as it is now. Raises UserError where there is none of this number."""
        ...

    async def merge_pull(self, number: int, head_sha: CommitSha, method: str) -> CommitSha | None:
        """Merge exactly this head; `method` as GitHub calls them, "" for the forge's own choice.

        None: it is on its way. Repeatable: an already merged one gives what it landed as. Raises NotMergeable
        (`contracts.github`) where it can't be merged now, and UserError for a method the forge has not.
        """
        ...


class Forges(Protocol):
    """All the repositories that the pipeline's own may propose to."""

    async def at(self, url: str, provider: str = "") -> Forge:
        """The forge of a repository's URL; `provider` as in Kargo's steps, "" to go by the host.

        Raises UserError where it is not known how to speak to it, or nothing is there to show it.
        """
        ...

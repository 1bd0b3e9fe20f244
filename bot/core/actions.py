"""What Towpath may do to the world: the vocabulary of a plan. Doing any of these twice is harmless."""

from dataclasses import dataclass
from datetime import datetime

from bot.core.facts import CheckRun
from bot.core.lock import Way
from bot.core.model import CommitSha, Freight, StageName


@dataclass(frozen=True, slots=True)
class Promote:
    """Run the stage's steps up to its pull request. Key: the branch `promotion/<stage>`."""

    stage: StageName
    freight: Freight
    actor: str
    way: Way
    request: str = ""  # the command that asked for it


@dataclass(frozen=True, slots=True)
class PutCheck:
    """Publish a check run. Key: commit and name."""

    check: CheckRun


@dataclass(frozen=True, slots=True)
class Relabel:
    number: int
    add: tuple[str, ...]
    remove: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Merge:
    """Merge exactly this head. Key: the head."""

    number: int
    head_sha: CommitSha
    method: str


@dataclass(frozen=True, slots=True)
class GoOn:
    """Go on with the steps that wait between a pull request and its merge, and merge exactly this head where they have
    come to that. `method` is how to merge where no step says it, "" where people do. Key: the head."""

    stage: StageName
    number: int
    head_sha: CommitSha
    method: str


@dataclass(frozen=True, slots=True)
class Finish:
    """Run the steps that come after the merge, then open the verification of the stage's current landing."""

    stage: StageName


@dataclass(frozen=True, slots=True)
class Measure:
    """Take the measurements that are due for the stage's current landing. Key: its verification check run."""

    stage: StageName


@dataclass(frozen=True, slots=True)
class Tell:
    """Say something once. Key: `marker`, hidden in the comment."""

    number: int
    marker: str
    body: str


@dataclass(frozen=True, slots=True)
class Close:
    """Close a pull request of ours. Key: the number."""

    number: int


Action = Promote | PutCheck | Relabel | Merge | GoOn | Finish | Measure | Tell | Close


@dataclass(frozen=True, slots=True)
class Plan:
    """What to do now, in this order; and when to look again if nothing else happens."""

    actions: tuple[Action, ...]
    look_again: datetime | None = None

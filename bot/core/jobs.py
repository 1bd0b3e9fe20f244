"""Where a command was asked for: the comment, and the one name under which it is answered exactly once."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.core.model import RepositoryName

_BEGINS_WITH_VERB = re.compile(r"(?:^|-->)\s*/[A-Za-z]")


@dataclass(frozen=True, slots=True)
class CommandRef:
    """One comment that holds a command. The text is not kept: it is read again when the command is carried out."""

    repository: RepositoryName
    number: int
    comment_id: int

    @property
    def key(self) -> str:
        """The natural key of the job: `owner/name#comment-ID`."""
        return f"{self.repository}#comment-{self.comment_id}"

    @property
    def details(self) -> Mapping[str, str]:
        """What the durable job carries beside its key and repository; `from_details` reads it back."""
        return {"number": str(self.number), "comment": str(self.comment_id)}

    @classmethod
    def from_details(cls, repository: str, details: Mapping[str, str]) -> "CommandRef":
        """The reference a durable job carries. Raises KeyError or ValueError if it never was one."""
        return cls(RepositoryName(repository), int(details["number"]), int(details["comment"]))


def has_command(body: str) -> bool:
    """Whether a comment may hold a command: a line that begins with `/` and a letter, hidden text aside.

    A quick look that errs towards yes; `core.comments` reads the text properly when the command is carried out.
    """
    return any(_BEGINS_WITH_VERB.search(line) for line in body.splitlines())

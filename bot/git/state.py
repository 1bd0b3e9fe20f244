"""What a mirror holds, as it is kept beside it in a file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.core.facts import Refs
from bot.core.model import CommitSha
from bot.git.remotes import without_prefix

HEADS, TAGS = "refs/heads/", "refs/tags/"


@dataclass(frozen=True, slots=True)
class MirrorState:
    """Raw refs as listed by the remote, tags also peeled to commits. `many`: too many to ask for all each time."""

    default_branch: str
    listing: Mapping[str, str]
    peeled: Mapping[str, str]
    many: bool
    head_asked: datetime

    def refs(self) -> Refs:
        heads = without_prefix(self.listing, HEADS)
        return Refs(
            default_branch=self.default_branch,
            heads={name: CommitSha(sha) for name, sha in heads.items()},
            tags={name: CommitSha(sha) for name, sha in self.peeled.items()},
        )

    def branch(self, name: str) -> dict[str, str]:
        """One branch as it is listed; nothing where it is not."""
        ref = f"{HEADS}{name}"
        return {ref: self.listing[ref]} if ref in self.listing else {}

    def tags(self) -> dict[str, str]:
        """All tags as they are listed: annotated ones by their own objects."""
        return {ref: sha for ref, sha in self.listing.items() if ref.startswith(TAGS)}

    def to_json(self) -> str:
        return json.dumps(
            {
                "default_branch": self.default_branch,
                "listing": dict(self.listing),
                "peeled": dict(self.peeled),
                "many": self.many,
                "head_asked": self.head_asked.isoformat(),
            }
        )


def from_json(text: bytes) -> MirrorState:
    """Raises ValueError, KeyError or TypeError for what `to_json` did not write."""
    stored = json.loads(text)
    stored["head_asked"] = datetime.fromisoformat(stored["head_asked"])
    return MirrorState(**stored)

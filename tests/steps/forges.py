"""Other repositories' pull requests, kept in memory: a forge that remembers what it was asked."""

from dataclasses import dataclass, field, replace

from bot.contracts.forges import Forge, ForgePull, NewPull
from bot.contracts.github import NotMergeable
from bot.core.model import CommitSha
from bot.errors import UserError

LANDED, PROPOSED = CommitSha("d" * 40), CommitSha("c" * 40)


@dataclass
class RememberingForge:
    """One repository's. `head` is where all source branches are; `refusal` why nothing can be merged."""

    head: CommitSha = PROPOSED
    refusal: str = ""
    late: bool = False  # merging is only put on its way
    asked: list[NewPull] = field(default_factory=list)
    merged: list[tuple[int, CommitSha, str]] = field(default_factory=list)
    pulls: dict[int, ForgePull] = field(default_factory=dict)

    async def open_pull(self, new: NewPull) -> ForgePull:
        self.asked.append(new)
        known = [one for one in self.pulls.values() if one.open and one.head_branch == new.source]
        if known:
            return known[0]
        number = len(self.pulls) + 1
        pull = ForgePull(
            number, f"https://forge.example.com/acme/apps/{number}", new.title, open=True, merged=False,
            draft=new.draft, head_branch=new.source, head_sha=self.head, base_branch=new.target,
        )  # fmt: skip
        self.pulls[number] = pull
        return pull

    async def pull(self, number: int) -> ForgePull:
        if number not in self.pulls:
            raise UserError(f"there is no !{number}")
        return self.pulls[number]

    def change(self, number: int, **changes: object) -> None:
        self.pulls[number] = replace(self.pulls[number], **changes)  # type: ignore[arg-type] -- a test's own words

    async def merge_pull(self, number: int, head_sha: CommitSha, method: str) -> CommitSha | None:
        if self.refusal:
            raise NotMergeable(self.refusal)
        self.merged.append((number, head_sha, method))
        if self.late:
            return None
        self.change(number, open=False, merged=True, merge_sha=LANDED)
        return LANDED


@dataclass
class RememberingForges:
    """A forge for every URL, the same one at each asking."""

    known: dict[str, RememberingForge] = field(default_factory=dict)
    providers: list[str] = field(default_factory=list)

    async def at(self, url: str, provider: str = "") -> Forge:
        self.providers.append(provider)
        return self.known.setdefault(url, RememberingForge())

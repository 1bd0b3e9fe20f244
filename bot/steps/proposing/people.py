"""People and teams as configurations name them: a login, or `@organisation/team`."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.contracts.github import GitHub
from bot.contracts.schema import Schema
from bot.errors import UserError
from bot.steps.shapes import listed

PERSON: Schema = {"type": "string", "pattern": r"^(@?[A-Za-z0-9_.-]+(\[bot\])?|@[A-Za-z0-9-]+/[A-Za-z0-9_.-]+)$"}
PEOPLE: Schema = listed(PERSON)


@dataclass(frozen=True, slots=True)
class People:
    """`teams` are pairs of organisation and slug. No two are the same, for GitHub minds no upper case."""

    logins: tuple[str, ...]
    teams: tuple[tuple[str, str], ...]

    def __bool__(self) -> bool:
        return bool(self.logins or self.teams)

    async def include(self, github: GitHub, login: str) -> bool:
        """Whether somebody is one of them, or in one of their teams now."""
        if login.lower() in {one.lower() for one in self.logins}:
            return True
        for organisation, team in self.teams:
            if await github.is_team_member(organisation, team, login):
                return True
        return False


def people(names: Iterable[str]) -> People:
    plain = {name.removeprefix("@").lower(): name.removeprefix("@") for name in names}
    teams = [tuple(name.split("/", 1)) for name in plain.values() if "/" in name]
    return People(tuple(name for name in plain.values() if "/" not in name), tuple((one[0], one[1]) for one in teams))


def own_teams(asked: People, github: GitHub, field: str) -> tuple[str, ...]:
    """The slugs of teams, all of the repository's organisation: GitHub asks no others. Raises UserError."""
    owner = github.repository.partition("/")[0]
    for organisation, team in asked.teams:
        if organisation.lower() != owner.lower():
            raise UserError(
                f"@{organisation}/{team} is no team of {owner}, where {github.repository} is; correct `{field}`"
            )
    return tuple(team for _, team in asked.teams)

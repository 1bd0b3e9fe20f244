"""Reviews, who is asked for one, and who is assigned (`bot.contracts.github_areas.Reviewing`)."""

from collections.abc import Sequence

from bot.contracts.github_areas import Review
from bot.core.model import CommitSha
from bot.errors import UserError
from bot.github import parse, routes
from bot.github.area import Area
from bot.github.client import Refused


class Reviewing(Area):
    async def reviews(self, number: int) -> tuple[Review, ...]:
        found = await self._pages(routes.LIST_REVIEWS, pull_number=number)
        return tuple(parse.read(_review, one) for one in found)

    async def request(self, number: int, logins: Sequence[str], teams: Sequence[str]) -> None:
        """GitHub tells people again who are asked again, also those who have given their review.

        https://docs.github.com/en/rest/pulls/review-requests#request-reviewers-for-a-pull-request
        """
        asked = parse.read(_requested, await self._get(routes.LIST_REQUESTED, pull_number=number))
        looked = {one.author.lower() for one in await self.reviews(number)}
        people = [login for login in logins if login.lower() not in asked[0] | looked]
        groups = [] if looked else [team for team in teams if team.lower() not in asked[1]]
        if not people and not groups:
            return
        try:
            await self._ask(number, people, groups)
        except Refused as refusal:
            if refusal.status != 422:
                raise
            await self._name_the_wrong_one(number, people, groups)
            raise

    async def assign(self, number: int, logins: Sequence[str]) -> None:
        """GitHub leaves out in silence whom it can't assign.

        https://docs.github.com/en/rest/issues/assignees#add-assignees-to-an-issue
        """
        try:
            answer = await self._send(routes.ADD_ASSIGNEES, {"assignees": list(logins)}, issue_number=number)
        except Refused as refusal:
            if refusal.status != 422:
                raise
            raise UserError(f"#{number} can't be assigned to {', '.join(logins)}: {refusal.message}") from refusal
        assigned = parse.read(_assigned, answer)
        if missing := [login for login in logins if login.lower() not in assigned]:
            raise UserError(
                f"#{number} can't be assigned to {', '.join(missing)}: GitHub assigns at most ten people, "
                f"and only those who have access to {self._name}"
            )

    async def _ask(self, number: int, people: Sequence[str], teams: Sequence[str]) -> None:
        request = {"reviewers": list(people), "team_reviewers": list(teams)}
        await self._send(routes.REQUEST_REVIEWS, request, pull_number=number)

    async def _name_the_wrong_one(self, number: int, people: Sequence[str], teams: Sequence[str]) -> None:
        """GitHub refuses all of them for one, and doesn't say which. Raises UserError."""
        owner = self._path["owner"]
        one_by_one: list[tuple[str, list[str], list[str]]] = [(login, [login], []) for login in people]
        one_by_one += [(f"@{owner}/{team}", [], [team]) for team in teams]
        for shown, person, team in one_by_one:
            try:
                await self._ask(number, person, team)
            except Refused as refusal:
                if refusal.status != 422:
                    raise
                raise UserError(
                    f"{shown} can't be asked to review #{number}: {refusal.message} Give {shown} access to "
                    f"{self._name}, or take the name out of `reviewers`."
                ) from refusal


def _review(data: parse.Json) -> Review:
    submitted = data.get("submitted_at")
    return Review(
        author=str(data["user"]["login"]) if data.get("user") else "ghost",
        state=str(data["state"]),
        commit=CommitSha(data.get("commit_id") or ""),
        submitted_at=parse.moment(submitted) if submitted else None,
        body=str(data.get("body") or ""),
    )


def _requested(data: parse.Json) -> tuple[set[str], set[str]]:
    return {str(one["login"]).lower() for one in data["users"]}, {str(one["slug"]).lower() for one in data["teams"]}


def _assigned(data: parse.Json) -> set[str]:
    return {str(one["login"]).lower() for one in data["assignees"]}

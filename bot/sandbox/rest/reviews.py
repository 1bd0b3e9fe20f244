"""Reviews of pull requests, and who is asked for one.

https://docs.github.com/en/rest/pulls/reviews and https://docs.github.com/en/rest/pulls/review-requests
"""

from __future__ import annotations

from dataclasses import replace

from bot.sandbox import pulls
from bot.sandbox.access import reads, writes
from bot.sandbox.model.accounts import Role
from bot.sandbox.model.issues import Issue, Review, ReviewState
from bot.sandbox.payloads.accounts import simple_user, team_simple
from bot.sandbox.payloads.pulls import part_of, pull_simple, review_payload
from bot.sandbox.rest.call import Call, Reply, Route
from bot.sandbox.rest.errors import not_found, unprocessable

_EVENTS = {
    "APPROVE": ReviewState.APPROVED,
    "REQUEST_CHANGES": ReviewState.CHANGES_REQUESTED,
    "COMMENT": ReviewState.COMMENTED,
}


async def list_reviews(call: Call) -> Reply:
    """GET /pulls/{pull_number}/reviews, oldest first."""
    issue = call.pull()
    page = call.page(call.world.reviews.of(issue.id))
    return page.reply([review_payload(call.world, issue, row) for row in page.items])


async def create_review(call: Call) -> Reply:
    """POST /pulls/{pull_number}/reviews; without `event` it stays pending and nobody is told."""
    issue, body, world = call.pull(), call.body, call.world
    event, text = body.text("event"), body.text("body") or ""
    if event is not None and event not in _EVENTS:
        raise unprocessable(f"Variable $event of type PullRequestReviewEvent was provided invalid value {event}")
    if event == "APPROVE" and issue.author_id == call.account.id:
        raise unprocessable("Can not approve your own pull request")
    if event == "REQUEST_CHANGES" and issue.author_id == call.account.id:
        raise unprocessable("Can not request changes on your own pull request")
    if event in ("COMMENT", "REQUEST_CHANGES") and not text:
        raise unprocessable("Body can not be blank")
    review = world.reviews.put(
        Review(
            world.new_id(),
            call.repo.id,
            issue.id,
            call.account.id,
            _EVENTS[event] if event else ReviewState.PENDING,
            text,
            body.text("commit_id") or part_of(issue).head_sha,
            world.now() if event else None,
        )
    )
    if event:
        payload = review_payload(world, issue, review)
        told = payload | {"state": payload["state"].lower()}
        whole = {"action": "submitted", "review": told, "pull_request": pull_simple(world, issue)}
        call.hooks.emit("pull_request_review", whole, sender=call.account, repo=call.repo)
    return Reply(review_payload(world, issue, review))


async def get_review(call: Call) -> Reply:
    """GET /pulls/{pull_number}/reviews/{review_id}"""
    issue = call.pull()
    row = call.world.reviews.get(call.number("review_id"))
    if row is None or row.issue_id != issue.id:
        raise not_found()
    return Reply(review_payload(call.world, issue, row))


async def requested(call: Call) -> Reply:
    """GET /pulls/{pull_number}/requested_reviewers"""
    pull, world = part_of(call.pull()), call.world
    users = [simple_user(world, world.accounts[number]) for number in pull.requested_reviewers]
    teams = [team_simple(world, world.teams[number], call.repo) for number in pull.requested_teams]
    return Reply({"users": users, "teams": teams})


async def request_reviews(call: Call) -> Reply:
    """POST /pulls/{pull_number}/requested_reviewers"""
    issue = call.pull()
    pull, (users, teams) = part_of(issue), _named(call)
    asked = replace(
        pull,
        requested_reviewers=tuple(dict.fromkeys((*pull.requested_reviewers, *users))),
        requested_teams=tuple(dict.fromkeys((*pull.requested_teams, *teams))),
    )
    issue = call.world.issues.put(replace(issue, pull=asked, updated_at=call.world.now()))
    await _tell(call, issue, "review_requested", users, teams)
    return Reply(pull_simple(call.world, issue), 201)


async def remove_requests(call: Call) -> Reply:
    """DELETE /pulls/{pull_number}/requested_reviewers"""
    issue = call.pull()
    pull, (users, teams) = part_of(issue), _named(call)
    left = replace(
        pull,
        requested_reviewers=tuple(number for number in pull.requested_reviewers if number not in users),
        requested_teams=tuple(number for number in pull.requested_teams if number not in teams),
    )
    issue = call.world.issues.put(replace(issue, pull=left, updated_at=call.world.now()))
    await _tell(call, issue, "review_request_removed", users, teams)
    return Reply(pull_simple(call.world, issue))


def _named(call: Call) -> tuple[list[int], list[int]]:
    users = [call.world.account(login) for login in call.body.array("reviewers", str) or ()]
    slugs = {team.slug: team.id for team in call.world.teams.of(call.repo.owner_id)}
    names = call.body.array("team_reviewers", str) or []
    role = [user and call.world.role(user, call.repo).allows(Role.READ) for user in users]
    if not all(role) or any(name not in slugs for name in names):
        raise unprocessable("Reviews may only be requested from collaborators.")
    return [user.id for user in users if user], [slugs[name] for name in names]


async def _tell(call: Call, issue: Issue, action: str, users: list[int], teams: list[int]) -> None:
    world = call.world
    for number in users:
        who = simple_user(world, world.accounts[number])
        await pulls.announce(world, call.hooks, issue, action, call.account, requested_reviewer=who)
    for number in teams:
        team = team_simple(world, world.teams[number], call.repo)
        await pulls.announce(world, call.hooks, issue, action, call.account, requested_team=team)


_AT = "/repos/{owner}/{repo}/pulls/{pull_number}"
_READ = reads("pull_requests")

ROUTES = (
    Route("GET", _AT + "/reviews", list_reviews, _READ),
    Route("POST", _AT + "/reviews", create_review, writes("pull_requests", role=Role.READ)),
    Route("GET", _AT + "/reviews/{review_id}", get_review, _READ),
    Route("GET", _AT + "/requested_reviewers", requested, _READ),
    Route("POST", _AT + "/requested_reviewers", request_reviews, writes("pull_requests")),
    Route("DELETE", _AT + "/requested_reviewers", remove_requests, writes("pull_requests")),
)

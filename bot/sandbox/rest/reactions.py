"""Reactions to issues, pull requests and comments. Nobody is told of them: GitHub has no such webhook.

https://docs.github.com/en/rest/reactions/reactions
"""

from __future__ import annotations

from bot.sandbox.access import reads, writes
from bot.sandbox.model.accounts import Role
from bot.sandbox.model.issues import Reaction, ReactionSubject
from bot.sandbox.payloads.issues import REACTIONS, reaction
from bot.sandbox.rest.call import Call, Reply, Route
from bot.sandbox.rest.comments import comment
from bot.sandbox.rest.errors import forbidden, not_found, unprocessable

Subject = tuple[ReactionSubject, int]


async def add(call: Call) -> Reply:
    """POST …/reactions: 201, or 200 with the one that the caller gave before."""
    subject, content = _subject(call), call.body.required_text("content")
    if content not in REACTIONS:
        raise unprocessable(f"Invalid request.\n\nFor 'properties/content', {content!r} is not a reaction.")
    world = call.world
    for row in world.reactions.of(subject):
        if (row.account_id, row.content) == (call.account.id, content):
            return Reply(reaction(world, row))
    row = Reaction(world.new_id(), *subject, call.account.id, content, world.now())
    return Reply(reaction(world, world.reactions.put(row)), 201)


async def list_all(call: Call) -> Reply:
    """GET …/reactions, all or only those with `content`."""
    content = call.query.get("content")
    rows = [row for row in call.world.reactions.of(_subject(call)) if content in (None, row.content)]
    page = call.page(rows)
    return page.reply([reaction(call.world, row) for row in page.items])


async def remove(call: Call) -> Reply:
    """DELETE …/reactions/{reaction_id}: only one's own."""
    number = call.number("reaction_id")
    row = next((row for row in call.world.reactions.of(_subject(call)) if row.id == number), None)
    if row is None:
        raise not_found()
    if row.account_id != call.account.id:
        raise forbidden("You can only delete reactions that you created.")
    call.world.reactions.delete(row.id)
    return Reply(status=204)


def _subject(call: Call) -> Subject:
    if "comment_id" in call.params:
        return ReactionSubject.COMMENT, comment(call).id
    return ReactionSubject.ISSUE, call.issue().id


_ON = ("/repos/{owner}/{repo}/issues/{issue_number}", "/repos/{owner}/{repo}/issues/comments/{comment_id}")
_READ = reads("issues", "pull_requests")
_WRITE = writes("issues", "pull_requests", role=Role.READ)

ROUTES = tuple(
    route
    for on in _ON
    for route in (
        Route("POST", on + "/reactions", add, _WRITE),
        Route("GET", on + "/reactions", list_all, _READ),
        Route("DELETE", on + "/reactions/{reaction_id}", remove, _WRITE),
    )
)

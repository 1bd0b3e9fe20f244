"""A conversation: what was written on an issue or pull request, and the box to write more."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

from aiohttp import web

from bot.sandbox.model.accounts import Account, Role
from bot.sandbox.model.issues import Issue, ReactionSubject, ReviewState
from bot.sandbox.pages.badges import age, chips, short, who
from bot.sandbox.pages.frame import form, written
from bot.sandbox.pages.html import Content, Html, fill
from bot.sandbox.pages.icons import Symbol, Tone, icon
from bot.sandbox.pages.visit import Visit

COMMENT = "/repos/{owner}/{repo}/issues/{issue_number}/comments"
REVIEW = "/repos/{owner}/{repo}/pulls/{pull_number}/reviews"
EDIT = "/repos/{owner}/{repo}/issues/{issue_number}"  # of pull requests too

_FACES = {
    "+1": "👍",
    "-1": "👎",
    "laugh": "😄",
    "confused": "😕",
    "heart": "❤️",
    "hooray": "🎉",
    "rocket": "🚀",
    "eyes": "👀",
}
_REVIEWS = {
    ReviewState.APPROVED: (Symbol.CHECK, Tone.GOOD, "approved this"),
    ReviewState.CHANGES_REQUESTED: (Symbol.CROSS, Tone.BAD, "asked for changes"),
    ReviewState.COMMENTED: (Symbol.DASH, Tone.QUIET, "reviewed this"),
    ReviewState.DISMISSED: (Symbol.DASH, Tone.QUIET, "reviewed this, which was dismissed"),
}


def conversation(here: Visit, issue: Issue) -> list[Html]:
    """The opening text, then comments, reviews and the end, as they came."""
    world = here.world
    author = world.accounts[issue.author_id]
    first = _said(here, author, issue.created_at, issue.body, "body", ReactionSubject.ISSUE, issue.id)
    events: list[tuple[datetime, int, Html]] = []
    for row in world.comments.of(issue.id):
        writer = world.accounts[row.author_id]
        anchor = f"issuecomment-{row.id}"
        said = _said(here, writer, row.created_at, row.body, anchor, ReactionSubject.COMMENT, row.id)
        events.append((row.created_at, row.id, said))
    for review in world.reviews.of(issue.id):
        if review.submitted_at is not None:
            symbol, tone, words = _REVIEWS[review.state]
            text = _event(here, symbol, tone, world.accounts[review.author_id], words, review.submitted_at)
            more = written(here, review.body) if review.body else None
            anchored = fill('<div id="pullrequestreview-{id}">{text}{more}</div>', id=review.id, text=text, more=more)
            events.append((review.submitted_at, review.id, anchored))
    if issue.closed_at is not None:  # in its second, a comment comes before the closing but after the merge
        merged = issue.pull is not None and issue.pull.merged_at is not None
        events.append((issue.closed_at, 0 if merged else sys.maxsize, _ending(here, issue)))
    return [first, *(event for _, _, event in sorted(events, key=lambda event: event[:2]))]


def sidebar(here: Visit, issue: Issue, *more: tuple[str, Content]) -> Html:
    """What is known beside the conversation."""
    people: list[Content] = [fill("<div>{who}</div>", who=who(here.world.accounts[row])) for row in issue.assignees]
    parts = (("Labels", chips(here.world, issue) or "None yet"), ("Assignees", people or "Nobody"), *more)
    return fill(
        '<aside class="side">{parts}</aside>',
        parts=[
            fill('<section><h3>{title}</h3><div class="small">{content}</div></section>', title=title, content=content)
            for title, content in parts
        ],
    )


def comment_box(here: Visit, issue: Issue, draft: str) -> Html:
    """The box to write in, with only the buttons the account may press."""
    if not here.may("POST", COMMENT):
        name = here.account.login if here.account else "Nobody"
        return fill('<div class="note quiet">{name} may not comment here.</div>', name=name)
    what = "pull request" if issue.pull else "issue"
    merged = issue.pull is not None and issue.pull.merged_at is not None
    button = '<button name="do" value="{value}">{word}</button>'
    buttons: list[Html] = []
    mine = here.account is not None and issue.author_id == here.account.id
    if issue.pull and issue.is_open and here.may("POST", REVIEW) and not mine:
        buttons.append(fill(button, value="approve", word="Approve"))
    if not merged and (mine or (here.account and here.world.role(here.account, here.repo).allows(Role.TRIAGE))):
        value, word = ("close", f"Close {what}") if issue.is_open else ("reopen", f"Reopen {what}")
        buttons.append(fill(button, value=value, word=word))
    return form(
        here,
        f"{here.path_of_issue(issue)}/comments",
        fill(
            '<div class="box" id="write"><div class="head">{who}</div><div class="pad"><textarea name="body" '
            'aria-label="Comment" placeholder="Comment in Markdown, or command the bot: /help">\n{draft}</textarea>'
            '<div class="buttons">{buttons}<button class="main" name="do" value="comment">Comment</button></div>'
            "</div></div>",
            who=who(here.account) if here.account else None,
            draft=draft,
            buttons=buttons,
        ),
    )


async def answer(here: Visit, issue: Issue, fields: Mapping[str, str]) -> web.HTTPSeeOther:
    """Do what the box was used for: comment, approve, close, reopen; with a text, comment too. Raises ApiError.

    A browser ends the lines of a form with CR LF, and like GitHub this keeps them.
    """
    wish, text, anchor = fields.get("do", "comment"), fields.get("body", ""), ""
    if wish == "approve":
        body: dict[str, object] = {"event": "APPROVE", **({"body": text} if text.strip() else {})}
        reply = await here.perform("POST", REVIEW, body, pull_number=issue.number)
        anchor = f"#pullrequestreview-{reply.body['id']}"
    elif wish == "comment" or text.strip():
        reply = await here.perform("POST", COMMENT, {"body": text}, issue_number=issue.number)
        anchor = f"#issuecomment-{reply.body['id']}"
    if wish in ("close", "reopen"):
        state = {"state": "closed" if wish == "close" else "open"}
        await here.perform("PATCH", EDIT, state, issue_number=issue.number)
    return web.HTTPSeeOther(here.path_of_issue(issue) + anchor)


def _said(
    here: Visit, author: Account, moment: datetime, text: str | None, anchor: str, subject: ReactionSubject, number: int
) -> Html:
    given = Counter(row.content for row in here.world.reactions.of((subject, number)))
    faces = [
        fill('<span class="tag" title="{name}">{face} {n}</span> ', name=name, face=_face(name), n=number)
        for name, number in given.items()
    ]
    return fill(
        '<article class="box" id="{anchor}">'
        '<div class="head">{who} <a class="muted small" href="#{anchor}">{age}</a></div>'
        '<div class="pad">{text}{faces}</div></article>',
        anchor=anchor,
        who=who(author),
        age=age(here.world, moment),
        text=written(here, text) if text and text.strip() else Html('<span class="muted">No description.</span>'),
        faces=fill('<p class="row">{faces}</p>', faces=faces) if faces else None,
    )


def _face(name: str) -> str:
    """A reaction in picture and word, for not every reader has the pictures."""
    return f"{_FACES[name]} {name}" if name in _FACES else name


def _ending(here: Visit, issue: Issue) -> Html:
    world, pull = here.world, issue.pull
    by = world.accounts.get(issue.closed_by_id) or world.accounts[issue.author_id]
    moment = issue.closed_at or issue.updated_at
    if pull is None or pull.merged_at is None:
        symbol, tone = (Symbol.CROSS, Tone.BAD) if pull else (Symbol.CHECK, Tone.DONE)
        return _event(here, symbol, tone, by, "closed this", moment)
    words = fill("merged this as {sha}", sha=short(here.base, pull.merge_commit_sha or pull.head_sha))
    return _event(here, Symbol.MERGE, Tone.DONE, by, words, moment)


def _event(here: Visit, symbol: Symbol, tone: Tone, by: Account, words: Content, moment: datetime) -> Html:
    return fill(
        '<div class="event">{icon} <span>{who} {words} <span class="small">{age}</span></span></div>',
        icon=icon(symbol, tone),
        who=who(by),
        words=words,
        age=age(here.world, moment),
    )

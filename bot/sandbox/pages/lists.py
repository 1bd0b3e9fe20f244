"""Lists of pull requests and of issues."""

from __future__ import annotations

from aiohttp import web

from bot.sandbox.model.issues import Issue
from bot.sandbox.pages import checks
from bot.sandbox.pages.badges import age, chips, state_of, who
from bot.sandbox.pages.frame import counted, page
from bot.sandbox.pages.html import Html, fill
from bot.sandbox.pages.icons import Symbol, icon
from bot.sandbox.pages.visit import Visit


async def pulls(here: Visit) -> web.Response:
    """GET /OWNER/REPO/pulls?state=open|closed|all"""
    return page(here, f"Pull requests · {here.repo.name}", _list(here, pulls=True), tab="pulls")


async def issues(here: Visit) -> web.Response:
    """GET /OWNER/REPO/issues?state=open|closed|all"""
    return page(here, f"Issues · {here.repo.name}", _list(here, pulls=False), tab="issues")


def _list(here: Visit, *, pulls: bool) -> Html:
    wanted = here.request.query.get("state", "open")
    opened, closed = counted(here, pulls=pulls)
    everything = sorted(opened + closed, key=lambda row: -row.number)
    choices = {"open": opened, "closed": closed, "all": everything}
    rows = choices.get(wanted, opened)
    name = "Pull requests" if pulls else "Issues"
    return fill(
        '<div class="row"><h1>{name}</h1><span class="push"></span>{new}</div>'
        '<div class="box"><div class="head">{tabs}</div>{rows}{empty}</div>',
        name=name,
        new=None if pulls else fill('<a href="{base}/issues/new">New issue</a>', base=here.base),
        tabs=[
            fill(
                '<a href="?state={key}"{current}>{count} {word}</a> ',
                key=key,
                current=Html(' aria-current="page" class="who"') if choices[key] is rows else None,
                count=len(choices[key]),
                word=word,
            )
            for key, word in (("open", "open"), ("closed", "closed"), ("all", "in all"))
        ],
        rows=[_line(here, row) for row in rows],
        empty=None if rows else fill('<div class="empty">No {name} here.</div>', name=name.lower()),
    )


def _line(here: Visit, issue: Issue) -> Html:
    symbol, tone, word = state_of(issue)
    moment = issue.created_at if issue.is_open else issue.closed_at or issue.updated_at
    comments = len(here.world.comments.of(issue.id))
    return fill(
        '<div class="item">{state}<div class="grow"><a class="title" href="{path}">{title}</a> {checks} {labels}'
        '<div class="small muted">#{number} {word} {age} by {author}{into}</div></div>'
        '<span class="small muted">{comments}</span></div>',
        state=icon(symbol, tone, word),
        path=here.path_of_issue(issue),
        title=issue.title,
        checks=checks.summary_icon(here, issue.pull.head_sha) if issue.pull else None,
        labels=chips(here.world, issue),
        number=issue.number,
        word="opened" if issue.is_open else word.lower(),
        age=age(here.world, moment),
        author=who(here.world.accounts[issue.author_id]),
        into=f" · {issue.pull.head_ref} → {issue.pull.base_ref}" if issue.pull else None,
        comments=[icon(Symbol.COMMENT, label="comments"), f" {comments}"] if comments else None,
    )

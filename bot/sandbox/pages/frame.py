"""What every page has around its content: the bar with the way back, who one is, the repository's tabs."""

from __future__ import annotations

from urllib.parse import quote

from aiohttp import web

from bot.sandbox.model.issues import Issue
from bot.sandbox.pages.html import Content, Html, fill
from bot.sandbox.pages.markdown import render
from bot.sandbox.pages.style import STYLE
from bot.sandbox.pages.visit import Visit, people

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' https:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>{title}</title><link rel="icon" href="/avatars/u/0"><style>{style}</style></head>
<body><header class="top">
<div class="bar"><div class="crumbs"><a class="mark" href="/">Sandbox</a>{crumbs}</div>{me}</div>
{tabs}</header>
<main>{content}</main></body></html>
"""


def page(here: Visit, title: str, content: Content, *, tab: str = "", status: int = 200) -> web.Response:
    """A whole page; `tab` is the one that is open."""
    html = fill(
        _PAGE,
        title=title,
        style=STYLE,
        crumbs=_crumbs(here),
        me=_me(here),
        tabs=_tabs(here, tab) if here.found else None,
        content=content,
    )
    return web.Response(text=html, status=status, content_type="text/html", charset="utf-8", headers=HEADERS)


def form(here: Visit, action: str, content: Content, css: str = "") -> Html:
    """A form of ours, which `checked_form` accepts."""
    return fill(
        '<form method="post" action="{action}" class="{css}"><input type="hidden" name="token" value="{token}">'
        "{content}</form>",
        action=action,
        css=css,
        token=here.token,
        content=content,
    )


def banner(problem: str | None) -> Html | None:
    """Why what was asked for was not done."""
    if problem is None:
        return None
    return fill('<div class="banner" role="alert"><strong>Not done.</strong> {problem}</div>', problem=problem)


def written(here: Visit, text: str | None) -> Html:
    """Markdown that somebody wrote in the repository; `#12` and `@login` lead to what they name."""

    def address(name: str) -> str | None:
        if name.startswith("@"):
            account = here.world.account(name[1:])
            return f"/{quote(account.login)}" if account else None
        issue = here.world.issue(here.repo, int(name[1:]))
        return here.path_of_issue(issue) if issue else None

    return fill('<div class="md">{html}</div>', html=render(text, address))


def section(anchor: str, title: Content, content: Content) -> Html:
    """A part of a page that can be jumped to."""
    return fill(
        '<section id="{anchor}"><h2>{title}</h2>{content}</section>', anchor=anchor, title=title, content=content
    )


def plural(number: int, word: str) -> str:
    """`1 commit`, `2 commits`."""
    return f"{number} {word}{'' if number == 1 else 's'}"


def counted(here: Visit, *, pulls: bool) -> tuple[list[Issue], list[Issue]]:
    """The open and the closed pull requests (or issues), newest first."""
    rows = [row for row in here.world.issues.of(here.repo.id) if (row.pull is not None) is pulls][::-1]
    return [row for row in rows if row.is_open], [row for row in rows if not row.is_open]


def _crumbs(here: Visit) -> Html | None:
    if here.found is None:
        return None
    return fill(
        '<span class="slash">/</span><a href="/{owner}">{owner}</a><span class="slash">/</span>'
        '<a href="{base}">{name}</a>',
        owner=here.world.owner(here.repo).login,
        base=here.base,
        name=here.repo.name,
    )


def _me(here: Visit) -> Html | None:
    if here.account is None:
        return None
    chosen = Html(" selected")
    options = [
        fill(
            '<option value="{login}"{chosen}>{login}</option>',
            chosen=chosen if row == here.account else None,
            login=row.login,
        )
        for row in people(here.world)
    ]
    role = here.world.role(here.account, here.repo) if here.found else None
    return form(
        here,
        "/session",
        fill(
            '<input type="hidden" name="back" value="{back}"><span class="muted small hide">You are</span> '
            '<select name="account" aria-label="You are">{options}</select> <button>Switch</button>{role}',
            back=here.request.path_qs if here.request.method == "GET" else here.request.path.rpartition("/")[0] or "/",
            options=options,
            role=fill(' <span class="tag" title="Your role here">{role}</span>', role=role) if role else None,
        ),
        "row",
    )


def _tabs(here: Visit, current: str) -> Html:
    pulls, issues = len(counted(here, pulls=True)[0]), len(counted(here, pulls=False)[0])
    rows = (
        ("code", "Code", here.base, None),
        ("issues", "Issues", f"{here.base}/issues", issues),
        ("pulls", "Pull requests", f"{here.base}/pulls", pulls),
        ("commits", "Commits", f"{here.base}/commits", None),
    )
    return fill(
        '<nav class="tabs">{tabs}</nav>',
        tabs=[
            fill(
                '<a href="{path}"{current}>{name}{count}</a>',
                path=path,
                current=Html(' aria-current="page"') if key == current else None,
                name=name,
                count=None if count is None else fill('<span class="count">{count}</span>', count=count),
            )
            for key, name, path, count in rows
        ],
    )

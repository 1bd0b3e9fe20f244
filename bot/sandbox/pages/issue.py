"""An issue, and the form for a new one."""

from __future__ import annotations

from aiohttp import web

from bot.sandbox.model.issues import Issue
from bot.sandbox.pages import thread
from bot.sandbox.pages.badges import age, state_pill, who
from bot.sandbox.pages.frame import banner, form, page
from bot.sandbox.pages.html import fill
from bot.sandbox.pages.visit import Visit, checked_form, explained
from bot.sandbox.rest.errors import ApiError

CREATE = "/repos/{owner}/{repo}/issues"


async def show(here: Visit) -> web.Response:
    """GET /OWNER/REPO/issues/NUMBER"""
    return _page(here, here.issue(pull=False))


async def comment(here: Visit) -> web.Response:
    """POST /OWNER/REPO/issues/NUMBER/comments"""
    fields, issue = await checked_form(here), here.issue(pull=False)
    try:
        done = await thread.answer(here, issue, fields)
    except ApiError as error:
        return _page(here, here.issue(pull=False), error, fields.get("body", ""))
    raise done


async def new(here: Visit) -> web.Response:
    """GET /OWNER/REPO/issues/new"""
    return _form(here)


async def create(here: Visit) -> web.Response:
    """POST /OWNER/REPO/issues"""
    fields = await checked_form(here)
    title, body = fields.get("title", ""), fields.get("body", "")
    try:
        made = await here.perform("POST", CREATE, {"title": title, "body": body})
    except ApiError as error:
        return _form(here, error, title, body)
    raise web.HTTPSeeOther(f"{here.base}/issues/{made.body['number']}")


def _page(here: Visit, issue: Issue, problem: ApiError | None = None, draft: str = "") -> web.Response:
    content = fill(
        '{banner}<h1>{title} <span class="muted">#{number}</span></h1>'
        '<p class="row">{state} <span>{who} opened this {age}</span></p><div class="split">'
        "<div>{conversation}{box}</div>{side}</div>",
        banner=banner(explained(problem) if problem else None),
        title=issue.title,
        number=issue.number,
        state=state_pill(issue),
        who=who(here.world.accounts[issue.author_id]),
        age=age(here.world, issue.created_at),
        conversation=thread.conversation(here, issue),
        box=thread.comment_box(here, issue, draft),
        side=thread.sidebar(here, issue),
    )
    status = problem.status if problem else 200
    return page(here, f"{issue.title} · #{issue.number}", content, tab="issues", status=status)


def _form(here: Visit, problem: ApiError | None = None, title: str = "", body: str = "") -> web.Response:
    fields = fill(
        '<label for="title">Title</label>'
        '<input type="text" id="title" name="title" value="{title}" required maxlength="256">'
        '<label for="body">Text</label><textarea id="body" name="body">\n{body}</textarea>'
        '<div class="buttons"><button class="main">Open issue</button></div>',
        title=title,
        body=body,
    )
    content = fill(
        "{banner}<h1>New issue</h1>{form}",
        banner=banner(explained(problem) if problem else None),
        form=form(here, f"{here.base}/issues", fields),
    )
    return page(here, f"New issue · {here.repo.name}", content, tab="issues", status=problem.status if problem else 200)

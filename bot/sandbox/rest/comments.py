"""Comments in the conversation of issues and pull requests.

https://docs.github.com/en/rest/issues/comments
"""

from __future__ import annotations

from bot.sandbox import issues
from bot.sandbox.access import reads, writes
from bot.sandbox.model.accounts import Role
from bot.sandbox.model.issues import Comment
from bot.sandbox.payloads.issues import comment_payload
from bot.sandbox.rest.call import Call, Reply, Route
from bot.sandbox.rest.errors import forbidden, invalid, not_found
from bot.sandbox.rest.pulls import MAX_BODY


async def create_comment(call: Call) -> Reply:
    """POST /issues/{issue_number}/comments"""
    issue, text = call.issue(), _text(call)
    if issue.locked and not call.trusted(Role.WRITE):
        raise forbidden("Unable to create comment because issue is locked.")
    row = issues.commented(call.world, call.hooks, issue, text, call.account, call.via_app_id)
    made = comment_payload(call.world, row)
    return Reply(made, 201, {"Location": made["url"]})


async def list_on_issue(call: Call) -> Reply:
    """GET /issues/{issue_number}/comments, oldest first, changed `since`."""
    rows = [row for row in call.world.comments.of(call.issue().id) if _since(call, row)]
    page = call.page(rows)
    return page.reply([comment_payload(call.world, row) for row in page.items])


async def list_in_repo(call: Call) -> Reply:
    """GET /issues/comments: of the whole repository, oldest first unless `sort` and `direction` say otherwise."""
    everything = [row for issue in call.world.issues.of(call.repo.id) for row in call.world.comments.of(issue.id)]
    rows = sorted((row for row in everything if _since(call, row)), key=lambda row: row.id)
    sort = call.query.get("sort")
    if sort == "updated":
        rows.sort(key=lambda row: (row.updated_at, row.id))
    if sort is not None and call.query.get("direction") == "desc":  # without `sort` it is ignored
        rows.reverse()
    page = call.page(rows)
    return page.reply([comment_payload(call.world, row) for row in page.items])


async def get_comment(call: Call) -> Reply:
    """GET /issues/comments/{comment_id}"""
    return Reply(comment_payload(call.world, comment(call)))


async def update_comment(call: Call) -> Reply:
    """PATCH /issues/comments/{comment_id}: by its author, or who may write."""
    row = _own(call)
    text = _text(call)
    if text != row.body:
        row = issues.comment_edited(call.world, call.hooks, row, text, call.account)
    return Reply(comment_payload(call.world, row))


async def delete_comment(call: Call) -> Reply:
    """DELETE /issues/comments/{comment_id}: by its author, or who may write."""
    issues.comment_deleted(call.world, call.hooks, _own(call), call.account)
    return Reply(status=204)


def comment(call: Call) -> Comment:
    """The comment in the path; 404 if there is none in this repository."""
    row = call.world.comments.get(call.number("comment_id"))
    if row is None or row.repo_id != call.repo.id:
        raise not_found()
    return row


def _own(call: Call) -> Comment:
    row = comment(call)
    if row.author_id != call.account.id and not call.trusted(Role.WRITE):
        raise forbidden("Must have admin rights to Repository.")
    return row


def _text(call: Call) -> str:
    text = call.body.required_text("body")
    if not text.strip():
        raise invalid("IssueComment", "data", "unprocessable", "Body cannot be blank")
    if len(text) > MAX_BODY:
        message = f"Body is too long (maximum is {MAX_BODY} characters)"
        raise invalid("IssueComment", "data", "unprocessable", message)
    return text


def _since(call: Call, row: Comment) -> bool:
    since = call.since()
    return since is None or row.updated_at >= since


_AT = "/repos/{owner}/{repo}/issues"
_READ = reads("issues", "pull_requests")
_WRITE = writes("issues", "pull_requests", role=Role.READ)  # who may read may comment

ROUTES = (
    Route("POST", _AT + "/{issue_number}/comments", create_comment, _WRITE),
    Route("GET", _AT + "/{issue_number}/comments", list_on_issue, _READ),
    Route("GET", _AT + "/comments", list_in_repo, _READ),
    Route("GET", _AT + "/comments/{comment_id}", get_comment, _READ),
    Route("PATCH", _AT + "/comments/{comment_id}", update_comment, _WRITE),
    Route("DELETE", _AT + "/comments/{comment_id}", delete_comment, _WRITE),
)

"""Issues. Every pull request is one too.

https://docs.github.com/en/rest/issues/issues
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from bot.sandbox import issues, pulls
from bot.sandbox.access import reads, writes
from bot.sandbox.model.accounts import Role
from bot.sandbox.model.issues import Issue, IssueState
from bot.sandbox.payloads.issues import issue_payload
from bot.sandbox.payloads.pulls import part_of
from bot.sandbox.rest.call import Call, Reply, Route
from bot.sandbox.rest.errors import ApiError, forbidden, invalid
from bot.sandbox.rest.labels import named, names_in
from bot.sandbox.rest.pulls import check_reopen, check_text

_REASONS = ("completed", "not_planned", "duplicate", "reopened")
_MAX_ASSIGNEES = 10
_SORTS: dict[str, Callable[[Call, Issue], Any]] = {
    "created": lambda _, row: row.number,
    "updated": lambda _, row: (row.updated_at, row.number),
    "comments": lambda call, row: (len(call.world.comments.of(row.id)), row.number),
}


async def create_issue(call: Call) -> Reply:
    """POST /issues. Labels and assignees of who may not set them are dropped without a word."""
    body, world, repo = call.body, call.world, call.repo
    if not repo.has_issues:
        raise ApiError(410, "Issues are disabled for this repo")
    title, text = body.required_text("title"), body.text("body")
    check_text("Issue", title, text)
    labels, people = _wanted_labels(call) or (), _wanted_assignees(call) or ()
    now = world.now()
    issue = Issue(
        world.new_id(),
        repo.id,
        world.next_number(repo),
        title,
        text,
        call.account.id,
        now,
        now,
        labels=tuple(dict.fromkeys(labels)),
        assignees=tuple(dict.fromkeys(people)),
        via_app_id=call.via_app_id,
    )
    made = issue_payload(world, await issues.opened(world, call.hooks, issue, call.account))
    return Reply(made, 201, {"Location": made["url"]})


async def get_issue(call: Call) -> Reply:
    """GET /issues/{issue_number}"""
    return Reply(issue_payload(call.world, call.issue()))


async def list_issues(call: Call) -> Reply:
    """GET /issues, pull requests among them, by `state`, `labels`, `assignee`, `creator`, `since`."""
    query, world, since = call.query, call.world, call.since()
    state, creator, assignee = query.get("state", "open"), query.get("creator"), query.get("assignee")
    labels = {name.strip().lower() for name in query.get("labels", "").split(",") if name.strip()}
    rows = [
        row
        for row in world.issues.of(call.repo.id)
        if state in ("all", row.state)
        and labels <= {world.labels[number].name.lower() for number in row.labels}
        and (since is None or row.updated_at >= since)
        and creator in (None, world.accounts[row.author_id].login)
        and _assigned(call, row, assignee)
    ]
    sort = _SORTS.get(query.get("sort", "created"), _SORTS["created"])
    rows.sort(key=lambda row: sort(call, row), reverse=query.get("direction", "desc") != "asc")
    page = call.page(rows)
    return page.reply([issue_payload(world, row) for row in page.items])


async def update_issue(call: Call) -> Reply:
    """PATCH /issues/{issue_number}: by its author or who may triage; of pull requests too."""
    body, issue = call.body, call.issue()
    if issue.author_id != call.account.id and not call.trusted(Role.TRIAGE):
        raise forbidden("Must have admin rights to Repository.")
    issue = await _edited(call, issue)
    if (labels := _wanted_labels(call)) is not None:
        issue = await issues.set_labels(call.world, call.hooks, issue, labels, call.account)
    if (people := _wanted_assignees(call)) is not None:
        issue = await issues.set_assignees(call.world, call.hooks, issue, people, call.account)
    state, reason = body.text("state") or str(issue.state), body.text("state_reason")
    if state not in tuple(IssueState):
        raise invalid("Issue", "state", value=state)
    if reason is not None and reason not in _REASONS:
        raise invalid("Issue", "state_reason", value=reason)
    if state != issue.state:
        issue = await _turned(call, issue, IssueState(state), reason)
    return Reply(issue_payload(call.world, issue))


async def add_assignees(call: Call) -> Reply:
    """POST /issues/{issue_number}/assignees"""
    issue = call.issue()
    people = [*issue.assignees, *(_wanted_assignees(call) or ())]
    issue = await issues.set_assignees(call.world, call.hooks, issue, people, call.account)
    return Reply(issue_payload(call.world, issue), 201)


async def remove_assignees(call: Call) -> Reply:
    """DELETE /issues/{issue_number}/assignees"""
    issue, gone = call.issue(), set(_wanted_assignees(call) or ())
    left = [number for number in issue.assignees if number not in gone]
    issue = await issues.set_assignees(call.world, call.hooks, issue, left, call.account)
    return Reply(issue_payload(call.world, issue))


async def _edited(call: Call, issue: Issue) -> Issue:
    title, text = call.body.text("title"), call.body.text("body", issue.body)
    check_text("Issue", title, text)
    edited = replace(issue, title=title or issue.title, body=text)
    changes: dict[str, Any] = {}
    if edited.title != issue.title:
        changes["title"] = {"from": issue.title}
    if edited.body != issue.body:
        changes["body"] = {"from": issue.body or ""}
    if not changes:
        return issue
    issue = call.world.issues.put(replace(edited, updated_at=call.world.now()))
    await issues.announce(call.world, call.hooks, issue, "edited", call.account, changes=changes)
    return issue


async def _turned(call: Call, issue: Issue, state: IssueState, reason: str | None) -> Issue:
    """Closed or opened again."""
    world, hooks, who = call.world, call.hooks, call.account
    if issue.pull is None and state is IssueState.CLOSED:
        return await issues.closed(world, hooks, issue, who, reason or "completed")
    if issue.pull is None:
        return await issues.reopened(world, hooks, issue, who)
    if state is IssueState.CLOSED:
        return await pulls.closed(world, hooks, issue, who)
    await check_reopen(call, part_of(issue))
    return await pulls.reopened(world, hooks, issue, who)


def _wanted_labels(call: Call) -> Sequence[int] | None:
    names = names_in(call.body)
    return None if names is None or not call.trusted(Role.TRIAGE) else named(call, names)


def _wanted_assignees(call: Call) -> Sequence[int] | None:
    logins = call.body.array("assignees", str)
    if logins is None or not call.trusted(Role.TRIAGE):
        return None
    if len(logins) > _MAX_ASSIGNEES:
        raise invalid("Issue", "assignees", "custom", f"at most {_MAX_ASSIGNEES} people can be assigned")
    found = []
    for login in logins:
        account = call.world.account(login)
        if account is None or not call.world.role(account, replace(call.repo, private=True)).allows(Role.READ):
            raise invalid("Issue", "assignees", value=login)
        found.append(account.id)
    return found


def _assigned(call: Call, row: Issue, wanted: str | None) -> bool:
    if wanted in (None, "*", "none"):
        return wanted is None or bool(row.assignees) == (wanted == "*")
    return wanted in [call.world.accounts[number].login for number in row.assignees]


_AT = "/repos/{owner}/{repo}/issues"
_ONE = _AT + "/{issue_number}"
_READ = reads("issues", "pull_requests")
_WRITE = writes("issues", "pull_requests", role=Role.READ)
_TRIAGE = writes("issues", "pull_requests", role=Role.TRIAGE)

ROUTES = (
    Route("POST", _AT, create_issue, writes("issues", role=Role.READ)),
    Route("GET", _AT, list_issues, _READ),
    Route("GET", _ONE, get_issue, _READ),
    Route("PATCH", _ONE, update_issue, _WRITE),
    Route("POST", _ONE + "/assignees", add_assignees, _TRIAGE),
    Route("DELETE", _ONE + "/assignees", remove_assignees, _TRIAGE),
)

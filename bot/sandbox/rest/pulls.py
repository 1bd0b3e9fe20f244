"""Pull requests: open, list, read, edit, and what is in them.

https://docs.github.com/en/rest/pulls/pulls
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bot.sandbox import pulls
from bot.sandbox.access import Needs, reads, visible, writes
from bot.sandbox.git import diffs, reading
from bot.sandbox.model.accounts import Role
from bot.sandbox.model.issues import Issue, IssueState, Pull
from bot.sandbox.model.repos import Repo
from bot.sandbox.payloads.commits import commit_summary, diff_entry
from bot.sandbox.payloads.pulls import head_label, part_of, pull_full, pull_simple
from bot.sandbox.rest.call import Call, Reply, Route
from bot.sandbox.rest.errors import invalid

# https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files and #list-commits-on-a-pull-request
_MAX_FILES, _MAX_COMMITS = 3_000, 250
MAX_TITLE, MAX_BODY = 256, 65_536


def check_text(resource: str, title: str | None, body: str | None) -> None:
    """Refuse a title or body GitHub would find too long, and a blank title."""
    if title is not None and not title.strip():
        raise invalid(resource, "title", "missing_field")
    if title is not None and len(title) > MAX_TITLE:
        raise invalid(resource, "title", "custom", f"title is too long (maximum is {MAX_TITLE} characters)")
    if body is not None and len(body) > MAX_BODY:
        raise invalid(resource, "body", "custom", f"body is too long (maximum is {MAX_BODY} characters)")


async def create_pull(call: Call) -> Reply:
    """POST /pulls"""
    body, world, repo = call.body, call.world, call.repo
    title, text = body.required_text("title"), body.text("body")
    check_text("PullRequest", title, text)
    base = body.required_text("base")
    head_repo, head = await _head(call, body.required_text("head"))
    git = world.git(repo)
    base_sha = await reading.branch(git, base)
    if base_sha is None:
        raise invalid("PullRequest", "base")
    head_sha = await reading.branch(world.git(head_repo), head)
    if head_sha is None:
        raise invalid("PullRequest", "head")
    label = head_label(world, head_repo, head)
    for issue in world.issues.of(repo.id):
        pull = issue.pull
        if pull and issue.is_open and (pull.head_repo_id, pull.head_ref, pull.base_ref) == (
            head_repo.id, head, base
        ):  # fmt: skip
            message = f"A pull request already exists for {label}."
            raise invalid("PullRequest", "", "custom", message)
    if head_repo.id != repo.id:
        await git.run("fetch", "--quiet", "--no-tags", "--", str(world.git(head_repo).path), head_sha)
    if await reading.is_ancestor(git, head_sha, base_sha):
        raise invalid("PullRequest", "", "custom", f"No commits between {base} and {head}")
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
        via_app_id=call.via_app_id,
        pull=Pull(
            head_repo.id,
            head,
            head_sha,
            base,
            base_sha,
            draft=body.flag("draft", False),
            maintainer_can_modify=head_repo.id != repo.id and body.flag("maintainer_can_modify", True),
        ),
    )
    issue = await pulls.opened(world, call.hooks, issue, call.account)
    return await _full(call, issue, 201)


async def list_pulls(call: Call) -> Reply:
    """GET /pulls, by `state`, `head` (OWNER:BRANCH), `base`; sorted by `sort` and `direction`."""
    query, world = call.query, call.world
    state, head, base = query.get("state", "open"), query.get("head"), query.get("base")
    rows = [row for row in world.issues.of(call.repo.id) if row.pull]
    rows = [row for row in rows if state in ("all", row.state)]
    if base:
        rows = [row for row in rows if part_of(row).base_ref == base]
    if head and ":" in head:  # without OWNER: GitHub ignores it
        rows = [row for row in rows if _head_is(call, part_of(row), head)]
    sort = query.get("sort", "created")
    descending = query.get("direction", "desc" if sort == "created" else "asc") == "desc"
    if sort == "updated":
        rows.sort(key=lambda row: (row.updated_at, row.number))
    elif sort == "popularity":
        rows.sort(key=lambda row: len(world.comments.of(row.id)))
    page = call.page(rows[::-1] if descending else rows)
    return page.reply([pull_simple(world, row) for row in page.items])


async def get_pull(call: Call) -> Reply:
    """GET /pulls/{pull_number}; as a diff if the caller accepts that."""
    issue = call.pull()
    if "diff" in call.accept or "patch" in call.accept:
        git, pull = call.world.git(call.repo), part_of(issue)
        text = await diffs.text(git, await _fork_point(call, pull), pull.head_sha)
        return Reply(text, content_type="application/vnd.github.diff")
    return await _full(call, issue, 200, start=True)


async def update_pull(call: Call) -> Reply:
    """PATCH /pulls/{pull_number}: title, body, state, base."""
    body, world, issue = call.body, call.world, call.pull()
    title, text = body.text("title"), body.text("body", issue.body)
    check_text("PullRequest", title, text)
    changes: dict[str, Any] = {}
    edited = replace(issue, title=title or issue.title, body=text)
    if edited.title != issue.title:
        changes["title"] = {"from": issue.title}
    if edited.body != issue.body:
        changes["body"] = {"from": issue.body or ""}
    base, pull = body.text("base"), part_of(issue)
    if base and base != pull.base_ref:
        sha = await reading.branch(world.git(call.repo), base)
        if sha is None:
            raise invalid("PullRequest", "base")
        changes["base"] = {"ref": {"from": pull.base_ref}, "sha": {"from": pull.base_sha}}
        edited = replace(edited, pull=replace(pull, base_ref=base, base_sha=sha))
    state = body.text("state") or str(issue.state)
    if state not in tuple(IssueState):
        raise invalid("PullRequest", "state", value=state)
    reopen = state == "open" and not issue.is_open
    if reopen:
        await check_reopen(call, part_of(issue))
    if edited != issue:
        issue = world.issues.put(replace(edited, updated_at=world.now()))
    if changes:
        await pulls.announce(world, call.hooks, issue, "edited", call.account, changes=changes)
    if reopen:
        issue = await pulls.reopened(world, call.hooks, issue, call.account)
    if state == "closed" and issue.is_open:
        issue = await pulls.closed(world, call.hooks, issue, call.account)
    return await _full(call, issue, 200)


async def pull_files(call: Call) -> Reply:
    """GET /pulls/{pull_number}/files"""
    pull = part_of(call.pull())
    rows = await diffs.files(call.world.git(call.repo), await _fork_point(call, pull), pull.head_sha)
    page = call.page(rows[:_MAX_FILES])
    return page.reply([diff_entry(call.world, call.repo, pull.head_sha, row) for row in page.items])


async def pull_commits(call: Call) -> Reply:
    """GET /pulls/{pull_number}/commits"""
    pull = part_of(call.pull())
    git, span = call.world.git(call.repo), f"{pull.base_sha}..{pull.head_sha}"
    rows = await reading.log(git, "--reverse", "--topo-order", span)
    page = call.page(rows[:_MAX_COMMITS])
    return page.reply([commit_summary(call.world, call.repo, row) for row in page.items])


async def _full(call: Call, issue: Issue, status: int, *, start: bool = False) -> Reply:
    facts = await pulls.facts(call.world, issue, start=start)
    body = pull_full(call.world, issue, facts)
    return Reply(body, status, {"Location": body["url"]} if status == 201 else {})


async def _head(call: Call, name: str) -> tuple[Repo, str]:
    """The repository and branch that `head` names: BRANCH, OWNER:BRANCH, or with `head_repo` beside it."""
    owner, colon, branch = name.rpartition(":")
    world, repo = call.world, call.repo
    if not colon or owner.lower() == world.owner(repo).login.lower():
        return repo, branch
    account = world.account(owner)
    root = repo.parent_id or repo.id
    forks = world.repos.of(account.id) if account else ()
    for fork in forks:
        if root in (fork.parent_id, fork.id) and visible(world, call.actor, fork):
            return fork, branch
    raise invalid("PullRequest", "head")


def _head_is(call: Call, pull: Pull, head: str) -> bool:
    repo = call.world.repos.get(pull.head_repo_id)
    return repo is not None and head_label(call.world, repo, pull.head_ref) == head


async def check_reopen(call: Call, pull: Pull) -> None:
    """Refuse to open again what was merged, or whose branch is gone or elsewhere."""
    if pull.merged_at is not None:
        raise invalid("PullRequest", "state", "custom", "state cannot be changed. The pull request was merged.")
    repo = call.world.repos.get(pull.head_repo_id)
    sha = await reading.branch(call.world.git(repo), pull.head_ref) if repo else None
    if sha is None:
        message = f"state cannot be changed. The {pull.head_ref} branch has been deleted."
        raise invalid("PullRequest", "state", "custom", message)
    if sha != pull.head_sha:
        message = f"state cannot be changed. The {pull.head_ref} branch was force-pushed or recreated."
        raise invalid("PullRequest", "state", "custom", message)


async def _fork_point(call: Call, pull: Pull) -> str:
    found = await reading.merge_base(call.world.git(call.repo), pull.base_sha, pull.head_sha)
    return found or reading.EMPTY_TREE


_AT = "/repos/{owner}/{repo}/pulls"
_READ = reads("pull_requests")
# Anybody who may read may propose: GitHub asks for write access only where the head branch is.
_OPEN: Needs = writes("pull_requests", role=Role.READ)

ROUTES = (
    Route("POST", _AT, create_pull, _OPEN),
    Route("GET", _AT, list_pulls, _READ),
    Route("GET", _AT + "/{pull_number}", get_pull, _READ),
    Route("PATCH", _AT + "/{pull_number}", update_pull, writes("pull_requests", role=Role.TRIAGE)),
    Route("GET", _AT + "/{pull_number}/files", pull_files, _READ),
    Route("GET", _AT + "/{pull_number}/commits", pull_commits, _READ),
)

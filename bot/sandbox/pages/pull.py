"""A pull request: conversation, checks, commits, files, and merging."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import PurePosixPath

from aiohttp import web

from bot.sandbox import pulls
from bot.sandbox.access import is_admin
from bot.sandbox.git import diffs, merging, reading
from bot.sandbox.merges import Method
from bot.sandbox.model.issues import Issue, Pull
from bot.sandbox.pages import checks, diff, thread
from bot.sandbox.pages.badges import branch, short, state_pill, who
from bot.sandbox.pages.commits import as_text, commit_list
from bot.sandbox.pages.frame import banner, form, page, plural, section
from bot.sandbox.pages.html import Content, Html, fill
from bot.sandbox.pages.icons import Symbol, Tone, icon
from bot.sandbox.pages.visit import Visit, checked_form, explained
from bot.sandbox.payloads.pulls import PullFacts, part_of
from bot.sandbox.rest.errors import ApiError
from bot.sandbox.rules import missing_checks, missing_reviews

MERGE = "/repos/{owner}/{repo}/pulls/{pull_number}/merge"
_PATIENCE = 3.0  # seconds to wait for the test merge before the page is shown without its result


async def show(here: Visit) -> web.Response:
    """GET /OWNER/REPO/pull/NUMBER"""
    return await _page(here, here.issue(pull=True))


async def comment(here: Visit) -> web.Response:
    """POST /OWNER/REPO/pull/NUMBER/comments"""
    fields, issue = await checked_form(here), here.issue(pull=True)
    try:
        done = await thread.answer(here, issue, fields)
    except ApiError as error:
        return await _page(here, here.issue(pull=True), error, fields.get("body", ""))
    raise done


async def merge(here: Visit) -> web.Response:
    """POST /OWNER/REPO/pull/NUMBER/merge: only the head that the page showed."""
    fields, issue = await checked_form(here), here.issue(pull=True)
    wish = {"merge_method": fields.get("method", "merge"), "sha": fields.get("sha", "")}
    try:
        await here.perform("PUT", MERGE, wish, pull_number=issue.number)
    except ApiError as error:
        return await _page(here, here.issue(pull=True), error)
    raise web.HTTPSeeOther(here.path_of_issue(issue))


async def as_diff(here: Visit) -> web.Response:
    """GET /OWNER/REPO/pull/NUMBER.diff and .patch"""
    pull = part_of(here.issue(pull=True))
    return await as_text(here, await _start(here, pull), pull.head_sha, PurePosixPath(here.request.path).suffix)


async def _page(here: Visit, issue: Issue, problem: ApiError | None = None, draft: str = "") -> web.Response:
    pull, git = part_of(issue), here.git
    facts = await _facts(here, issue)
    commits = await merging.new_commits(git, pull.base_sha, pull.head_sha)
    changes = await diffs.files(git, await _start(here, pull), pull.head_sha)
    required = checks.required_checks(here, pull.base_ref)
    found = checks.lines(here, pull.head_sha, required if issue.is_open else ())
    after = checks.lines(here, pull.merge_commit_sha) if pull.merged_at and pull.merge_commit_sha else None
    reviewers: list[Content] = [
        fill("<div>{who}</div>", who=who(here.world.accounts[row])) for row in pull.requested_reviewers
    ]
    counts = (
        ("conversation", "Conversation", len(here.world.comments.of(issue.id))),
        ("checks", "Checks", len(found)),
        ("commits", "Commits", len(commits)),
        ("files", "Files", len(changes)),
    )
    content = fill(
        "{banner}{head}"
        '<nav class="jump">{jump}</nav><div class="split"><div><section id="conversation">{conversation}</section>'
        "{checks}{landed}{merge}{box}</div>{side}</div>{commits}{files}",
        banner=banner(explained(problem) if problem else None),
        head=_head(here, issue, len(commits)),
        jump=[
            fill('<a href="#{key}">{word}<span class="count">{count}</span></a>', key=key, word=word, count=count)
            for key, word, count in counts
        ],
        conversation=thread.conversation(here, issue),
        checks=section(
            "checks", fill("Checks on {sha}", sha=short(here.base, pull.head_sha)), checks.box(here, found, required)
        ),
        landed=_landed(here, pull, after) if after is not None else None,
        merge=_merge_box(here, issue, facts),
        box=thread.comment_box(here, issue, draft),
        side=thread.sidebar(
            here,
            issue,
            ("Reviewers", reviewers or "Nobody asked"),
            ("Checks", _in_short(found)),
            *([("After the merge", _in_short(after))] if after is not None else []),
        ),
        commits=section("commits", plural(len(commits), "commit"), commit_list(here, commits)),
        files=section("files", "Files", diff.render(changes, here.base, pull.head_sha)),
    )
    title = f"{issue.title} · #{issue.number}"
    return page(here, title, content, tab="pulls", status=problem.status if problem else 200)


def _head(here: Visit, issue: Issue, commits: int) -> Html:
    pull, world = part_of(issue), here.world
    merged = pull.merged_at is not None
    fork = world.repos.get(pull.head_repo_id)
    head = branch(here.base, pull.head_ref)
    if fork != here.repo:
        name = f"{world.owner(fork).login if fork else 'gone'}:{pull.head_ref}"
        head = fill('<span class="branch mono">{name}</span>', name=name)
    by = world.accounts[pull.merged_by_id if merged and pull.merged_by_id else issue.author_id]
    return fill(
        '<h1>{title} <span class="muted">#{number}</span></h1>'
        '<p class="row">{state} <span>{who} {verb} {commits} into {base} from {head}</span></p>',
        title=issue.title,
        number=issue.number,
        state=state_pill(issue),
        who=who(by),
        verb="merged" if merged else "wants to merge",
        commits=plural(commits, "commit"),
        base=branch(here.base, pull.base_ref),
        head=head,
    )


def _in_short(found: Sequence[checks.Line]) -> Content:
    look = checks.overall(found)
    return [icon(look[0], look[1]), " ", look[2]] if look else "None yet"


def _landed(here: Visit, pull: Pull, found: Sequence[checks.Line]) -> Html:
    """What was found out about the commit that the merge made."""
    title = fill("Checks on the merge commit {sha}", sha=short(here.base, pull.merge_commit_sha or pull.head_sha))
    return section("landed", title, checks.box(here, found))


def _merge_box(here: Visit, issue: Issue, facts: PullFacts) -> Html | None:
    """The button, or why there is none."""
    if not issue.is_open:
        return None
    pull, repo = part_of(issue), here.repo
    reasons = _reasons(here, issue, facts)
    rules = here.world.protection(repo, pull.base_ref)
    spared = bool(reasons) and facts.mergeable is True and not pull.draft and is_admin(here.world, here.actor, repo)
    spared = spared and rules is not None and not rules.enforce_admins
    button: Content = None
    if not here.may("PUT", MERGE):
        name, role = here.actor.name, here.world.role(here.account, repo) if here.account else "none"
        button = fill(
            '<p class="muted">{name} may not merge: it takes write access, and they have {role}.</p>',
            name=name,
            role=role,
        )
    elif not reasons or spared:
        button = _merge_form(here, issue, forced=bool(reasons))
    symbol, tone = (Symbol.CROSS, Tone.BAD) if facts.mergeable is False else (Symbol.RING, Tone.WAIT)
    good = fill(
        "<p>{icon} <strong>This can be merged.</strong> It does not conflict with {base}.</p>",
        icon=icon(Symbol.CHECK, Tone.GOOD),
        base=branch(here.base, pull.base_ref),
    )
    told: Content = [fill("<p>{icon} {why}</p>", icon=icon(symbol, tone), why=why) for why in reasons]
    return fill(
        '<div class="box" id="merge"><div class="head">{icon} <strong>{title}</strong></div>'
        '<div class="pad">{told}{button}</div></div>',
        icon=icon(Symbol.MERGE, Tone.WAIT if reasons else Tone.GOOD),
        title="Not ready to be merged" if reasons else "Ready to be merged",
        told=told if reasons else good,
        button=button,
    )


def _reasons(here: Visit, issue: Issue, facts: PullFacts) -> list[str]:
    """Everything that stands against the merge, in GitHub's words where it has some."""
    pull = part_of(issue)
    reasons = ["This is a draft."] if pull.draft else []
    if facts.mergeable is None:
        reasons.append("Whether it can be merged is still being found out: reload the page in a moment.")
    if facts.mergeable is False:
        reasons.append(f"It conflicts with {pull.base_ref}: the conflicts have to be resolved on {pull.head_ref}.")
    rules = here.world.protection(here.repo, pull.base_ref)
    if rules is not None:
        reasons += missing_checks(here.world, here.repo, rules, pull.head_sha)
        reasons += missing_reviews(here.world, rules, issue)
        if facts.mergeable_state == "behind":
            reasons.append(f"It is out of date with {pull.base_ref}.")
        if rules.lock_branch:
            reasons.append(f"{pull.base_ref} is locked.")
    return reasons


def _merge_form(here: Visit, issue: Issue, *, forced: bool) -> Html:
    pull, repo = part_of(issue), here.repo
    rules = here.world.protection(repo, pull.base_ref)
    linear = rules is not None and rules.linear_history
    offered = (
        (Method.MERGE, "Create a merge commit", repo.allow_merge_commit and not linear),
        (Method.SQUASH, "Squash into one commit", repo.allow_squash_merge),
        (Method.REBASE, "Rebase the commits", repo.allow_rebase_merge),
    )
    return form(
        here,
        f"{here.path_of_issue(issue)}/merge",
        fill(
            '<input type="hidden" name="sha" value="{sha}"><div class="row"><select name="method" aria-label="How">'
            '{options}</select> <button class="main{bold}">{word}</button></div>',
            sha=pull.head_sha,
            options=[
                fill('<option value="{key}">{word}</option>', key=key, word=word) for key, word, ok in offered if ok
            ],
            bold=" bold" if forced else "",
            word="Merge without waiting, as an administrator may" if forced else "Merge pull request",
        ),
    )


async def _facts(here: Visit, issue: Issue) -> PullFacts:
    """What Git says, once the test merge is done; it is started here if nobody has asked before."""
    facts = await pulls.facts(here.world, issue, start=True)
    if not issue.is_open:
        return facts
    try:
        async with asyncio.timeout(_PATIENCE):
            while facts.mergeable is None and await reading.branch(here.git, part_of(issue).base_ref):
                await asyncio.sleep(0.02)
                facts = await pulls.facts(here.world, issue)
    except TimeoutError:
        pass  # the page says so
    return facts


async def _start(here: Visit, pull: Pull) -> str:
    return await reading.merge_base(here.git, pull.base_sha, pull.head_sha) or reading.EMPTY_TREE

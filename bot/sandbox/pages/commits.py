"""The history of a repository: commits, and what lies between two of them."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from bot.sandbox.git import diffs, reading
from bot.sandbox.git.process import ZERO
from bot.sandbox.git.reading import Commit
from bot.sandbox.pages import checks, diff
from bot.sandbox.pages.badges import age, committer, short
from bot.sandbox.pages.frame import HEADERS, page, plural, section
from bot.sandbox.pages.html import Content, Html, fill
from bot.sandbox.pages.icons import Symbol, icon
from bot.sandbox.pages.visit import Visit
from bot.sandbox.rest.errors import not_found

_PER_PAGE = 30


async def history(here: Visit) -> web.Response:
    """GET /OWNER/REPO/commits/REF/PATH, newest first, `?page=2` the next."""
    if here.request.match_info.get("rest"):
        name, sha, path = await place(here)
    else:
        name, path = here.repo.default_branch, ""
        sha = await reading.branch(here.git, name) or ""
    asked = here.request.query.get("page", "1")
    number = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 7 else 1
    start = max(number - 1, 0) * _PER_PAGE
    rows = await reading.log(here.git, sha, limit=_PER_PAGE + 1, skip=start, path=path or None) if sha else ()
    links = [("← Newer", number - 1)] * (number > 1) + [("Older →", number + 1)] * (len(rows) > _PER_PAGE)
    content = fill(
        '<h1>Commits <span class="muted">{on}</span></h1>{rows}<div class="pages">{links}</div>',
        on=f"of {path} on {name}" if path else f"on {name}",
        rows=commit_list(here, rows[:_PER_PAGE]),
        links=[fill('<a href="?page={to}">{word}</a>', to=to, word=word) for word, to in links],
    )
    return page(here, f"Commits · {here.repo.name}", content, tab="commits")


async def commit(here: Visit) -> web.Response:
    """GET /OWNER/REPO/commit/SHA"""
    sha = await reading.resolve(here.git, here.request.match_info["sha"])
    row = await reading.commit(here.git, sha) if sha else None
    if row is None:
        raise not_found()
    title, rest = subject(row), row.message.partition("\n")[2]
    changes = await diffs.files(here.git, row.parents[0] if row.parents else reading.EMPTY_TREE, row.sha)
    found = checks.lines(here, row.sha)
    parents: list[Content] = [fill(" {sha}", sha=short(here.base, parent)) for parent in row.parents]
    content = fill(
        '<h1>{title}</h1><p class="row muted">{author} committed {age} <span class="mono">{sha}</span>{parents}'
        '<a href="{base}/tree/{sha}">Browse files</a></p>{rest}{checks}{diff}',
        title=title,
        author=committer(here.world, row.author),
        age=age(here.world, row.committer.date),
        base=here.base,
        sha=row.sha,
        parents=fill("<span>after {parents}</span>", parents=parents) if parents else None,
        rest=fill("<pre>{rest}</pre>", rest=rest.strip("\n")) if rest.strip() else None,
        checks=section("checks", "Checks", checks.box(here, found)),
        diff=section("diff", "Changes", diff.render(changes, here.base, row.sha)),
    )
    return page(here, f"{title} · {here.repo.name}", content, tab="commits")


async def compare(here: Visit) -> web.Response:
    """GET /OWNER/REPO/compare/BASE...HEAD, and with .diff or .patch after it without a page around it."""
    before, dots, after = here.request.match_info["span"].partition("...")
    name, dot, kind = after.rpartition(".")
    plain = dot + kind if kind in ("diff", "patch") else ""
    head = await reading.resolve(here.git, name if plain else after)
    is_new = bool(before) and ZERO.startswith(before)  # what a push that makes a branch is compared to
    base = None if is_new else await reading.resolve(here.git, before)
    if not dots or head is None or (base is None and not is_new):
        raise not_found()
    start = (base and await reading.merge_base(here.git, base, head)) or reading.EMPTY_TREE
    if plain:
        return await as_text(here, start, head, plain)
    rows = await reading.log(here.git, f"{base}..{head}" if base else head, limit=250)
    content = [
        fill('<h1>Comparing <span class="muted">{before} … {after}</span></h1>', before=before, after=after),
        section("commits", plural(len(rows), "commit"), commit_list(here, rows)),
        section("diff", "Changes", diff.render(await diffs.files(here.git, start, head), here.base, head)),
    ]
    return page(here, f"{before}...{after} · {here.repo.name}", content, tab="code")


def commit_list(here: Visit, rows: Sequence[Commit]) -> Html:
    """Commits, one line each, with how their checks went."""
    if not rows:
        return Html('<div class="box"><div class="empty">No commits.</div></div>')
    return fill(
        '<div class="box">{rows}</div>',
        rows=[
            fill(
                '<div class="item">{icon}<div class="grow"><a class="title" href="{base}/commit/{sha}">{title}</a>'
                '<div class="small muted">{author} · {age}</div></div>{checks}{short}</div>',
                icon=icon(Symbol.COMMIT),
                base=here.base,
                sha=row.sha,
                title=subject(row),
                author=committer(here.world, row.author),
                age=age(here.world, row.committer.date),
                checks=checks.summary_icon(here, row.sha),
                short=short(here.base, row.sha),
            )
            for row in rows
        ],
    )


async def as_text(here: Visit, start: str, head: str, kind: str) -> web.Response:
    """What differs between two commits, as one `.diff` or as a `.patch` for each commit."""
    if kind == ".patch":
        text = await here.git.run("format-patch", "--stdout", f"{start}..{head}")
    else:
        text = await diffs.text(here.git, start, head)
    return web.Response(text=f"{text}\n", headers=HEADERS)


async def place(here: Visit) -> tuple[str, str, str]:
    """Ref, commit and path of an address in which both ref and path may hold slashes."""
    rest = here.request.match_info["rest"]
    names = await reading.refs(here.git, "refs/heads/", "refs/tags/")
    fitting = [name for name in (full.split("/", 2)[2] for full in names) if f"{rest}/".startswith(f"{name}/")]
    ref = max(fitting, key=len, default=rest.partition("/")[0])
    sha = await reading.resolve(here.git, ref)
    if sha is None:
        raise not_found()
    return ref, sha, rest[len(ref) :].strip("/")


def subject(row: Commit) -> str:
    """The first line of a commit's message."""
    return row.message.partition("\n")[0] or "(no message)"

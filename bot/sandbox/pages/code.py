"""The files of a repository: folders and what is in them."""

from __future__ import annotations

from urllib.parse import quote

from aiohttp import web

from bot.sandbox.git import reading
from bot.sandbox.git.process import GitRepo
from bot.sandbox.git.reading import Commit, TreeEntry
from bot.sandbox.pages import checks
from bot.sandbox.pages.badges import age, branch, committer, short
from bot.sandbox.pages.commits import commit_list, place, subject
from bot.sandbox.pages.frame import HEADERS, page, section, written
from bot.sandbox.pages.html import Html, fill
from bot.sandbox.pages.icons import Symbol, Tone, icon
from bot.sandbox.pages.visit import Visit
from bot.sandbox.rest.errors import not_found

_MAX_SHOWN = 512 * 1024
_LATEST = 5


async def repository(here: Visit) -> web.Response:
    """GET /OWNER/REPO: the folder at the top of the default branch, and what its README says."""
    if here.request.match_info["repo"].endswith(".git"):
        raise web.HTTPSeeOther(here.base)
    head = await reading.branch(here.git, here.repo.default_branch)
    if head is None:
        content = fill('<div class="box empty">Nothing is here yet. <code>{command}</code></div>', command=_clone(here))
        return page(here, here.repo.name, content, tab="code")
    return await _folder(here, here.repo.default_branch, head, "", top=True)


async def tree(here: Visit) -> web.Response:
    """GET /OWNER/REPO/tree/REF/PATH"""
    name, sha, path = await place(here)
    return await _folder(here, name, sha, path.strip("/"), top=False)


async def blob(here: Visit) -> web.Response:
    """GET /OWNER/REPO/blob/REF/PATH"""
    name, sha, path = await place(here)
    entry = await reading.entry(here.git, sha, path)
    if entry is None or entry.kind != "blob":
        raise not_found()
    raw = await reading.blob(here.git, entry.sha)
    content = fill(
        '<div class="row above">{crumbs}</div>'
        '<div class="box"><div class="head"><span class="muted small">{size} bytes</span><span class="push small">'
        '<a href="{base}/raw/{sha}/{path}">Raw</a> · '
        '<a href="{base}/commits/{ref}/{path}">History</a></span></div>{body}</div>',
        crumbs=_crumbs(here, name, path),
        size=len(raw),
        base=here.base,
        sha=sha,
        ref=quote(name),
        path=quote(path),
        body=_text(here, path, raw),
    )
    return page(here, f"{path} · {here.repo.name}", content, tab="code")


async def raw(here: Visit) -> web.Response:
    """GET /OWNER/REPO/raw/REF/PATH: never as anything a browser would run."""
    _, sha, path = await place(here)
    entry = await reading.entry(here.git, sha, path)
    if entry is None or entry.kind != "blob":
        raise not_found()
    content = await reading.blob(here.git, entry.sha)
    kind = "application/octet-stream" if b"\0" in content else "text/plain"
    return web.Response(body=content, headers={**HEADERS, "Content-Type": f"{kind}; charset=utf-8"})


async def _folder(here: Visit, ref: str, sha: str, path: str, *, top: bool) -> web.Response:
    entry = await reading.entry(here.git, sha, path)
    if entry is None or entry.kind != "tree":
        raise not_found()
    rows = sorted(await reading.tree(here.git, entry.sha), key=lambda row: (row.kind != "tree", row.path))
    last = await reading.log(here.git, sha, limit=_LATEST if top else 1, path=path or None)
    readme = next((row for row in rows if row.path.lower() == "readme.md" and row.kind == "blob"), None)
    content = fill(
        '{about}<div class="row above">{branches}{crumbs}{clone}</div>'
        '<div class="box"><div class="head">{last}</div>{rows}</div>{latest}{readme}',
        about=fill("<p>{about}</p>", about=here.repo.description) if top and here.repo.description else None,
        branches=await _branches(here.git, here.base, ref),
        crumbs=_crumbs(here, ref, path),
        last=_last(here, last[0]) if last else None,
        rows=[_entry(here, ref, path, row) for row in rows],
        clone=fill('<code class="push">{command}</code>', command=_clone(here)) if top else None,
        latest=section("latest", "Latest commits", commit_list(here, last)) if top else None,
        readme=await _readme(here, readme) if readme else None,
    )
    return page(here, f"{path or here.world.full_name(here.repo)} · {ref}", content, tab="code")


async def _branches(git: GitRepo, base: str, current: str) -> Html:
    names = [name.removeprefix("refs/heads/") for name in await reading.refs(git, "refs/heads/")]
    return fill(
        '<details><summary>{current} <span class="muted small">of {count}</span></summary><p>{names}</p></details>',
        current=fill('<span class="branch mono">{name}</span>', name=current),
        count=f"{len(names)} branch{'' if len(names) == 1 else 'es'}",
        names=[fill("{branch} ", branch=branch(base, name)) for name in names],
    )


def _clone(here: Visit) -> str:
    return f"git clone {here.world.url}{here.base}.git"


def _crumbs(here: Visit, ref: str, path: str) -> Html | None:
    if not path:
        return None
    parts = path.split("/")
    above = [
        fill(
            '<a href="{base}/tree/{ref}/{path}">{name}</a> / ',
            base=here.base,
            ref=quote(ref),
            path=quote("/".join(parts[: count + 1])),
            name=parts[count],
        )
        for count in range(len(parts) - 1)
    ]
    return fill(
        '<span class="mono"><a href="{base}/tree/{ref}">{repo}</a> / {above}<strong>{name}</strong></span>',
        base=here.base,
        ref=quote(ref),
        repo=here.repo.name,
        above=above,
        name=parts[-1],
    )


def _last(here: Visit, row: Commit) -> Html:
    return fill(
        '{author} <a class="grow" href="{base}/commit/{sha}">{title}</a> {checks}'
        '<span class="push muted small">{age} · {short}</span>',
        author=committer(here.world, row.author),
        base=here.base,
        sha=row.sha,
        title=subject(row),
        checks=checks.summary_icon(here, row.sha),
        age=age(here.world, row.committer.date),
        short=short(here.base, row.sha),
    )


def _entry(here: Visit, ref: str, folder: str, row: TreeEntry) -> Html:
    kind = "tree" if row.kind == "tree" else "blob"
    path = f"{folder}/{row.path}" if folder else row.path
    return fill(
        '<div class="item">{icon}<a class="grow" href="{base}/{kind}/{ref}/{path}">{name}</a></div>',
        icon=icon(Symbol.FOLDER if kind == "tree" else Symbol.FILE, Tone.QUIET),
        base=here.base,
        kind=kind,
        ref=quote(ref),
        path=quote(path),
        name=row.path,
    )


async def _readme(here: Visit, entry: TreeEntry) -> Html:
    text = (await reading.blob(here.git, entry.sha)).decode("utf-8", "replace")
    return fill(
        '<div class="box"><div class="head"><strong>{name}</strong></div><div class="pad">{text}</div></div>',
        name=entry.path,
        text=written(here, text[:_MAX_SHOWN]),
    )


def _text(here: Visit, path: str, content: bytes) -> Html:
    if b"\0" in content or len(content) > _MAX_SHOWN:
        return Html('<div class="empty">Not shown: too large, or no text.</div>')
    text = content.decode("utf-8", "replace")
    rows = text.removesuffix("\n").split("\n")
    source = fill(
        '<table class="lines"><tbody>{rows}</tbody></table>',
        rows=[
            fill('<tr id="L{n}"><td class="no" data-n="{n}"></td><td>{line}</td></tr>', n=n, line=line)
            for n, line in enumerate(rows, 1)
        ],
    )
    if not path.lower().endswith(".md"):
        return source
    return fill(
        '<div class="pad">{text}</div><details class="pad"><summary>Source</summary>{source}</details>',
        text=written(here, text),
        source=source,
    )

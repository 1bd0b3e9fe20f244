"""Files and folders as content: read, write, remove, each write one commit.

https://docs.github.com/en/rest/repos/contents
"""

from __future__ import annotations

import base64
import binascii
from urllib.parse import quote

from bot.sandbox import pushes
from bot.sandbox.access import reads, writes
from bot.sandbox.git import reading, writing
from bot.sandbox.git.guard import objection
from bot.sandbox.git.process import ZERO
from bot.sandbox.git.reading import TreeEntry
from bot.sandbox.payloads.commits import git_commit, person
from bot.sandbox.payloads.repos import repo_page, repo_url
from bot.sandbox.payloads.values import JsonObject
from bot.sandbox.rest.call import Body, Call, Reply, Route
from bot.sandbox.rest.errors import ApiError, conflict, not_found, unprocessable
from bot.sandbox.rest.git_objects import require_workflows

_LARGE = 1024 * 1024  # from here on the content is left out of the JSON; raw still gives it


async def get_content(call: Call) -> Reply:
    """GET /contents/{path}: a file with its content, or the list of a folder."""
    return await _content(call, call.params.get("path", "").strip("/"))


async def get_readme(call: Call) -> Reply:
    """GET /readme"""
    ref, git = call.query.get("ref"), call.world.git(call.repo)
    commit = await reading.resolve(git, ref or call.repo.default_branch)
    rows = await reading.tree(git, commit) if commit else ()
    names = [row.path for row in rows if row.path.lower() in ("readme.md", "readme", "readme.txt")]
    if not names:
        raise not_found()
    return await _content(call, names[0])


async def put_content(call: Call) -> Reply:
    """PUT /contents/{path}: make a file, or with the `sha` of its blob replace it."""
    body, git = call.body, call.world.git(call.repo)
    message, path = body.required_text("message"), _path(call)
    require_workflows(call, path)
    try:
        content = base64.b64decode(body.required_text("content"))
    except (binascii.Error, ValueError) as error:
        raise unprocessable("content is not valid Base64") from error
    branch, tip = await _branch(call)
    found = await reading.entry(git, tip, path) if tip else None
    _check_sha(call, path, found)
    blob = await writing.write_blob(git, content)
    edit = writing.Edit(path, found.mode if found else "100644", blob)
    commit = await _commit(call, branch, tip, edit, message)
    made = TreeEntry(edit.mode, "blob", blob, len(content), path)
    answer = {"content": _entry(call, made, branch), "commit": git_commit(call.world, call.repo, commit)}
    return Reply(answer, 200 if found else 201)


async def delete_content(call: Call) -> Reply:
    """DELETE /contents/{path}; `message`, `sha` and `branch` may also come in the query."""
    body = Body({**call.query, **call.body})
    message, path = body.required_text("message"), _path(call)
    require_workflows(call, path)
    branch, tip = await _branch(call, body)
    found = await reading.entry(call.world.git(call.repo), tip, path) if tip else None
    if found is None or found.kind != "blob":
        raise not_found()
    body.required_text("sha")
    _check_sha(call, path, found, body)
    commit = await _commit(call, branch, tip, writing.Edit(path, found.mode, None), message)
    return Reply({"content": None, "commit": git_commit(call.world, call.repo, commit)})


async def _content(call: Call, path: str) -> Reply:
    git, ref = call.world.git(call.repo), call.query.get("ref") or call.repo.default_branch
    commit = await reading.resolve(git, ref)
    if commit is None:
        raise not_found() if call.query.get("ref") is None else ApiError(404, f"No commit found for the ref {ref}")
    found = await reading.entry(git, commit, path)
    if found is None:
        raise not_found()
    if found.kind == "tree":
        rows = await reading.tree(git, found.sha)
        prefix = f"{path}/" if path else ""
        inner = [TreeEntry(row.mode, row.kind, row.sha, row.size, prefix + row.path) for row in rows]
        return Reply([_entry(call, row, ref) for row in inner])
    content = await reading.blob(git, found.sha) if found.kind == "blob" else b""
    if "raw" in call.accept:
        return Reply(content, content_type="application/vnd.github.raw")
    large = len(content) > _LARGE
    return Reply(
        _entry(call, found, ref)
        | {
            "content": "" if large else base64.encodebytes(content).decode(),
            "encoding": "none" if large else "base64",
        }
    )


def _path(call: Call) -> str:
    path = call.params["path"]
    if any(part in ("", ".", "..", ".git") for part in path.split("/")):
        raise unprocessable("path contains a malformed path component")
    return path


async def _branch(call: Call, body: Body | None = None) -> tuple[str, str | None]:
    """The branch to write to and its tip, None if the repository is empty."""
    name = (body or call.body).text("branch") or call.repo.default_branch
    git = call.world.git(call.repo)
    tip = await reading.branch(git, name)
    if tip is None and await reading.refs(git, "refs/heads/"):
        raise ApiError(404, f"Branch {name} not found")
    return name, tip


def _check_sha(call: Call, path: str, found: TreeEntry | None, body: Body | None = None) -> None:
    given = (body or call.body).text("sha")
    if found is not None and given is None:
        raise unprocessable('Invalid request.\n\n"sha" wasn\'t supplied.')
    if given is not None and (found is None or found.sha != given):
        raise conflict(f"{path} does not match {given}")


async def _commit(call: Call, branch: str, tip: str | None, edit: writing.Edit, message: str) -> reading.Commit:
    world, git = call.world, call.world.git(call.repo)
    tree = await writing.write_tree(git, tip, [edit])
    now = reading.Person(*person(call.account), world.now())
    author, committer = (_named(call, name, now) for name in ("author", "committer"))
    if not call.body.get("committer"):
        committer = author if call.body.get("author") else now
    sha = await writing.write_commit(git, tree, [tip] if tip else [], message, author, committer)
    rules = world.protection(call.repo, branch)
    if rules and (objected := objection(world, call.actor, call.repo, rules, tip or ZERO, sha)):
        raise conflict(f"Could not update file: {objected}")
    try:
        await writing.set_ref(git, f"refs/heads/{branch}", sha, tip or ZERO)
    except writing.RefMoved as error:
        raise conflict(f"is at a new commit but expected {tip}") from error
    await pushes.observe(world, call.hooks, call.repo, call.account)
    return (await reading.log(git, sha, limit=1))[0]


def _named(call: Call, field: str, default: reading.Person) -> reading.Person:
    given = call.body.record(field)
    if given is None:
        return default
    return reading.Person(given.required_text("name"), given.required_text("email"), default.date)


def _entry(call: Call, row: TreeEntry, ref: str) -> JsonObject:
    """One file or folder, without content."""
    kinds = {"tree": "dir", "commit": "submodule", "blob": "symlink" if row.mode == "120000" else "file"}
    api, page, path = repo_url(call.world, call.repo), repo_page(call.world, call.repo), quote(row.path)
    is_file, name = row.kind == "blob", quote(ref)
    urls = {
        "url": f"{api}/contents/{path}?ref={name}",
        "git_url": f"{api}/git/{row.kind}s/{row.sha}",
        "html_url": f"{page}/{'blob' if is_file else 'tree'}/{name}/{path}",
    }
    return {
        "name": row.path.rpartition("/")[2],
        "path": row.path,
        "sha": row.sha,
        "size": row.size or 0,
        "type": kinds[row.kind],
        **urls,
        "download_url": f"{page}/raw/{name}/{path}" if is_file else None,
        "_links": {"self": urls["url"], "git": urls["git_url"], "html": urls["html_url"]},
    }


_AT = "/repos/{owner}/{repo}"

ROUTES = (
    Route("GET", _AT + "/contents", get_content, reads("contents")),
    Route("GET", _AT + "/contents/{path}", get_content, reads("contents")),
    Route("GET", _AT + "/readme", get_readme, reads("contents")),
    Route("PUT", _AT + "/contents/{path}", put_content, writes("contents")),
    Route("DELETE", _AT + "/contents/{path}", delete_content, writes("contents")),
)

"""Git objects: blobs, trees, commits, annotated tags.

https://docs.github.com/en/rest/git
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime
from typing import Any

from bot.sandbox.access import reads, writes
from bot.sandbox.auth import ActorKind
from bot.sandbox.git import reading, writing
from bot.sandbox.git.process import GitError
from bot.sandbox.model.accounts import Level
from bot.sandbox.model.checks import SignedCommit
from bot.sandbox.payloads.commits import UNSIGNED, git_commit, noreply, person
from bot.sandbox.payloads.repos import repo_url
from bot.sandbox.payloads.values import JsonObject, node_id, stamp
from bot.sandbox.rest.call import Body, Call, Reply, Route
from bot.sandbox.rest.errors import conflict, forbidden, not_found, unprocessable

_MODES = {"100644": "blob", "100755": "blob", "120000": "blob", "040000": "tree", "160000": "commit"}
_WORKFLOWS = ".github/workflows/"
_MAX_ENTRIES = 100_000


def require_workflows(call: Call, *paths: str) -> None:
    """Refuse an App without the `workflows` permission that writes where workflows are kept."""
    touched = any(f"{path}/".startswith(_WORKFLOWS) for path in paths)
    app = call.actor.kind is ActorKind.INSTALLATION
    if touched and app and call.actor.level("workflows") is not Level.WRITE:
        raise forbidden()


async def get_blob(call: Call) -> Reply:
    """GET /git/blobs/{file_sha}"""
    git, sha = call.world.git(call.repo), call.params["file_sha"]
    if await reading.kind_of(git, sha) != "blob":
        raise not_found()
    content = await reading.blob(git, sha)
    if "raw" in call.accept:
        return Reply(content, content_type="application/vnd.github.raw")
    return Reply(
        _object(call, "blobs", "Blob", sha)
        | {"size": len(content), "encoding": "base64", "content": base64.encodebytes(content).decode()}
    )


async def create_blob(call: Call) -> Reply:
    """POST /git/blobs: `content` as text, or base64 if `encoding` says so."""
    text = call.body.required_text("content")
    content = text.encode()
    if call.body.text("encoding", "utf-8") == "base64":
        try:
            content = base64.b64decode(text)
        except (binascii.Error, ValueError) as error:
            raise unprocessable("content is not valid Base64") from error
    sha = await writing.write_blob(call.world.git(call.repo), content)
    url = f"{repo_url(call.world, call.repo)}/git/blobs/{sha}"
    return Reply({"url": url, "sha": sha}, 201, {"Location": url})


async def get_tree(call: Call) -> Reply:
    """GET /git/trees/{tree_sha}: of a tree, a commit or a ref; any `recursive` parameter means yes."""
    git, name = call.world.git(call.repo), call.params["tree_sha"]
    sha = name
    if await reading.kind_of(git, name) != "tree":
        commit = await reading.resolve(git, name)
        if commit is None:
            raise not_found()
        sha = await git.run("rev-parse", f"{commit}^{{tree}}")
    return Reply(await _tree(call, sha, recursive="recursive" in call.query))


async def create_tree(call: Call) -> Reply:
    """POST /git/trees: entries put over `base_tree`; a `sha` of null removes the path."""
    git = call.world.git(call.repo)
    base = call.body.text("base_tree")
    if base is not None and await reading.kind_of(git, base) not in ("tree", "commit"):
        raise unprocessable("base_tree is not a valid tree oid")
    entries = call.body.array("tree", dict)
    if not entries:
        raise unprocessable("Invalid tree info")
    edits = [await _edit(call, Body(entry)) for entry in entries]
    require_workflows(call, *(edit.path for edit in edits))
    try:
        sha = await writing.write_tree(git, base, edits)
    except writing.NoSuchPath as error:
        raise unprocessable(f"GitRPC::BadObjectState: {error} is not in the base tree") from error
    except GitError as error:
        raise unprocessable("GitRPC::BadObjectState") from error
    body = await _tree(call, sha, recursive=False)
    return Reply(body, 201, {"Location": body["url"]})


async def get_commit(call: Call) -> Reply:
    """GET /git/commits/{commit_sha}"""
    found = await reading.commit(call.world.git(call.repo), call.params["commit_sha"])
    if found is None:
        raise not_found()
    return Reply(git_commit(call.world, call.repo, found))


async def create_commit(call: Call) -> Reply:
    """POST /git/commits: what an App makes and names nobody for is signed.

    https://docs.github.com/en/authentication/managing-commit-signature-verification/about-commit-signature-verification#signature-verification-for-bots
    """
    git, body = call.world.git(call.repo), call.body
    message, tree = body.required_text("message"), body.required_text("tree")
    parents = body.array("parents", str) or []
    if await reading.kind_of(git, tree) != "tree":
        raise unprocessable("Tree SHA does not exist")
    for parent in parents:
        if await reading.kind_of(git, parent) != "commit":
            raise unprocessable("Parent SHA does not exist or is not a commit object")
    author = _person(call, body.record("author"))
    committer = _person(call, body.record("committer")) if body.get("committer") else author
    signs = call.actor.kind is ActorKind.INSTALLATION and not {"author", "committer", "signature"} & body.keys()
    if signs:
        author = reading.Person(call.account.login, noreply(call.world, call.account), call.world.now())
        committer = reading.Person("GitHub", "noreply@github.com", author.date)
    sha = await writing.write_commit(git, tree, parents, message, author, committer)
    made = await reading.commit(git, sha)
    if made is None:
        raise conflict(f"commit {sha} was written and cannot be read")
    if signs:
        call.world.signed_commits.put(SignedCommit(call.world.new_id(), call.repo.id, sha))
    payload = git_commit(call.world, call.repo, made)
    return Reply(payload, 201, {"Location": payload["url"]})


async def get_tag(call: Call) -> Reply:
    """GET /git/tags/{tag_sha}: the object of an annotated tag."""
    found = await reading.tag(call.world.git(call.repo), call.params["tag_sha"])
    if found is None:
        raise not_found()
    return Reply(_tag(call, found))


async def create_tag(call: Call) -> Reply:
    """POST /git/tags: the object only; a ref is made by POST /git/refs."""
    git, body = call.world.git(call.repo), call.body
    name, target = body.required_text("tag"), body.required_text("object")
    kind = body.required_text("type")
    if await reading.kind_of(git, target) != kind:
        raise unprocessable("Object does not exist or is of another type")
    tagger = _person(call, body.record("tagger"))
    sha = await writing.write_tag(git, name, target, kind, tagger, body.required_text("message"))
    made = await reading.tag(git, sha)
    if made is None:
        raise conflict(f"tag {sha} was written and cannot be read")
    payload = _tag(call, made)
    return Reply(payload, 201, {"Location": payload["url"]})


def _object(call: Call, plural: str, kind: str, sha: str) -> JsonObject:
    url = f"{repo_url(call.world, call.repo)}/git/{plural}/{sha}"
    return {"sha": sha, "node_id": node_id(kind, f"{call.repo.id}:{sha}"), "url": url}


async def _edit(call: Call, entry: Body) -> writing.Edit:
    path, mode = entry.required_text("path"), entry.text("mode") or "100644"
    parts = path.split("/")
    if any(part in ("", ".", "..", ".git") for part in parts):
        raise unprocessable("tree.path contains a malformed path component")
    if mode not in _MODES:
        raise unprocessable("Must supply a valid tree.mode")
    content = entry.text("content")
    if content is not None:
        return writing.Edit(path, mode, await writing.write_blob(call.world.git(call.repo), content.encode()))
    if "sha" not in entry:
        raise unprocessable("Must supply either tree.sha or tree.content")
    return writing.Edit(path, mode, entry.text("sha"))


async def _tree(call: Call, sha: str, *, recursive: bool) -> JsonObject:
    rows = await reading.tree(call.world.git(call.repo), sha, recursive=recursive)
    url = f"{repo_url(call.world, call.repo)}/git"
    entries: list[dict[str, Any]] = []
    for row in rows[:_MAX_ENTRIES]:
        entry: dict[str, Any] = {"path": row.path, "mode": row.mode, "type": row.kind, "sha": row.sha}
        if row.size is not None:
            entry["size"] = row.size
        if row.kind != "commit":
            entry["url"] = f"{url}/{row.kind}s/{row.sha}"
        entries.append(entry)
    return {
        "sha": sha,
        "url": f"{url}/trees/{sha}",
        "tree": entries,
        "truncated": len(rows) > _MAX_ENTRIES,
    }


def _person(call: Call, given: Body | None) -> reading.Person:
    """Who the caller names, or the caller, now."""
    name, email = person(call.account)
    if given is None:
        return reading.Person(name, email, call.world.now())
    date = given.text("date")
    try:
        moment = datetime.fromisoformat(date) if date else call.world.now()
    except ValueError as error:
        raise unprocessable(f"Invalid request.\n\n{date!r} is not a valid timestamp.") from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return reading.Person(given.required_text("name"), given.required_text("email"), moment)


def _tag(call: Call, tag: reading.Tag) -> JsonObject:
    target = f"{repo_url(call.world, call.repo)}/git/{tag.target_kind}s/{tag.target}"
    who = {"name": tag.tagger.name, "email": tag.tagger.email, "date": stamp(tag.tagger.date)}
    return _object(call, "tags", "Tag", tag.sha) | {
        "tag": tag.name,
        "message": tag.message,
        "tagger": who,
        "object": {"sha": tag.target, "type": tag.target_kind, "url": target},
        "verification": UNSIGNED,
    }


_AT = "/repos/{owner}/{repo}/git"

ROUTES = (
    Route("GET", _AT + "/blobs/{file_sha}", get_blob, reads("contents")),
    Route("POST", _AT + "/blobs", create_blob, writes("contents")),
    Route("GET", _AT + "/trees/{tree_sha}", get_tree, reads("contents")),
    Route("POST", _AT + "/trees", create_tree, writes("contents")),
    Route("GET", _AT + "/commits/{commit_sha}", get_commit, reads("contents")),
    Route("POST", _AT + "/commits", create_commit, writes("contents")),
    Route("GET", _AT + "/tags/{tag_sha}", get_tag, reads("contents")),
    Route("POST", _AT + "/tags", create_tag, writes("contents")),
)

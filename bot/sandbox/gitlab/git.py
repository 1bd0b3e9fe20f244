"""Clone, fetch and push at `/GROUP/…/PROJECT.git`: `git http-backend` behind GitLab's sign-in.

https://docs.gitlab.com/topics/git/clone/ and https://git-scm.com/docs/git-http-backend
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from aiohttp import web

from bot.sandbox.git.backend import backend
from bot.sandbox.git.guard import parse
from bot.sandbox.gitlab.model import Project, Role, Token
from bot.sandbox.gitlab.world import GitLab, Unknown

_SERVICES = ("git-upload-pack", "git-receive-pack")
_MAY_READ = frozenset({"api", "read_api", "read_repository", "write_repository"})
_MAY_WRITE = frozenset({"api", "write_repository"})


class GitDoor:
    """The smart protocol's three addresses for every project."""

    def __init__(self, world: GitLab) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        at = r"/{path:[^.].*?}.git"
        return [
            web.get(at + "/info/refs", self._serve),
            *(web.post(f"{at}/{service}", self._serve) for service in _SERVICES),
            web.get(r"/{path:.+?}/info/refs", self._redirect),
        ]

    async def _redirect(self, request: web.Request) -> web.Response:
        """GitLab sends who leaves `.git` out to the address that has it."""
        query = f"?{request.query_string}" if request.query_string else ""
        raise web.HTTPMovedPermanently(f"{self._world.url}/{request.match_info['path']}.git/info/refs{query}")

    async def _serve(self, request: web.Request) -> web.Response:
        service = request.query.get("service") or request.path.rpartition("/")[2]
        pushing = service == "git-receive-pack"
        token = self._world.tokens.get(_password(request))
        try:
            project = self._world.project(request.match_info["path"])
        except Unknown:
            project = None
        enough = _MAY_WRITE if pushing else _MAY_READ
        known = token is not None and not token.revoked and bool(token.scopes & enough)
        if not known and (pushing or project is None or not project.public):
            realm = {"WWW-Authenticate": 'Basic realm="GitLab"'}
            return web.Response(status=401, text="HTTP Basic: Access denied\n", headers=realm)
        if project is None or service not in _SERVICES or not self._world.sees(project, token.user if token else None):
            said = "The project you were looking for could not be found or you don't have permission to view it.\n"
            return web.Response(status=404, text=said)
        if self._world.role(project, token.user if token else None) < (Role.DEVELOPER if pushing else 0):
            return web.Response(status=403, text="You are not allowed to push code to this project.\n")
        body = await request.read()
        refused = self._refused(project, token, body) if pushing and token and request.method == "POST" else ""
        answer = await _backend(request, project, body, {"SANDBOX_REFUSED": refused})
        if pushing and request.method == "POST":
            for observer in self._world.observers:
                observer(request.method, request.path)
        return answer

    def _refused(self, project: Project, token: Token, body: bytes) -> str:
        refs = [ref for _, _, ref in parse(body)]
        branches = {ref: ref.removeprefix("refs/heads/") for ref in refs}
        return "\n".join(ref for ref in refs if not self._world.may_change(project, branches[ref], token.user))


def _password(request: web.Request) -> str:
    """Any user name will do beside a token."""
    kind, _, value = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return ""
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""


async def _backend(request: web.Request, project: Project, body: bytes, extra: Mapping[str, str]) -> web.Response:
    process = await backend(request, project.git.path, request.path.partition(".git/")[2], extra)
    out, _ = await process.communicate(body)
    head, _, content = out.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
    status = int(headers.pop("Status", "200").split()[0])
    return web.Response(status=status, headers=headers, body=content)

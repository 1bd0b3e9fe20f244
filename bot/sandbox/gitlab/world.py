"""The sandbox's GitLab itself: who is there, what they may see, what people do by themselves."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from bot.sandbox.git import reading, writing
from bot.sandbox.git.process import ZERO, GitRepo
from bot.sandbox.gitlab import merging
from bot.sandbox.gitlab.model import MergeRequest, Project, Role, State, Token, User

Clock = Callable[[], datetime]
ALL_SCOPES = frozenset({"api", "read_repository", "write_repository"})

# Git's own hook says no, so that the client hears it as from GitLab.
_HOOK = """#!/bin/sh
# Refuses the refs in SANDBOX_REFUSED, one per line.
if printf '%s\\n' "$SANDBOX_REFUSED" | grep -qxF -- "$1"; then
  echo "GitLab: You are not allowed to push code to protected branches on this project." >&2
  exit 1
fi
"""

_CONFIG = """[http]
\treceivepack = true
[receive]
\thideRefs = refs/merge-requests
\tdenyDeleteCurrent = ignore
[uploadpack]
\tallowAnySHA1InWant = true
\tallowFilter = true
[gc]
\tauto = 0
"""


def utc_now() -> datetime:
    return datetime.now(UTC)


class Unknown(Exception):
    """There is none of that name."""


def _equip(path: Path) -> None:
    with (path / "config").open("a", encoding="utf-8") as config:
        config.write(_CONFIG)
    (path / "hooks").mkdir()
    (path / "hooks" / "update").write_text(_HOOK, encoding="utf-8")
    (path / "hooks" / "update").chmod(0o700)


class GitLab:
    """All in memory but the repositories, which are in `directory`."""

    def __init__(self, directory: Path, clock: Clock) -> None:
        self.directory = directory
        self.url = ""  # known once it is served
        self.now = clock
        self.users: dict[str, User] = {}
        self.tokens: dict[str, Token] = {}
        self.projects: dict[int, Project] = {}
        # Told of every change, by method and path, once it is made.
        self.observers: list[Callable[[str, str], None]] = []
        self._ids = iter(range(1, 1 << 30))

    def new_id(self) -> int:
        return next(self._ids)

    def user(self, username: str) -> User:
        """Somebody, made if missing."""
        if username not in self.users:
            self.users[username] = User(self.new_id(), username, username.title())
        return self.users[username]

    def token(self, username: str, *scopes: str) -> str:
        """A new access token of somebody's; without scopes named one that may all."""
        text = f"glpat-{secrets.token_urlsafe(15)}"
        self.tokens[text] = Token(self.user(username), frozenset(scopes) or ALL_SCOPES)
        return text

    def revoke(self, token: str) -> None:
        held = self.tokens[token]
        self.tokens[token] = Token(held.user, held.scopes, revoked=True)

    async def create_project(
        self, path: str, files: Mapping[str, str] | None = None, members: Mapping[str, Role] | None = None
    ) -> Project:
        """A private project with one commit on `main`."""
        number = self.new_id()
        git = GitRepo(self.directory / "projects" / f"{number}.git")
        git.path.mkdir(parents=True)
        await git.run("init", "--bare", "--quiet", "--template=", "--initial-branch=main")
        await asyncio.to_thread(_equip, git.path)
        project = Project(number, path, git, self.now(), members=dict(members or {}))
        for username in project.members:
            self.user(username)
        self.projects[number] = project
        await self.commit(project, "main", files or {"README.md": f"# {path}\n"}, "Initial commit")
        return project

    async def commit(
        self, project: Project, branch: str, files: Mapping[str, str], message: str = "Change", start: str = ""
    ) -> str:
        """Commit files to a branch, made at `start` (default: the default branch) if missing; the commit's name."""
        git = project.git
        tip = await reading.branch(git, branch)
        parent = tip or await reading.branch(git, start or project.default_branch)
        edits = [
            writing.Edit(path, "100644", await writing.write_blob(git, text.encode())) for path, text in files.items()
        ]
        made = await writing.write_tree(git, parent, edits)
        who = reading.Person("Somebody", "somebody@example.com", self.now())
        sha = await writing.write_commit(git, made, [parent] if parent else [], message, who, who)
        await writing.set_ref(git, f"refs/heads/{branch}", sha, tip or ZERO)
        return sha

    async def fork(self, project: Project, path: str, owner: str) -> Project:
        """A project of somebody's own with the default branch as it is now."""
        made = await self.create_project(path, members={owner: Role.OWNER})
        branch = f"+refs/heads/{project.default_branch}:refs/heads/{made.default_branch}"
        await made.git.run("fetch", "--quiet", str(project.git.path), branch)
        return made

    def move(self, project: Project, path: str) -> None:
        project.former_paths.add(project.path)
        project.path = path

    def project(self, name: str) -> Project:
        """By number or path, a former one too. Raises Unknown."""
        if name.isdigit() and int(name) in self.projects:
            return self.projects[int(name)]
        for each in self.projects.values():
            if each.path.lower() == name.lower():
                return each
        for each in self.projects.values():
            if name.lower() in {path.lower() for path in each.former_paths}:
                return each
        raise Unknown(name)

    def role(self, project: Project, user: User | None) -> int:
        """0: none at all."""
        return project.members.get(user.username, 0) if user else 0

    def sees(self, project: Project, user: User | None) -> bool:
        return project.public or self.role(project, user) > 0

    def may_change(self, project: Project, branch: str, user: User) -> bool:
        """Push to a branch, and so merge into it: the default branch is protected."""
        least = project.merge_role if branch == project.default_branch else Role.DEVELOPER
        return self.role(project, user) >= least

    def request(self, project: Project, iid: int) -> MergeRequest:
        """Raises Unknown."""
        if not 0 < iid <= len(project.requests):
            raise Unknown(f"!{iid}")
        return project.requests[iid - 1]

    # --- what people do -------------------------------------------------------------------------------

    async def merge_as(self, username: str, project: Project, iid: int) -> MergeRequest:
        """Somebody presses the button. Raises merging.NotMergeable."""
        request = self.request(project, iid)
        await merging.merge(request, self.user(username), self.now())
        return request

    async def close(self, project: Project, iid: int) -> MergeRequest:
        request = self.request(project, iid)
        await merging.refresh(request)
        request.state, request.closed_at = State.CLOSED, self.now()
        return request

    async def arrive(self, project: Project) -> int:
        """The merge train comes in: everything that is on it is merged. How many."""
        aboard = [one for one in project.requests if one.car]
        for request in aboard:
            request.car = "merging"
            await merging.merge(request, request.author, self.now())
            request.car = "merged"
        return len(aboard)

"""The sandbox's whole state: tables of records, one writer at a time, and the look-ups everybody needs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from bot.sandbox.git.process import GitRepo
from bot.sandbox.model.accounts import (
    Account,
    AccountKind,
    App,
    Installation,
    InstallationToken,
    Membership,
    OrgRole,
    Role,
    Team,
    TeamMember,
    TeamRepo,
    UserToken,
)
from bot.sandbox.model.actions import WorkflowRun
from bot.sandbox.model.checks import CheckRun, CheckSuite, CommitStatus, Deployment, DeploymentStatus, SignedCommit
from bot.sandbox.model.hooks import Delivery
from bot.sandbox.model.issues import Comment, Issue, Label, Reaction, Review
from bot.sandbox.model.repos import Collaborator, Protection, Repo, SeenRefs
from bot.sandbox.tables import Store, Table

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The real clock."""
    return datetime.now(UTC)


class World:
    """Everything the sandbox knows, kept in `directory`; `url` is where it is served, without a final slash.

    Read any table at any time. Change tables only inside `async with world.change()`, which is what REST
    handlers of writing methods and the Git server are run in.
    """

    def __init__(self, directory: Path, url: str, clock: Clock = utc_now) -> None:
        self.directory, self.url, self.clock = directory, url, clock
        self.api = f"{url}/api/v3"
        self.store = store = Store(directory / "world.sqlite")
        self.accounts = Table(store, "account", Account)
        self.memberships = Table(store, "membership", Membership, lambda row: row.org_id)
        self.teams = Table(store, "team", Team, lambda row: row.org_id)
        self.team_members = Table(store, "team_member", TeamMember, lambda row: row.team_id)
        self.team_repos = Table(store, "team_repo", TeamRepo, lambda row: row.repo_id)
        self.apps = Table(store, "app", App)
        self.installations = Table(store, "installation", Installation, lambda row: row.account_id)
        self.user_tokens = Table(store, "user_token", UserToken, lambda row: row.digest)
        self.installation_tokens = Table(store, "installation_token", InstallationToken, lambda row: row.digest)
        self.repos = Table(store, "repo", Repo, lambda row: row.owner_id)
        self.collaborators = Table(store, "collaborator", Collaborator, lambda row: row.repo_id)
        self.refs = Table(store, "refs", SeenRefs)
        self.protections = Table(store, "protection", Protection, lambda row: row.repo_id)
        self.labels = Table(store, "label", Label, lambda row: row.repo_id)
        self.issues = Table(store, "issue", Issue, lambda row: row.repo_id)
        self.comments = Table(store, "comment", Comment, lambda row: row.issue_id)
        self.reactions = Table(store, "reaction", Reaction, lambda row: (row.subject, row.subject_id))
        self.reviews = Table(store, "review", Review, lambda row: row.issue_id)
        self.check_suites = Table(store, "check_suite", CheckSuite, lambda row: (row.repo_id, row.head_sha))
        self.check_runs = Table(store, "check_run", CheckRun, lambda row: (row.repo_id, row.head_sha))
        self.statuses = Table(store, "status", CommitStatus, lambda row: (row.repo_id, row.sha))
        self.signed_commits = Table(store, "signed_commit", SignedCommit, lambda row: (row.repo_id, row.sha))
        self.deployments = Table(store, "deployment", Deployment, lambda row: row.repo_id)
        self.deployment_statuses = Table(store, "deployment_status", DeploymentStatus, lambda row: row.deployment_id)
        self.workflow_runs = Table(store, "workflow_run", WorkflowRun, lambda row: row.repo_id)
        self.deliveries = Table(store, "delivery", Delivery, lambda row: row.state)
        self.memo: dict[tuple[object, ...], object] = {}  # what Git computed for immutable objects
        self.committed = asyncio.Event()
        self._gits: dict[tuple[int, Path], GitRepo] = {}
        self._lock = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def now(self) -> datetime:
        """The time in whole seconds, as GitHub's timestamps are."""
        return self.clock().replace(microsecond=0)

    def new_id(self) -> int:
        """The id for a new record of any kind."""
        return self.store.next_id()

    @asynccontextmanager
    async def change(self) -> AsyncIterator[None]:
        """The one writer's turn: all of it is kept at the end, or nothing if it raises."""
        async with self._lock:
            try:
                yield
            except BaseException:
                self.store.rollback()
                raise
            self.store.commit()
            self.committed.set()

    def background(self, work: Coroutine[None, None, None]) -> None:
        """Do something nobody waits for; asyncio itself keeps only weak references to tasks."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Let background work end and close the file."""
        await asyncio.gather(*self._tasks)
        self.store.close()

    # Look-ups. Names are compared as GitHub does, without regard to case.

    def account(self, login: str) -> Account | None:
        """The account with this login."""
        return self.accounts.find(lambda row: row.login.lower() == login.lower())

    def organization(self, login: str) -> Account | None:
        """The organisation with this login."""
        account = self.account(login)
        return account if account and account.kind is AccountKind.ORGANIZATION else None

    def owner(self, repo: Repo) -> Account:
        """Who a repository belongs to."""
        return self.accounts[repo.owner_id]

    def full_name(self, repo: Repo) -> str:
        """`OWNER/NAME`."""
        return f"{self.owner(repo).login}/{repo.name}"

    def repo(self, owner: str, name: str) -> Repo | None:
        """The repository OWNER/NAME."""
        account = self.account(owner)
        rows = self.repos.of(account.id) if account else ()
        return next((row for row in rows if row.name.lower() == name.lower()), None)

    def git(self, repo: Repo) -> GitRepo:
        """The bare Git repository behind `repo`."""
        path = self.directory / "repos" / self.owner(repo).login / f"{repo.name}.git"
        return self._gits.setdefault((repo.id, path), GitRepo(path))

    def issue(self, repo: Repo, number: int) -> Issue | None:
        """Issue or pull request `number` of `repo`."""
        return next((row for row in self.issues.of(repo.id) if row.number == number), None)

    def next_number(self, repo: Repo) -> int:
        """The number of the next issue or pull request of `repo`."""
        return max((row.number for row in self.issues.of(repo.id)), default=0) + 1

    def protection(self, repo: Repo, branch: str) -> Protection | None:
        """The rules of `branch`, if it has any."""
        return next((row for row in self.protections.of(repo.id) if row.branch == branch), None)

    def membership(self, org: Account, account: Account) -> Membership | None:
        """How `account` belongs to `org`."""
        return next((row for row in self.memberships.of(org.id) if row.account_id == account.id), None)

    def role(self, account: Account, repo: Repo) -> Role:
        """What `account` may do in `repo`: the most that ownership, membership, teams and invitation give."""
        owner = self.owner(repo)
        if account.id == owner.id:
            return Role.ADMIN
        membership = self.membership(owner, account)
        if membership and membership.role is OrgRole.ADMIN:
            return Role.ADMIN
        granted = {row.team_id: row.role for row in self.team_repos.of(repo.id)}
        roles = [row.role for row in self.collaborators.of(repo.id) if row.account_id == account.id]
        for team in self.teams.of(owner.id):
            if any(row.account_id == account.id for row in self.team_members.of(team.id)):
                roles += [team.every_repository, granted.get(team.id, Role.NONE)]
        if not repo.private:
            roles.append(Role.READ)
        return max(roles, key=list(Role).index, default=Role.NONE)

    def installed(self, repo: Repo) -> tuple[Installation, ...]:
        """The installations that reach `repo`."""
        return tuple(
            row
            for row in self.installations.of(repo.owner_id)
            if row.suspended_at is None and (row.repositories is None or repo.id in row.repositories)
        )

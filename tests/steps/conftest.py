"""A promotion to run steps in: a real repository, the real Git port, real programs, and a GitHub that remembers."""

import os
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from bot.contracts.git import Credential, Identity
from bot.contracts.github import GitHub
from bot.contracts.metrics import Http, HttpAnswer, Secrets
from bot.contracts.registry import Artifacts, Login
from bot.contracts.steps import PromotionInfo, RepositoryInfo, StepContext, StepResult
from bot.core.facts import Permission, PullRequest
from bot.core.model import (
    Commit,
    CommitSha,
    Freight,
    FreightId,
    Image,
    RepositoryName,
    StageName,
    WarehouseName,
)
from bot.git.client import MirroredGit
from bot.rendering import find_programs
from bot.steps import BY_NAME
from tests.steps.forges import RememberingForges
from tests.steps.github_areas import KeptDeployments, KeptReviews, KnownPeople, RunningWorkflows, SigningGitHub

BOT = Identity("towpath[bot]", "towpath[bot]@example.com")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DIGEST = "sha256:" + "a" * 64
FILES = {
    "README.md": "hello\n",
    "chart/Chart.yaml": "apiVersion: v2\nname: service\nversion: 1.0.0\n",
    "chart/values.yaml": "image:\n  repository: registry.example.com/service\n  tag: 0.9.0 # pinned\n",
    "chart/values-uat.yaml": "image:\n  tag: 0.9.0 # pinned\n",
    "chart/templates/service.yaml": (
        "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ .Release.Name }}\ndata:\n"
        "  image: {{ .Values.image.repository }}:{{ .Values.image.tag }}\n"
    ),
    "out/stages/uat/old.yaml": "old: true\n",
}


class StandingClock:
    def now(self) -> datetime:
        return NOW


@dataclass
class Remote:
    """A bare repository that a person works on, by a clone."""

    path: Path
    clone: Path
    author: str = "maintainer@example.com"
    committer: str = "maintainer@example.com"

    @property
    def url(self) -> str:
        return f"file://{self.path}"

    def git(self, *arguments: str, bare: bool = False) -> str:
        environment = {
            "PATH": os.defpath,
            "HOME": str(self.clone.parent),
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_AUTHOR_NAME": "maintainer",
            "GIT_AUTHOR_EMAIL": self.author,
            "GIT_COMMITTER_NAME": "maintainer",
            "GIT_COMMITTER_EMAIL": self.committer,
        }
        where = self.path if bare else self.clone
        done = subprocess.run(
            ["git", *arguments], cwd=where, env=environment, check=True, capture_output=True, text=True
        )
        return done.stdout.rstrip("\n")

    def write(self, files: Mapping[str, str], message: str = "change", branch: str = "main") -> str:
        for name, content in files.items():
            (self.clone / name).parent.mkdir(parents=True, exist_ok=True)
            (self.clone / name).write_text(content)
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)
        self.git("push", "-q", "--force", "origin", f"HEAD:refs/heads/{branch}")
        return self.git("rev-parse", "HEAD")

    def read(self, branch: str, path: str) -> str:
        return self.git("show", f"{branch}:{path}", bare=True)

    def files(self, branch: str) -> list[str]:
        return self.git("ls-tree", "-r", "--name-only", branch, bare=True).splitlines()

    def at(self, branch: str) -> str:
        return self.git("rev-parse", branch, bare=True)


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    remote = Remote(tmp_path / "config.git", tmp_path / "clone")
    remote.clone.mkdir()
    remote.git("init", "-q", "--bare", "-b", "main", str(remote.path))
    remote.git("clone", "-q", str(remote.path), ".")
    remote.git("checkout", "-q", "-b", "main")
    remote.write(FILES, "first")
    return remote


@dataclass
class RememberingGitHub:
    """Pull requests, their labels, and the other areas that steps have to do with."""

    pulls: dict[int, PullRequest] = field(default_factory=dict)
    reviewing: KeptReviews = field(default_factory=KeptReviews)
    workflows: RunningWorkflows = field(default_factory=RunningWorkflows)
    deployments: KeptDeployments = field(default_factory=KeptDeployments)
    objects: SigningGitHub = field(default_factory=SigningGitHub)
    people: KnownPeople = field(default_factory=KnownPeople)
    repository: str = "acme/config"

    async def permission(self, login: str) -> Permission:
        return self.people.permissions.get(login, Permission.NONE)

    async def is_team_member(self, organisation: str, team: str, login: str) -> bool:
        return login in self.people.teams.get(f"{organisation}/{team}", ())

    async def create_pull(self, head: str, base: str, title: str, body: str, *, draft: bool = False) -> PullRequest:
        for number, pull in self.pulls.items():
            if pull.open and (pull.head_branch, pull.base_branch) == (head, base):
                self.pulls[number] = replace(pull, title=title, body=body)
                return self.pulls[number]
        number = len(self.pulls) + 1
        self.pulls[number] = PullRequest(
            number=number, title=title, body=body, author="towpath[bot]", head_repository="acme/config",
            head_branch=head, head_sha=CommitSha("1" * 40), base_branch=base, base_sha=CommitSha("0" * 40),
            labels=frozenset(), open=True, merged=False, merge_sha=None, draft=draft,
            url=f"https://github.example.com/acme/config/pull/{number}", created_at=NOW,
        )  # fmt: skip
        return self.pulls[number]

    async def pull(self, number: int) -> PullRequest:
        return self.pulls[number]

    async def pulls_from(self, branch: str, limit: int = 10) -> tuple[PullRequest, ...]:
        return tuple(pull for pull in self.pulls.values() if pull.head_branch == branch)[:limit]

    async def add_labels(self, number: int, labels: Sequence[str]) -> None:
        pull = self.pulls[number]
        self.pulls[number] = replace(pull, labels=pull.labels | set(labels))


@dataclass
class AnsweringHttp:
    """Gives the answers it was given, in order, and remembers what was asked."""

    answers: list[HttpAnswer] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def request(self, method: str, url: str, **more: Any) -> HttpAnswer:
        self.asked.append({"method": method, "url": url, **more})
        return self.answers.pop(0)


def lock_text(paths: Sequence[str]) -> str:
    return "lock\n" + "".join(f"- {path}\n" for path in paths)


@dataclass
class KeptSecrets:
    """Secrets by name and key."""

    values: dict[tuple[str, str], str] = field(default_factory=dict)

    def get(self, name: str, key: str) -> str | None:
        return self.values.get((name, key))

    def mask(self, data: Any) -> Any:
        for value in self.values.values():
            data = data.replace(value, "***")
        return data


class NobodysRegistries:
    """No logins, and nothing that is asked of a registry: that have the steps of test_oci_*.py."""

    async def login(self, _url: str) -> Login:
        return Login()


async def describe_pull(*, title: str, description: str, head: str, target: str, url: str = "") -> tuple[str, str]:
    end = f"changes of {url}" if url else "record"
    return title or "promote(uat): service 1.0.0", f"{description}\n\n{end}"


@dataclass
class Run:
    """Runs steps one after the other, as the engine does: outputs by alias, the first failure told at once."""

    context: StepContext
    github: RememberingGitHub
    http: AnsweringHttp
    outputs: dict[str, Mapping[str, Any]]
    secrets: KeptSecrets
    forges: RememberingForges

    async def __call__(self, uses: str, config: Mapping[str, Any] | None = None, *, alias: str = "") -> StepResult:
        result = await BY_NAME[uses].run(self.context, config or {})
        self.outputs[alias or f"step-{len(self.outputs) + 1}"] = result.output
        return result

    def promoting(self, **changes: Any) -> None:
        self.context = replace(self.context, promotion=replace(self.context.promotion, **changes))

    @property
    def workdir(self) -> Path:
        return self.context.workdir

    def fresh(self, name: str) -> "Run":
        """The same promotion run again, in a new folder."""
        workdir = self.workdir.with_name(name)
        workdir.mkdir()
        outputs: dict[str, Mapping[str, Any]] = {}
        context = replace(self.context, workdir=workdir, outputs=outputs)
        return Run(context, self.github, self.http, outputs, self.secrets, self.forges)


def an_image(repository: str = "registry.example.com/service", tag: str = "1.0.0") -> Image:
    return Image(repository, tag, DIGEST)


def freight_of(*artifacts: Image | Commit, origin: str = "service") -> Freight:
    return Freight(
        id=FreightId("f" * 40),
        alias="eager-otter",
        origin=WarehouseName(origin),
        images=tuple(a for a in artifacts if isinstance(a, Image)),
        commits=tuple(a for a in artifacts if isinstance(a, Commit)),
    )


async def nobody(_url: str) -> Credential | None:
    return None


@pytest.fixture
async def run(tmp_path: Path, remote: Remote) -> AsyncIterator[Run]:
    git = MirroredGit(tmp_path / "data", nobody, BOT, StandingClock(), allow_file=True)
    (tmp_path / "work").mkdir()
    github, http, secrets, forges = RememberingGitHub(), AnsweringHttp(), KeptSecrets(), RememberingForges()
    github.objects.repository = str(remote.path)
    outputs: dict[str, Mapping[str, Any]] = {}
    freight = freight_of(an_image())
    context = StepContext(
        workdir=tmp_path / "work",
        repository=RepositoryInfo(RepositoryName("acme/config"), remote.url, "main"),
        promotion=PromotionInfo(
            id="uat.01.ffffff",
            stage=StageName("uat"),
            freight=freight,
            collection=(freight,),
            actor="maintainer",
            rollback=False,
            branch="promotion/uat",
            branch_head=None,
            trailers=(("Promoted-By", "maintainer"), ("Freight", freight.id), ("Stage", "uat")),
            lock_path=".promotion/uat.lock",
            lock_text=lock_text,
        ),
        git=git,
        github=cast(GitHub, github),
        identity=BOT,
        programs=find_programs(),
        clock=StandingClock(),
        http=cast(Http, http),
        artifacts=cast(Artifacts, NobodysRegistries()),
        secrets=cast(Secrets, secrets),
        describe_pull=describe_pull,
        forges=forges,
        outputs=outputs,
        previous={},
    )
    yield Run(context, github, http, outputs, secrets, forges)
    await git.close()

"""Finds open pull requests that touch the configuration, and reads what they would make of it."""

import logging

from cachetools import LRUCache

from bot.contracts import Git, GitHub
from bot.core.facts import PullRequest, Refs
from bot.core.model import CommitSha
from bot.core.proposals import ConfigChange
from bot.core.snapshot import CONFIG_CHECK
from bot.engine.configuration import FILE, FOLDER, Configurations, Source
from bot.engine.ports import Site
from bot.errors import UserError

log = logging.getLogger(__name__)
_MOST_FILES = 100  # asked of GitHub for one pull request from a fork, where anybody may put as many as they like


class ConfigChanges:
    """Remembers which heads touch the configuration: heads never change."""

    def __init__(self, configurations: Configurations) -> None:
        self._configurations = configurations
        self._touching: LRUCache[tuple[str, CommitSha, CommitSha], bool] = LRUCache(maxsize=4096)
        self._forks_touching: LRUCache[tuple[str, int, CommitSha], bool] = LRUCache(maxsize=4096)

    async def of(self, site: Site, url: str, refs: Refs, base: CommitSha) -> tuple[ConfigChange, ...]:
        """Those towards the default branch, from this repository's own branches and from forks."""
        found = []
        holding = await self._configurations.loaded(site.git, url, base)
        for pull in await site.github.recent_pulls():
            source = await self._source(site, url, refs, pull, base)
            if source is None:
                continue
            try:
                loaded = await self._configurations.loaded(source, url, pull.head_sha)
            except UserError as error:
                log.info("not checked: %s", error, extra={"repository": site.repository, "pull": pull.number})
                continue
            if loaded is not None and loaded is not holding:
                runs = await site.github.check_runs(pull.head_sha)
                check = next((run for run in runs if run.name == CONFIG_CHECK), None)
                found.append(ConfigChange(pull, loaded.pipeline, loaded.problems, check))
        return tuple(found)

    async def _source(self, site: Site, url: str, refs: Refs, pull: PullRequest, base: CommitSha) -> Source | None:
        """Where what a pull request makes of the configuration can be read; None where it leaves that alone."""
        if not pull.open or pull.base_branch != refs.default_branch or pull.author == site.github.bot_login:
            return None
        if pull.head_repository == site.repository:
            known = refs.heads.get(pull.head_branch) == pull.head_sha
            return site.git if known and await self._touches(site.git, url, pull.head_sha, base) else None
        return _OnGitHub(site.github) if await self._fork_touches(site.github, url, pull) else None

    async def _touches(self, git: Git, url: str, head: CommitSha, base: CommitSha) -> bool:
        key = (url, head, base)
        if key not in self._touching:
            commits = await git.log(url, head, paths=[FILE, FOLDER], limit=1, not_in=base)
            self._touching[key] = bool(commits)
        return self._touching[key]

    async def _fork_touches(self, github: GitHub, url: str, pull: PullRequest) -> bool:
        key = (url, pull.number, pull.head_sha)
        if key not in self._forks_touching:
            paths = await github.changed_files(pull.number)
            self._forks_touching[key] = any(path == FILE or path.startswith(f"{FOLDER}/") for path in paths)
        return self._forks_touching[key]


class _OnGitHub:
    """A fork's commits, file by file over the API: what strangers push is not fetched into a mirror."""

    def __init__(self, github: GitHub) -> None:
        self._github = github
        self._left = _MOST_FILES

    async def read(self, url: str, rev: str, path: str) -> bytes | None:
        self._spend(url)
        return await self._github.read_file(path, rev)

    async def list_files(self, url: str, rev: str, folder: str) -> tuple[str, ...]:
        found: list[str] = []
        folders = [folder]
        while folders:
            self._spend(url)
            for path, is_folder in await self._github.list_folder(folders.pop(), rev):
                (folders if is_folder else found).append(path)
        return tuple(sorted(found))

    def _spend(self, url: str) -> None:
        if not self._left:
            raise UserError(f"a pull request to {url} has more than {_MOST_FILES} files of configuration")
        self._left -= 1

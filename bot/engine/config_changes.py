"""Finds open pull requests that touch the configuration, and reads what they would make of it."""

from cachetools import LRUCache

from bot.contracts import Git
from bot.core.facts import PullRequest, Refs
from bot.core.model import CommitSha
from bot.core.proposals import ConfigChange
from bot.core.snapshot import CONFIG_CHECK
from bot.engine.configuration import FILE, FOLDER, Configurations
from bot.engine.ports import Site


class ConfigChanges:
    """Remembers which heads touch the configuration: heads never change."""

    def __init__(self, configurations: Configurations) -> None:
        self._configurations = configurations
        self._touching: LRUCache[tuple[str, CommitSha, CommitSha], bool] = LRUCache(maxsize=4096)

    async def of(self, site: Site, url: str, refs: Refs, base: CommitSha) -> tuple[ConfigChange, ...]:
        """Those of this repository's own branches towards the default branch; a fork's commits are not fetched."""
        found = []
        holding = await self._configurations.loaded(site.git, url, base)
        for pull in await site.github.recent_pulls():
            if not self._may_touch(pull, site, refs) or not await self._touches(site.git, url, pull.head_sha, base):
                continue
            loaded = await self._configurations.loaded(site.git, url, pull.head_sha)
            if loaded is not None and loaded is not holding:
                runs = await site.github.check_runs(pull.head_sha)
                check = next((run for run in runs if run.name == CONFIG_CHECK), None)
                found.append(ConfigChange(pull, loaded.pipeline, loaded.problems, check))
        return tuple(found)

    def _may_touch(self, pull: PullRequest, site: Site, refs: Refs) -> bool:
        return (
            pull.open
            and pull.author != site.github.bot_login
            and pull.head_repository == site.repository
            and pull.base_branch == refs.default_branch
            and refs.heads.get(pull.head_branch) == pull.head_sha
        )

    async def _touches(self, git: Git, url: str, head: CommitSha, base: CommitSha) -> bool:
        key = (url, head, base)
        if key not in self._touching:
            commits = await git.log(url, head, paths=[FILE, FOLDER], limit=1, not_in=base)
            self._touching[key] = bool(commits)
        return self._touching[key]

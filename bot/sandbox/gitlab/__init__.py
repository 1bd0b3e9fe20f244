"""GitLab, small enough to run here: merge requests over its API, on real Git."""

from bot.sandbox.gitlab.model import Role
from bot.sandbox.gitlab.server import GitLabSandbox, start
from bot.sandbox.gitlab.world import GitLab

__all__ = ["GitLab", "GitLabSandbox", "Role", "start"]

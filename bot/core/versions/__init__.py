"""Versions and version ranges, exactly as Masterminds/semver v3.5 has them, and Kargo's choice among tags.

`*` and "no constraint" differ on purpose: the first excludes prereleases, the second takes everything.
"""

from bot.core.versions.constraint import Constraint
from bot.core.versions.selection import newest, semver_diff
from bot.core.versions.version import Version, VersionError

__all__ = ["Constraint", "Version", "VersionError", "newest", "semver_diff"]

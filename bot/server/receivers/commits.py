"""Which paths a push has changed, where the payload tells of all its commits."""

from typing import Any

from bot.server.payloads import at, items, number

_FIELDS = ("added", "modified", "removed")


def changed_paths(payload: Any, most: int, *, most_paths: int = 0) -> tuple[str, ...] | None:
    """The paths of all commits of a push; None where they don't tell what may be found now.

    That is: with none at all, or `most` of them (the sender leaves out the rest), or a commit with `most_paths`
    paths; where `total_commits` or `total_commits_count` says there are more; and for a branch that was made anew,
    deleted, or forced to something else, where what is gone counts too.
    """
    commits = items(payload, "commits")
    total = max(number(payload, "total_commits_count"), number(payload, "total_commits"))
    if not commits or len(commits) >= most or total > len(commits) or _rewritten(payload):
        return None
    paths: list[str] = []
    for commit in commits:
        found = [path for field in _FIELDS for path in items(commit, field) if isinstance(path, str)]
        whole = all(isinstance(at(commit, field), list) for field in _FIELDS)
        if not whole or 0 < most_paths <= len(found):
            return None
        paths += found
    return tuple(dict.fromkeys(paths))


def _rewritten(payload: Any) -> bool:
    """Whether the branch did not just grow, as far as the payload says."""
    before, after = at(payload, "before"), at(payload, "after")
    nothing = {before, after} if isinstance(before, str) and isinstance(after, str) else {""}
    flags = [at(payload, name) for name in ("forced", "created", "deleted")]
    return any(flag is True for flag in flags) or any(not sha.strip("0") for sha in nothing)

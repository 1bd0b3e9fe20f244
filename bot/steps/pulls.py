"""A pull request as steps put it out."""

from typing import Any

from bot.core.facts import PullRequest


def describe(pull: PullRequest) -> dict[str, Any]:
    """Kargo's names, and the deprecated `prNumber`."""
    shown = {"id": pull.number, "url": pull.url, "open": pull.open, "merged": pull.merged, "head": pull.head_branch}
    return {"pr": shown, "prNumber": pull.number}

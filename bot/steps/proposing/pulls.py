"""A pull request as steps put it out."""

from typing import Any

from bot.contracts.schema import Schema
from bot.core.facts import PullRequest
from bot.steps.shapes import told

MERGE_METHOD: Schema = told(
    {"enum": ["merge", "squash", "rebase"]}, "How to merge; left out: the stage's `mergeMethod`."
)


def describe(pull: PullRequest) -> dict[str, Any]:
    """Kargo's names, and the deprecated `prNumber`."""
    shown = {"id": pull.number, "url": pull.url, "open": pull.open, "merged": pull.merged, "head": pull.head_branch}
    return {"pr": shown, "prNumber": pull.number}

"""What GitLab reads out of titles and descriptions: drafts and quick actions."""

import re

_DRAFT = re.compile(r"\s*(\[draft\]|\(draft\)|draft:|draft\s-)", re.IGNORECASE)
# https://docs.gitlab.com/user/project/quick_actions/: those two stand for all
_ACTION = re.compile(r"^/(?P<name>close|draft)[ \t]*(?:\n|\Z)", re.IGNORECASE | re.MULTILINE)


def is_draft(title: str) -> bool:
    """https://docs.gitlab.com/user/project/merge_requests/drafts/"""
    return _DRAFT.match(title) is not None


def quick_actions(description: str) -> tuple[str, frozenset[str]]:
    """A description without its quick actions, and which these are."""
    plain = description.replace("\r", "")
    return _ACTION.sub("", plain).rstrip(), frozenset(found["name"].lower() for found in _ACTION.finditer(plain))

"""Titles and descriptions as GitLab takes them."""

import re

# https://docs.gitlab.com/administration/instance_limits/#merge-requests
DESCRIPTION_CHARACTERS = 1_048_576
TITLE_CHARACTERS = 255
_NOTE = "\n\n… cut here: GitLab takes no more.\n"
# https://docs.gitlab.com/user/project/merge_requests/drafts/
_DRAFT = re.compile(r"\s*(?:\[draft\]|\(draft\)|draft:|draft\s-)\s*", re.IGNORECASE)
# https://docs.gitlab.com/user/project/quick_actions/: a line of its own, and GitLab drops carriage returns first
_QUICK_ACTION = re.compile(r"(?m)^([ \t]*)(?=/[A-Za-z])")
_NO_WIDTH = "\u200b"


def title(text: str, *, draft: bool) -> str:
    """One line within GitLab's limit, marked as a draft's where it is one and not marked yet."""
    whole = _line(text)
    if draft and without_draft(whole) == whole:
        whole = f"Draft: {whole}"
    return whole if len(whole) <= TITLE_CHARACTERS else f"{whole[: TITLE_CHARACTERS - 1].rstrip()}…"


def without_draft(text: str) -> str:
    """A title without the marks that make it a draft's."""
    while found := _DRAFT.match(text):
        text = text[found.end() :]
    return text


def description(text: str) -> str:
    """Markdown within GitLab's limit, in which no line is an order to GitLab.

    A line like `/merge` or `/approve` would be carried out with the token's rights, wherever the text is from.
    """
    plain = _encodable(text).replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    safe = _QUICK_ACTION.sub(rf"\1{_NO_WIDTH}", plain).rstrip()
    if len(safe) <= DESCRIPTION_CHARACTERS:
        return safe
    return safe[: DESCRIPTION_CHARACTERS - len(_NOTE)] + _NOTE.rstrip()


def _line(text: str) -> str:
    return " ".join(_encodable(text).replace("\0", "").split())


def _encodable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()

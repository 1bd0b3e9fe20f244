"""The list of tags, page by page.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-tags
"""

import json
import re

from yarl import URL

from bot.errors import UserError
from bot.registry.transport import Answer

_PAGE = 1000
_MOST_PAGES = 1000
_TAGS_LIMIT = 64 << 20
_LINK_NEXT = re.compile(r"<([^>]*)>\s*(?:;[^,]*?)?;\s*rel\s*=\s*\"?next\"?", re.IGNORECASE)


class Pages:
    """Reads the pages of one list. `following` is the page to ask for next, `room` how many bytes it may have."""

    def __init__(self, repo_url: str, url: URL) -> None:
        self._repo_url, self._host = repo_url, url.authority
        self._seen: set[URL] = set()
        self.following: URL | None = url.with_query(n=_PAGE)
        self.tags: list[str] = []
        self.room = _TAGS_LIMIT

    def add(self, answer: Answer) -> None:
        """Take the answer for `following`. Raises UserError for what is no page, and for a list without an end."""
        url = self.following
        assert url is not None  # noqa: S101  # it was asked for
        self._seen.add(url)
        self.tags += self._read(answer)
        self.room -= len(answer.body)
        self.following = self._next(url, answer)
        if self.following is not None and (
            self.following in self._seen or len(self._seen) >= _MOST_PAGES or self.room <= 0
        ):
            raise UserError(f"{self._repo_url}: the list of tags that {self._host} gives has no end")

    def _read(self, answer: Answer) -> list[str]:
        try:
            tags = json.loads(answer.body)["tags"] or []
            if isinstance(tags, list) and all(isinstance(tag, str) for tag in tags):
                return tags
        except (ValueError, TypeError, KeyError, RecursionError):
            pass
        raise UserError(f"{self._repo_url}: {self._host} answered something that is not a list of tags")

    def _next(self, url: URL, answer: Answer) -> URL | None:
        for header in answer.headers.getall("Link", []):
            if found := _LINK_NEXT.search(header):
                try:
                    following = url.join(URL(found[1], encoded=True))
                    same = following.origin() == url.origin()
                except ValueError:
                    same = False
                if not same:
                    raise UserError(f"{self._repo_url}: the list of tags goes on at another place than {self._host}")
                return following
        return None

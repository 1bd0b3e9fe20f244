"""Which tags count, and which of them is the newest: the same rules for images and for Git.

https://docs.kargo.io/user-guide/how-to-guides/working-with-warehouses
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import re2

from bot.core.versions import Constraint, VersionError, newest
from bot.subscriptions import fields

Search = Callable[[str], bool]


def regex(pattern: str) -> Search:
    """A search for an RE2 expression anywhere in a text. Raises ValueError when it is none."""
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0] if error.args else ""
        reason = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        raise ValueError(f"{pattern!r} is not a regular expression: {reason}") from error
    return lambda text: compiled.search(text) is not None


@dataclass(frozen=True, slots=True)
class TagRules:
    """What a subscription wants of a tag. One of `allow` must be found in it (if there are any), none of `ignore`."""

    allow: tuple[Search, ...] = ()
    ignore: tuple[Search, ...] = ()
    ignored_tags: frozenset[str] = frozenset()
    constraint: Constraint | None = None
    strict: bool = True

    @classmethod
    def read(cls, config: Mapping[str, Any], constraint: str) -> "TagRules":
        """From the fields of a subscription; `allowTags` and `ignoreTags` are the old spellings."""
        allow = [*fields.texts(config, "allowTagsRegexes"), *filter(None, [fields.text(config, "allowTags")])]
        try:
            return cls(
                allow=tuple(regex(pattern) for pattern in allow),
                ignore=tuple(regex(pattern) for pattern in fields.texts(config, "ignoreTagsRegexes")),
                ignored_tags=frozenset(fields.texts(config, "ignoreTags")),
                constraint=Constraint(constraint) if constraint else None,
                strict=fields.flag(config, "strictSemvers", True),
            )
        except (ValueError, VersionError) as error:
            raise fields.mistake(config, str(error)) from error

    def named(self, tags: Iterable[str]) -> list[str]:
        """The tags whose names are wanted, in the order they came in."""
        return [
            tag
            for tag in tags
            if tag not in self.ignored_tags
            and not any(found(tag) for found in self.ignore)
            and (not self.allow or any(found(tag) for found in self.allow))
        ]

    def by_version(self, tags: Iterable[str]) -> list[str]:
        """Wanted tags that are versions within the constraint, highest first."""
        return newest(self.named(tags), self.constraint, self.strict)

    def by_name(self, tags: Iterable[str]) -> list[str]:
        """Wanted tags, last in the order of their bytes first."""
        return sorted(self.named(tags), key=str.encode, reverse=True)

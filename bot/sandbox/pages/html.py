"""HTML in which everything is escaped unless it is known to be markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from string import Formatter
from typing import Any, LiteralString, TypeAlias


class Html(str):
    """Text that is markup already. Only templates written in this program make it, by `fill`."""

    __slots__ = ()


Content: TypeAlias = "str | int | Html | Iterable[Content] | None"


def markup(value: Content) -> Html:
    """The markup of a value: text and numbers escaped, None nothing, several one after the other."""
    if isinstance(value, Html):
        return value
    if value is None:
        return Html()
    if isinstance(value, str | int):
        return Html(escape(str(value), quote=True))
    return Html("".join(map(markup, value)))


def fill(template: LiteralString, /, **values: Content) -> Html:
    """`template` with each `{name}` replaced by the markup of that value; attribute values stand in double quotes."""
    return Html(_FORMATTER.vformat(template, (), values))


class _Escaping(Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec:
            raise ValueError(f"a template of HTML has no format specifications, and this one has {format_spec!r}")
        return markup(value)

    def check_unused_args(self, used_args: set[int | str], args: Sequence[Any], kwargs: Any) -> None:
        if unused := kwargs.keys() - used_args:
            raise ValueError(f"the template of HTML does not say where {', '.join(sorted(unused))} goes")


_FORMATTER = _Escaping()

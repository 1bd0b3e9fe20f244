"""Comment text to commands: lines that start with `/verb`, outside of code, quotes and hidden text.

The grammar is Prow's and Atlantis' taken together (reference/peers.md §4.2): anchored at the start of a line, any
case, several in one comment, arguments split as a shell would. What is no command of ours is left in peace, as it
may well be another bot's.
"""

import re
import shlex
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

_COMMAND = re.compile(r"^ {0,3}/(?P<verb>[A-Za-z][A-Za-z-]*)(?P<rest>(?:[ \t].*)?)$")
_FENCE = re.compile(r"^ {0,3}(?P<fence>`{3,}|~{3,})")
_HIDDEN = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
MOST_PER_COMMENT = 10
_LONGEST_LINE = 500


@dataclass(frozen=True, slots=True)
class Given:
    """One command as given. `problem` says why its arguments can't be read; `meant` is set for a verb that is
    close to one of ours without being it."""

    verb: str
    args: tuple[str, ...]
    line: str
    problem: str = ""
    meant: str = ""


def commands(body: str, verbs: Collection[str]) -> tuple[Given, ...]:
    """Commands in the order written, at most `MOST_PER_COMMENT`."""
    return tuple(given for _, given in zip(range(MOST_PER_COMMENT), _read(body, verbs), strict=False))


def _read(body: str, verbs: Collection[str]) -> Iterator[Given]:
    for whole in _prose(_HIDDEN.sub("", body)):
        line = whole[:_LONGEST_LINE]
        match = _COMMAND.match(line)
        if match is None:
            continue
        verb = match["verb"].lower()
        if verb in verbs:
            yield _arguments(verb, line.strip(), match["rest"])
        elif near := get_close_matches(verb, verbs, n=1, cutoff=0.8):
            yield Given(verb, (), line.strip(), meant=near[0])


def _arguments(verb: str, line: str, rest: str) -> Given:
    try:
        args = tuple(shlex.split(rest.replace("`", " "), comments=False))
    except ValueError:
        return Given(verb, (), line, problem="a quotation mark is not closed")
    return Given(verb, args, line)


def _prose(body: str) -> Iterator[str]:
    """Lines outside of fenced blocks. Quotes and indented code can't match the grammar as it is."""
    fence = ""
    for line in body.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        mark = _FENCE.match(line)
        if fence:
            if mark and mark["fence"].startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
        elif mark:
            fence = mark["fence"]
        else:
            yield line

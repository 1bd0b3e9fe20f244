"""YAML text into plain data, with everything refused that YAML allows and a configuration never needs.

One pass over libyaml's events. Neither deep nesting nor aliases that multiply can exhaust the stack or the memory:
composing by the library's own recursive composer would (it ends the process at some ten thousand levels).
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from bot.core.configuration.places import Place, SourceFile
from bot.core.configuration.problems import Problems
from bot.core.configuration.scalars import resolve

MOST_BYTES = 2 * 1024 * 1024
MOST_VALUES = 100_000
DEEPEST = 64
MOST_CODE = 300_000  # characters between `${{` and `}}`: several thousand expressions

_ODD_SPACES = "\u00a0\u2007\u202f"
_PLAIN_SPACES = dict.fromkeys(map(ord, _ODD_SPACES), " ")
# The indentation of a line, with the dashes of a list; or what comes between a key's colon and its value.
_ODD_INDENT = re.compile(
    rf"^[ -]*[{_ODD_SPACES}][ {_ODD_SPACES}-]*|(?<=:)[ {_ODD_SPACES}]*[{_ODD_SPACES}]", re.MULTILINE
)

_TEXT = "tag:yaml.org,2002:str"
_PLAIN_TAGS = {None, "!", _TEXT, "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
_RESOLVED_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("int", "float", "bool", "null")}


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: its data and the place of its root."""

    data: Any
    place: Place


class _Refused(Exception):
    """Why reading a file stops, and at which mark."""

    def __init__(self, mark: Any, code: str, message: str) -> None:
        super().__init__(message)
        self.mark = mark
        self.code = code


def read(files: Mapping[str, str | bytes], problems: Problems) -> list[Document]:
    """All documents of the files that can be read, in order; what can't be becomes a problem.

    Empty documents are left out. Of a file with a syntax error the documents before it are still returned.
    """
    documents: list[Document] = []
    budget = MOST_VALUES
    for name, content in files.items():
        text = _text(name, content, problems)
        if text is not None:
            reader = _Reader(SourceFile(name, text), budget, problems)
            documents += reader.documents()
            budget -= reader.values
    return documents


def _text(name: str, content: str | bytes, problems: Problems) -> str | None:
    try:
        raw = content.encode() if isinstance(content, str) else content
        text = raw.decode()
    except (UnicodeEncodeError, UnicodeDecodeError) as error:
        before: Any = error.object[: error.start]
        line = before.count(b"\n" if isinstance(before, bytes) else "\n") + 1
        message = "this is not UTF-8 text; save the file as UTF-8"
        problems.error_in_file(name, line, 1, "not-utf-8", message)
        return None
    if len(raw) > MOST_BYTES:
        message = f"the file has {len(raw)} bytes, more than {MOST_BYTES}; split it up with `include`"
        problems.error_in_file(name, 1, 1, "file-too-large", message)
        return None
    if (code := _code_in(text)) > MOST_CODE:
        message = f"the file has {code} characters of expressions, more than {MOST_CODE}; use variables and tasks"
        problems.error_in_file(name, 1, 1, "too-many-expressions", message)
        return None
    return _with_plain_spaces(name, text.removeprefix("\ufeff"), problems)


def _code_in(text: str) -> int:
    """How many characters stand in `${{ }}`: compiling them is what takes time in a file that is otherwise right."""
    found, end = 0, 0
    while (start := text.find("${{", end)) >= 0 and (end := text.find("}}", start)) >= 0:
        found += end - start
    return found


def _with_plain_spaces(name: str, text: str, problems: Problems) -> str:
    """What was pasted from a web page is often indented with no-break spaces, which to YAML are letters."""
    found = _ODD_INDENT.search(text)
    if found is None:
        return text
    line = text.count("\n", 0, found.start()) + 1
    message = "no-break spaces are read as spaces here; replace them"
    problems.warn_in_file(name, line, 1, "odd-space", message)
    return _ODD_INDENT.sub(lambda indent: indent[0].translate(_PLAIN_SPACES), text)


class _Frame:
    """A collection being read."""

    __slots__ = ("anchor", "data", "key", "keys", "merged", "values")

    def __init__(self, data: Any, anchor: str | None, values: int) -> None:
        self.data = data
        self.anchor = anchor
        self.values = values  # how many values had been read when it began
        self.key: str | None = None  # the key whose value comes next
        self.keys: dict[str, Any] = {}  # where each key stands
        self.merged: list[Any] | None = None  # of `<<`; the key itself is then the empty list


class _Reader:
    def __init__(self, source: SourceFile, budget: int, problems: Problems) -> None:
        self.values = 0
        self._source = source
        self._budget = budget
        self._problems = problems
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._stack: list[_Frame] = []
        self._root: Any = None

    def documents(self) -> list[Document]:
        documents = []
        index = 0
        try:
            loader = yaml.CSafeLoader(self._source.text)
            try:
                while loader.check_event():
                    event = loader.get_event()
                    self._take(event)
                    if event.__class__ is yaml.DocumentEndEvent:
                        if self._root is not None:
                            documents.append(Document(self._root, Place(self._source, index)))
                        index += 1
                        self._root = None
                        self._anchors.clear()
            finally:
                loader.dispose()
        except _Refused as refused:
            self._report(refused.mark, refused.code, str(refused))
        except yaml.MarkedYAMLError as error:
            context = f"{error.context}: " if error.context else ""
            message = f"this is not YAML: {context}{error.problem}"
            self._report(error.problem_mark or error.context_mark, "not-yaml", message)
        except yaml.reader.ReaderError as error:
            self._report_character(error)
        return documents

    def _take(self, event: Any) -> None:
        kind = event.__class__
        if kind is yaml.ScalarEvent:
            self._scalar(event)
        elif kind is yaml.MappingStartEvent:
            self._open({}, event)
        elif kind is yaml.SequenceStartEvent:
            self._open([], event)
        elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
            self._close()
        elif kind is yaml.AliasEvent:
            self._alias(event)

    def _scalar(self, event: Any) -> None:
        text: str = event.value
        top = self._stack[-1] if self._stack else None
        if top is not None and top.key is None and top.merged is None and top.data.__class__ is dict:
            self._begin_entry(top, text, event)
            return
        value: Any = text
        if event.implicit[0]:
            value = resolve(text)
        elif event.tag not in _PLAIN_TAGS:
            if event.tag not in _RESOLVED_TAGS:
                self._complain_of_tag(event)
            value = resolve(text)
        self._count(1, event)
        if event.anchor:
            self._anchor(event, value, 1)
        self._put(value, event)

    def _begin_entry(self, frame: _Frame, text: str, event: Any) -> None:
        if text == "<<" and event.implicit[0]:
            frame.merged = []
            return
        if event.anchor:
            self._anchor(event, text, 1)
        frame.key = text
        first = frame.keys.get(text)
        if first is None:
            frame.keys[text] = event.start_mark
        else:
            message = f"`{text[:40]}` is given twice, first on line {first.line + 1}; keep one of them"
            self._report(event.start_mark, "duplicate-key", message)

    def _open(self, data: Any, event: Any) -> None:
        self._expect_no_key(event)
        if len(self._stack) >= DEEPEST:
            raise _Refused(event.start_mark, "too-deep", f"this is nested more than {DEEPEST} levels deep; flatten it")
        if event.tag not in _PLAIN_TAGS:
            self._complain_of_tag(event)
        self._count(1, event)
        if event.anchor:
            self._anchor(event, self, 0)  # still open: an alias to it would never end
        self._stack.append(_Frame(data, event.anchor, self.values - 1))

    def _close(self) -> None:
        frame = self._stack.pop()
        if frame.anchor:
            self._anchors[frame.anchor] = (frame.data, self.values - frame.values)
        self._put(frame.data, None)

    def _alias(self, event: Any) -> None:
        self._expect_no_key(event)
        known = self._anchors.get(event.anchor)
        if known is None:
            message = f"`*{event.anchor}` means nothing here: no `&{event.anchor}` comes before it"
            raise _Refused(event.start_mark, "unknown-alias", message)
        value, size = known
        if value is self:
            raise _Refused(event.start_mark, "endless-alias", f"`*{event.anchor}` contains itself; write it out")
        self._count(size, event)
        self._put(value, event)

    def _anchor(self, event: Any, value: Any, size: int) -> None:
        if event.anchor in self._anchors:
            raise _Refused(event.start_mark, "duplicate-anchor", f"`&{event.anchor}` is given twice; rename one")
        self._anchors[event.anchor] = (value, size)

    def _expect_no_key(self, event: Any) -> None:
        top = self._stack[-1] if self._stack else None
        if top is not None and top.key is None and top.merged is None and top.data.__class__ is dict:
            raise _Refused(event.start_mark, "key-not-text", "a key must be text, not a list, a mapping or an alias")

    def _put(self, value: Any, event: Any) -> None:
        if not self._stack:
            self._root = value
            return
        top = self._stack[-1]
        if top.data.__class__ is list:
            top.data.append(value)
        elif top.merged is not None:
            self._merge(top, value, event)
        elif top.key is not None:
            top.data[top.key] = value
            top.key = None

    def _merge(self, frame: _Frame, value: Any, event: Any) -> None:
        """https://yaml.org/type/merge.html, except that keys written out come first whatever the order."""
        frame.merged = None
        sources = value if isinstance(value, list) else [value]
        for source in sources:
            if not isinstance(source, dict):
                mark = event.start_mark if event is not None else None
                self._report(mark, "bad-merge", "`<<` wants a mapping or a list of mappings, usually aliases")
                continue
            frame.data.update((key, item) for key, item in source.items() if key not in frame.data)

    def _count(self, values: int, event: Any) -> None:
        self.values += values
        if self.values > self._budget:
            message = f"the configuration holds more than {MOST_VALUES} values, aliases written out; make it smaller"
            raise _Refused(event.start_mark, "too-many-values", message)

    def _complain_of_tag(self, event: Any) -> None:
        self._report(event.start_mark, "unknown-tag", f"the tag `{event.tag[:40]}` is not understood; remove it")

    def _report(self, mark: Any, code: str, message: str) -> None:
        line, column = (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)
        self._problems.error_in_file(self._source.name, line, column, code, message)

    def _report_character(self, error: Any) -> None:
        # This error has no line of its own: `position` counts characters (or bytes, in the C reader).
        text = self._source.text
        found = yaml.reader.Reader.NON_PRINTABLE.search(text)
        bad = found.start() if found else min(int(error.position or 0), len(text))
        before = text[:bad]
        line = before.count("\n") + 1
        column = bad - (before.rfind("\n") + 1) + 1
        shown = f"U+{ord(text[bad]):04X}" if bad < len(text) else "a character"
        message = f"{shown} may not stand in a YAML file; remove it or write it as an escape in double quotes"
        self._problems.error_in_file(self._source.name, line, column, "bad-character", message)

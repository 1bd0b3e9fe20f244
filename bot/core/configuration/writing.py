"""Configurations as YAML texts, for people to read on."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

_WIDTH = 120
# What not everybody takes for the same: line ends of YAML 1.1, and spaces that `reading` takes for plain ones.
_LINE_ENDS = "\x85\u2028\u2029"
_ODD_SPACES = {ord(each): f"\\u{ord(each):04x}" for each in "\u00a0\u2007\u202f"}
_ODD = re.compile(f"[{_LINE_ENDS}{''.join(map(chr, _ODD_SPACES))}]")


class InLine(list[Any]):
    """A list that is written on one line."""


class _Dumper(yaml.SafeDumper):
    """Block style, no aliases, and texts of several lines as blocks."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if _ODD.search(text):
        style = '"'
    elif "\n" in text:  # a block whose edges are blank is hard to read, and harder to indent
        style = "|" if text.removesuffix("\n") == text.strip() != "" else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _in_line(dumper: yaml.SafeDumper, items: InLine) -> yaml.SequenceNode:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=True)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(InLine, _in_line)


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is empty."""
    return {name: value for name, value in fields.items() if value not in (None, "", [], {}, False)}


def written(document: Any) -> str:
    """Plain data as YAML, keys in their order."""
    text = str(yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH))
    return text.translate(_ODD_SPACES)  # they stand in double quotes only, where they may be escaped


def written_in_sections(document: Mapping[str, Any]) -> str:
    """The same, with a blank line between sections, and between the entries of those that map names to things."""
    sections = []
    for name, content in document.items():
        if not isinstance(content, Mapping):
            sections.append(written({name: content}))
            continue
        entries = [written({key: each}).split("\n") for key, each in content.items()]
        indented = ["\n".join(f"  {line}" if line else line for line in lines) for lines in entries]
        sections.append(f"{name}:\n" + "\n".join(indented))
    return "\n".join(sections)

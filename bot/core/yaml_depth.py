"""YAML that is nested so deep that reading it with the C loader would end the whole process.

libyaml reads any depth, but PyYAML makes values of it by recursion, in C, where no RecursionError stops it.
"""

import re

import yaml

DEEPEST = 1000
_BLOCKS = re.compile(rb"^[ ]*(?:[-?:][ \t]+)*", re.MULTILINE)


def too_deep(content: str | bytes) -> bool:
    """Whether YAML is nested more than 1,000 levels deep: then it must not be composed or loaded.

    A level costs a bracket, or a column of what a line begins with (two levels at most share a column); only where
    there are many of these are the levels counted.
    """
    raw = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    bound = raw.count(b"[") + raw.count(b"{")
    bound += 2 * max((found.end() - found.start() for found in _BLOCKS.finditer(raw)), default=0)
    return (bound > DEEPEST or raw.startswith((b"\xff\xfe", b"\xfe\xff"))) and _counted(content)


def _counted(content: str | bytes) -> bool:
    depth = 0
    try:
        for event in yaml.parse(content, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > DEEPEST:
                    return True
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    except yaml.YAMLError:  # whoever reads it gets no farther either, and says so
        return False
    return False

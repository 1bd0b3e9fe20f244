"""yaml-update over values files as people write them: the value changes, and not a byte besides."""

import re
from functools import cache
from typing import Any

import pytest
import yaml
from hypothesis import event, given, settings
from hypothesis import strategies as st

from bot.errors import UserError
from bot.steps.editing.yaml_edit import Update, update_yaml
from bot.steps.editing.yaml_nodes import compose
from tests.steps.values_corpus import CORPUS

Way = tuple[str | int, ...]


class Reader(yaml.CSafeLoader):
    """Keys are texts, as those of updates are, and merge keys stay what they are."""

    def flatten_mapping(self, node):
        pass


Reader.add_constructor("!custom", Reader.construct_yaml_map)


def construct_mapping(loader: Reader, node: yaml.MappingNode) -> dict[str, Any]:
    return {key.value: loader.construct_object(value, deep=True) for key, value in node.value}


Reader.add_constructor("tag:yaml.org,2002:map", construct_mapping)
Reader.add_constructor("!custom", construct_mapping)


def read(text: str) -> list[Any]:
    return list(yaml.load_all(text.removeprefix("\ufeff"), Loader=Reader))


@cache
def spans(text: str) -> dict[Way, tuple[int, int]]:
    """Where each scalar of the first document is written, anchors and tags included; not those behind an alias."""
    bom = int(text.startswith("\ufeff"))
    root = compose(text.removeprefix("\ufeff"), "values.yaml")
    found: dict[Way, tuple[int, int]] = {}
    waiting: list[tuple[Way, Any, int]] = [((), root, 0)]
    while waiting:
        way, node, after = waiting.pop()
        if node.start_mark.index < after:
            continue
        if isinstance(node, yaml.ScalarNode):
            found[way] = (node.start_mark.index + bom, node.end_mark.index + bom)
        elif isinstance(node, yaml.MappingNode):
            waiting += [((*way, key.value), value, key.end_mark.index) for key, value in node.value]
        else:
            ends = [node.start_mark.index, *(item.end_mark.index for item in node.value)]
            waiting += [((*way, at), item, max(ends[: at + 1])) for at, item in enumerate(node.value)]
    return found


def key_of(way: Way) -> str:
    return ".".join(re.sub(r"([\\.:])", r"\\\1", part) if isinstance(part, str) else str(part) for part in way)


def put(data: Any, way: Way, value: Any) -> None:
    for part in way[:-1]:
        data = data[part]
    data[way[-1]] = value


PLACES = [
    (name, way)
    for name, text in CORPUS.items()
    for way, (start, _) in sorted(spans(text).items(), key=repr)
    if text[start] != "!"  # a tag says what the value is, and is not for us to change
]
SCALARS = st.one_of(
    st.sampled_from(["v2.0.0", "1.20", "yes", "a: b # c", "two\nlines\n", "", "~", "sha256:" + "0" * 64]),
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30),
    st.integers(),
    st.booleans(),
    st.none(),
    st.floats(allow_nan=False),
)


def plain(text: str) -> str:
    return text if text.endswith("\n") else text + "\n"


def test_the_corpus_is_worth_something():
    assert len(CORPUS) >= 12
    assert len(PLACES) > 80


@settings(deadline=None)  # the machine may be busy
@given(st.sampled_from(PLACES), SCALARS)
def test_the_data_differ_at_the_key_and_all_other_bytes_are_equal(place, value):
    name, way = place
    text = CORPUS[name]
    start, end = spans(text)[way]
    new = update_yaml(text, [Update(key_of(way), value)], name)
    expected = read(text)
    put(expected[0], way, value)
    if not text[start:end].startswith("&"):  # its aliases are then changed, too
        assert read(new) == expected
    assert new.startswith(text[:start])
    kept = plain(text)[end:]
    assert new.endswith(kept) or (text[start:end].endswith(("\n", "\r")) and new.endswith(kept.lstrip("\r\n")))


@settings(deadline=None)
@given(st.sampled_from(PLACES), SCALARS, SCALARS)
def test_an_update_taken_back_leaves_the_data_as_they_were(place, value, other):
    name, way = place
    key = key_of(way)
    once = update_yaml(CORPUS[name], [Update(key, value)], name)
    assert update_yaml(update_yaml(once, [Update(key, other)], name), [Update(key, value)], name).count("\n") >= 1
    assert update_yaml(once, [Update(key, value)], name) == update_yaml(once, [Update(key, value)] * 2, name)


REFUSED = re.compile("in its way|single value|without changing more|alias|is a mapping|twice|no place")
FOLDERS = st.sampled_from(["", "image", "image.more", "global", "services.web", "resources", "json.a", "new", "a.b"])
NAMES = st.one_of(
    st.sampled_from(["tag", "digest", "x", "yes", "0", "a-b"]), st.text("abc:é -#", min_size=1, max_size=5)
)


@settings(deadline=None)
@given(st.sampled_from(sorted(CORPUS)), FOLDERS, NAMES, SCALARS)
def test_a_key_that_is_created_is_all_that_is_new(name, folder, leaf, value):
    text = CORPUS[name]
    parts = [*(folder.split(".") if folder else ()), leaf]
    key = ".".join(":" + re.sub(r"([\\.:])", r"\\\1", part) for part in parts)
    try:
        new = update_yaml(text, [Update(key, value)], name, create_missing=True)
    except UserError as error:
        event("refused")
        if not REFUSED.search(str(error)):
            raise
        return
    event("created")
    before, after = read(text), read(new)
    holder: Any = after[0]
    for part in parts[:-1]:
        holder = holder[part]
    assert holder[leaf] == value
    assert before[1:] == after[1:]
    assert is_part(before[0], after[0], [*parts])
    lines = new.splitlines()
    missing = [line for line in text.splitlines() if line not in lines]
    assert len(missing) <= 1  # one between brackets, or the value itself, if it was there


def is_part(small: Any, large: Any, way: list[str]) -> bool:
    """Whether nothing differs but what lies on the way."""
    if not way or not isinstance(small, dict) or not isinstance(large, dict):
        return bool(small == large) or not way or small is None
    return all(is_part(small[key], large[key], way[1:]) if key == way[0] else small[key] == large[key] for key in small)


@pytest.mark.parametrize("name", sorted(CORPUS))
def test_nothing_is_changed_by_writing_what_is_there(name):
    assert update_yaml(CORPUS[name], [], name) == CORPUS[name]

"""Merging YAML files: the data of the later stand, and numbers, quotes and comments stay as they are written."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import UserError
from bot.steps.editing.yaml_merging import merge_yaml

BASE = """\
# head
image:   # img
  tag: 1.20 # pinned
  yes: on

# section list
list:
- a  # first
# before b
- b

# section use
base: &b {x: 1}
use:
  <<: *b
  octal: 0123
multi: |
  a

  b
nothing:
# tail
"""


def merged(*texts: str) -> str:
    return merge_yaml([(text, f"{number}.yaml") for number, text in enumerate(texts)])


@pytest.mark.parametrize(
    ("over", "old", "new"),
    [
        ('image: {tag: "1.30"}', "tag: 1.20 # pinned", 'tag: "1.30" # pinned'),
        ("image:\n  tag: 2 # new\n", "tag: 1.20 # pinned", "tag: 2 # new"),
        ("list: [c]", "list:\n- a  # first\n# before b\n- b\n", "list: [c]\n"),
        ("list:\n- 0x1F # hex\n", "- a  # first\n# before b\n- b\n", "- 0x1F # hex\n"),
        ("image:\n  new: 1 # it\n  # lost\n", "  yes: on\n", "  yes: on\n  new: 1 # it\n"),
        ("multi: null", "multi: |\n  a\n\n  b\n", ""),
        ("multi: ~\nnone: null", "multi: |\n  a\n\n  b\n", ""),
        ("use:\n  octal: 0o17", "octal: 0123", "octal: 0o17"),
        ("nothing:\n  deep: yes", "nothing:\n", "nothing:\n  deep: yes\n"),
        ("new: {a: null, b: 1}", "nothing:\n# tail\n", "nothing:\nnew: {b: 1}\n# tail\n"),
    ],
)
def test_what_is_not_merged_stays_as_it_is(over, old, new):
    assert BASE.count(old) == 1
    assert merged(BASE, over) == BASE.replace(old, new)


@pytest.mark.parametrize(
    "text",
    [
        "a:\n  - b: 1\n    c: 2\n  - d\n",
        "a:\n    b:\n        c: 1\n    d: 2\n",
        "---\na: 1\nb: 'x'\n",
        "a: &x 1\nb: *x\n",
    ],
)
def test_the_first_file_says_how_it_is_laid_out(text):
    assert merged(text, "zz: 1") == text + "zz: 1\n"


def test_three_are_merged_in_order():
    assert merged("a: {x: 1, y: 1}\n", "a: {x: 2, z: 2}\n", "", "a: {z: 3}\n") == "a: {x: 2, y: 1, z: 3}\n"


def test_what_an_alias_leads_to_is_not_changed_behind_its_back():
    assert yaml.safe_load(merged("a: &x {b: 1}\nc: *x\nd: {<<: *x}\n", "c: {b: 2}\n")) == {
        "a": {"b": 1}, "c": {"b": 2}, "d": {"b": 1},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("texts", "says"),
    [
        (("a: {b: 1}", "a: 1"), "a is a single value in it, and a mapping in what"),
        (("a: {b: {c: [1]}}", "a: {b: {c: {}}}"), r"a\.b\.c is a mapping in it, and a list"),
        (("a: 1", "[1]"), "the whole is a list"),
        (("a: 1\n---\nb: 1", "a: 2"), "several documents"),
        (("a: 1", ":"), r"1\.yaml is not YAML"),
        (("a: &x {b: 1}\nc: {<<: *x}", "c: {b: null}"), "anchors and aliases"),
    ],
)
def test_what_can_not_be_merged_is_said(texts, says):
    with pytest.raises(UserError, match=says):
        merged(*texts)


async def test_yaml_merge_writes_the_file_and_a_message(run):
    for name, text in {"base": "a: 1 # one\nl: [1]\n", "empty": "", "over": "l:\n- 2\nb: {c: 3}\n"}.items():
        (run.workdir / f"{name}.yaml").write_text(text)
    files = ["./base.yaml", "empty.yaml", "none.yaml", "over.yaml"]
    result = await run("yaml-merge", {"inFiles": files, "outFile": "./new/out.yaml", "ignoreMissingFiles": True})
    assert (run.workdir / "new/out.yaml").read_text() == "a: 1 # one\nl:\n- 2\nb: {c: 3}\n"
    message = "Merged 3 YAML files to ./new/out.yaml\n- ./base.yaml\n- empty.yaml\n- over.yaml"
    assert result.output == {"commitMessage": message}
    with pytest.raises(UserError, match=r"nothing at 'none\.yaml'"):
        await run("yaml-merge", {"inFiles": files, "outFile": "out.yaml"})


async def test_yaml_merge_of_one_file_or_none(run):
    (run.workdir / "a.yaml").write_bytes(b"a:   1\r\nb: {c: 1}")
    result = await run("yaml-merge", {"inFiles": ["a.yaml"], "outFile": "b.yaml"})
    assert (run.workdir / "b.yaml").read_bytes() == b"a:   1\r\nb: {c: 1}"
    assert result.output == {"commitMessage": "Wrote a.yaml to b.yaml"}
    result = await run("yaml-merge", {"inFiles": ["x"], "outFile": "b.yaml", "ignoreMissingFiles": True})
    assert ((run.workdir / "b.yaml").read_bytes(), result.output) == (b"", {})


NAMES = st.text("ab", min_size=1, max_size=2)
LEAVES = st.one_of(st.text("ab :#-\n'\"", max_size=5), st.integers(), st.booleans())
TREES = st.recursive(LEAVES | st.none(), lambda inner: st.dictionaries(NAMES, inner, max_size=3))
DATA = st.dictionaries(NAMES, TREES, max_size=3)


def laid_over(below: Any, above: Any) -> Any:
    if not isinstance(above, dict):
        return above
    result = dict(below) if isinstance(below, dict) else {}
    for key, value in above.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = laid_over(result.get(key), value)
    return result


def is_alike(below: Any, above: Any) -> bool:
    if below is None or above is None:
        return True
    if isinstance(below, dict) != isinstance(above, dict):
        return False
    return not isinstance(above, dict) or all(is_alike(below[key], above[key]) for key in below.keys() & above.keys())


@settings(deadline=None)  # the machine may be busy
@given(DATA, DATA, st.booleans())
def test_the_data_are_those_of_one_laid_over_the_other(below, above, is_flow):
    texts = [yaml.safe_dump(data, default_flow_style=is_flow) for data in (below, above)]
    if not is_alike(below, above):
        with pytest.raises(UserError, match="can't be merged"):
            merged(*texts)
        return
    assert yaml.safe_load(merged(*texts)) == laid_over(below, above)

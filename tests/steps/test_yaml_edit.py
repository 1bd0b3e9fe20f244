"""Changing YAML in place: exactly the bytes of the scalar."""

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.steps.editing.yaml_edit import Update, update_yaml
from bot.steps.editing.yaml_keys import split_key
from bot.steps.editing.yaml_scalars import write_scalar

VALUES = """\
# head
image:
  repository: ghcr.io/acme/app   # the repo
  tag: v1.0.0 # pinned
  pullPolicy: "IfNotPresent"
env:
  - name: A
    value: 'one'
  - {name: B, value: two}
list: [1, 2, 3,]
json: {"a":"b","c":[]}
multi: |  # why
  line1
  line2

# after
folded: >-
  a
  b
anchor: &a base  # anchored
ref: *a
empty:
nulled: ~ # nothing
"quoted key": v
dotted.key: d
0: zero
wrapped: this goes
  on
tagged: !!str 5
dash:
  -
  - x
deep: {a: {b: [x, {c: d}]}}
last: end
"""


def changed(old: str, new: str) -> list[tuple[str, str]]:
    """The lines that differ, where only lines were exchanged."""
    return [(a, b) for a, b in zip(old.splitlines(), new.splitlines(), strict=True) if a != b]


@pytest.mark.parametrize(
    ("key", "value", "line", "becomes"),
    [
        ("image.tag", "v2.0.0", "  tag: v1.0.0 # pinned", "  tag: v2.0.0 # pinned"),
        ("image.tag", "1.20", "  tag: v1.0.0 # pinned", '  tag: "1.20" # pinned'),
        ("image.tag", 1.5, "  tag: v1.0.0 # pinned", "  tag: 1.5 # pinned"),
        ("image.tag", None, "  tag: v1.0.0 # pinned", "  tag: null # pinned"),
        ("image.tag", "a: b #c", "  tag: v1.0.0 # pinned", '  tag: "a: b #c" # pinned'),
        ("image.tag", "two\nlines", "  tag: v1.0.0 # pinned", '  tag: "two\\nlines" # pinned'),
        ("image.pullPolicy", "Always", '  pullPolicy: "IfNotPresent"', "  pullPolicy: Always"),
        ("env.0.value", "uno", "    value: 'one'", "    value: uno"),
        ("env.1.value", "a, b", "  - {name: B, value: two}", '  - {name: B, value: "a, b"}'),
        ("list.2", 9, "list: [1, 2, 3,]", "list: [1, 2, 9,]"),
        ("json.a", "z", 'json: {"a":"b","c":[]}', 'json: {"a":"z","c":[]}'),
        ("anchor", "other", "anchor: &a base  # anchored", "anchor: &a other  # anchored"),
        ("empty", "full", "empty:", "empty: full"),
        ("nulled", True, "nulled: ~ # nothing", "nulled: true # nothing"),
        ("quoted key", "w", '"quoted key": v', '"quoted key": w'),
        (r"dotted\.key", "e", "dotted.key: d", "dotted.key: e"),
        (":0", "one", "0: zero", "0: one"),
        ("0", "one", "0: zero", "0: one"),
        ("tagged", "6", "tagged: !!str 5", 'tagged: !!str "6"'),
        ("dash.0", "z", "  -", "  - z"),
        ("deep.a.b.1.c", "e", "deep: {a: {b: [x, {c: d}]}}", "deep: {a: {b: [x, {c: e}]}}"),
        ("last", "fin", "last: end", "last: fin"),
    ],
)
def test_only_the_scalar_changes(key, value, line, becomes):
    assert changed(VALUES, update_yaml(VALUES, [Update(key, value)], "values.yaml")) == [(line, becomes)]


@pytest.mark.parametrize(
    ("key", "value", "before", "after"),
    [
        ("multi", "flat", "multi: |  # why\n  line1\n  line2\n\n", "multi: flat  # why\n\n"),
        ("multi", "a\nb", "multi: |  # why\n  line1\n  line2\n\n", "multi: |-  # why\n  a\n  b\n"),
        ("multi", "a\n\nb\n", "multi: |  # why\n  line1\n  line2\n\n", "multi: |  # why\n  a\n\n  b\n"),
        ("folded", "a b", "folded: >-\n  a\n  b\n", "folded: a b\n"),
        ("wrapped", "short", "wrapped: this goes\n  on\n", "wrapped: short\n"),
    ],
)
def test_scalars_of_several_lines(key, value, before, after):
    new = update_yaml(VALUES, [Update(key, value)], "values.yaml")
    assert new == VALUES.replace(before, after)
    assert yaml.safe_load(new)[key] == value


def test_several_updates_at_once_even_on_one_line():
    updates = [Update("list.0", 7), Update("list.1", "x"), Update("image.tag", "v2"), Update("image.tag", "v3")]
    new = update_yaml(VALUES, updates, "values.yaml")
    assert changed(VALUES, new) == [
        ("  tag: v1.0.0 # pinned", "  tag: v3 # pinned"),
        ("list: [1, 2, 3,]", "list: [7, x, 3,]"),
    ]


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("image.nope", "no 'nope'"),
        ("env.7.value", "no '7'"),
        ("env.-1", "no '-1'"),
        ("image", "is a mapping"),
        ("list", "is a sequence"),
        ("last.x", "no 'x'"),
        ("ref", "alias.*line 20"),
        ("", "empty"),
        ("a..b", "empty part"),
        (r"a\nb", "escape"),
        ("a:b", "colon"),
    ],
)
def test_what_can_not_be_changed_is_said(key, says):
    with pytest.raises(UserError, match=says):
        update_yaml(VALUES, [Update(key, "x")], "values.yaml")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [1", "not YAML"),
        ("", "empty"),
        ("a: 1\na: 2\n", "twice"),
        ("a: !!int 5\n", "by hand"),
    ],
)
def test_texts_that_are_not_touched(text, says):
    with pytest.raises(UserError, match=f"values.yaml.*{says}"):
        update_yaml(text, [Update("a", "x")], "values.yaml")


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ("a: 1\r\nb: 2\r\n", "a: x\r\nb: 2\r\n"),
        ("a: |\r\n  1\r\n  2\r\nb: 2\r\n", "a: x\r\nb: 2\r\n"),
        ("\ufeffa: 1\n", "\ufeffa: x\n"),
        ("é: 𝄞\na: 1\n", "é: 𝄞\na: x\n"),
        ("a: 1\n---\na: 2\n", "a: x\n---\na: 2\n"),
        ("%YAML 1.1\n---\na: 1\n", "%YAML 1.1\n---\na: x\n"),
        ("a: 1", "a: x\n"),
        ('{"a": 1}\n', '{"a": x}\n'),
        ("a: &x\n  # why\n  1\nb: *x\n", "a: &x\n  # why\n  x\nb: *x\n"),
    ],
)
def test_line_ends_and_documents_stay(text, after):
    assert update_yaml(text, [Update("a", "x")], "values.yaml") == after


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("v1.2.3", "v1.2.3"),
        ("1.2.3", "1.2.3"),
        ("1.2.3-rc.1", "1.2.3-rc.1"),
        ("2024.1.0", "2024.1.0"),
        ("123abcd", "123abcd"),
        ("ghcr.io/acme/app:1.2.3", "ghcr.io/acme/app:1.2.3"),
        ("sha256:abc", "sha256:abc"),
        *(
            (text, json.dumps(text))
            for text in [
                "1.20",
                "123e456",
                "0x1F",
                "0o17",
                "1_000",
                "1:30",
                "2024-01-01",
                ".5",
                "5.",
                "+1",
                "Inf",
                "NaN",
            ]
        ),
        *(
            (text, json.dumps(text))
            for text in ["yes", "No", "on", "OFF", "y", "N", "t", "F", "true", "null", "~", "=", "<<", "-", "?", "''"]
        ),
        *((text, json.dumps(text)) for text in ("", " a", "a ", "a: b", "a #b", "*a", "&a", "@x", "- x", "`x", "%x")),
        ("---", '"---"'),
        ("a\tb", '"a\\tb"'),
        ("\x00\x85\u2028\ufeff", '"\\u0000\\u0085\\u2028\\ufeff"'),
        (1000000, "1000000"),
        (1e6, "1000000"),
        (20240101.0, "20240101"),
        (0.1, "0.1"),
        (1e30, "1.0e+30"),
        (float("inf"), ".inf"),
        (True, "true"),
        (None, "null"),
    ],
)
def test_scalars_are_written_so_that_every_reader_agrees(value, written):
    assert write_scalar(value) == written
    assert yaml.safe_load(written) == value


@given(st.text(), st.booleans())
def test_any_text_is_read_back_as_itself(value, in_flow):
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        return
    written = write_scalar(value, in_flow=in_flow)
    text = f"[a, {written}, b]" if in_flow else f"k: {written}\n"
    read = yaml.safe_load(text)
    assert (read[1] if in_flow else read["k"]) == value
    assert "\n" not in written


KEYS = ["image.tag", "env.0.value", "env.1.value", "list.1", "multi", "folded", "empty", "nulled", "wrapped", "dash.0",
        "deep.a.b.1.c", "json.a", "last"]  # fmt: skip
SCALARS = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    st.text(alphabet="ab \n:#-'\"\\", max_size=12),
    st.integers(),
    st.booleans(),
    st.none(),
    st.floats(allow_nan=False),
)


@given(st.dictionaries(st.sampled_from(KEYS), SCALARS, min_size=1))
def test_the_data_differ_at_the_keys_and_nowhere_else(updates):
    new = update_yaml(VALUES, [Update(key, value) for key, value in updates.items()], "values.yaml")
    expected = yaml.safe_load(VALUES)
    for key, value in updates.items():
        *way, last = split_key(key)
        target = expected
        for part in way:
            target = target[int(part)] if isinstance(target, list) else target[part]
        target[int(last) if isinstance(target, list) else last] = value
    assert yaml.safe_load(new) == expected
    kept = [line for line in VALUES.splitlines() if line.startswith(("#", "image:", "ref:", '"quoted'))]
    assert [line for line in new.splitlines() if line in kept] == kept

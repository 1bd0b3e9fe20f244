"""yaml-update with `createMissing`: keys are added in the layout that is there."""

import pytest

from bot.errors import UserError
from bot.steps.editing.yaml_edit import Update, update_yaml


@pytest.mark.parametrize(
    ("text", "key", "after"),
    [
        ("a: 1\n", "b", "a: 1\nb: x\n"),
        ("a:\n    b: 1 # k\n\n# tail\nz: 1\n", "a.c.d", "a:\n    b: 1 # k\n    c:\n        d: x\n\n# tail\nz: 1\n"),
        ("a:\n  b: 'x\n    y'\nc: 1\n", "a.d", "a:\n  b: 'x\n    y'\n  d: x\nc: 1\n"),
        ("a: |\n  x\n\n\n# tail\n", "c", "a: |\n  x\nc: x\n\n\n# tail\n"),
        ("a: |+\n  x\n\n# tail\n", "c", "a: |+\n  x\n\nc: x\n# tail\n"),
        ("a: &x 1\nc:\n  d: *x # k\ne: 2\n", "c.f", 'a: &x 1\nc:\n  d: *x # k\n  "f": x\ne: 2\n'),
        ("a: &m\n  b: 1\nc: *m\n", "a.c", "a: &m\n  b: 1\n  c: x\nc: *m\n"),
        ("a: 1\r\nb:\r\n  c: 1\r\n", "b.d", "a: 1\r\nb:\r\n  c: 1\r\n  d: x\r\n"),
        ("a: 1", "b", "a: 1\nb: x\n"),
        ("a: 1\n---\nb: 1\n", "c", "a: 1\nc: x\n---\nb: 1\n"),
        ("a: 1\n... # end\n", "c", "a: 1\nc: x\n... # end\n"),
        # what is null or empty
        ("", "a.b", "a:\n  b: x\n"),
        ("# only\n", "a", "# only\na: x\n"),
        ("---\n", "a", "---\na: x\n"),
        ("root: # why\nz: 1\n", "root.new.nested", "root: # why\n  new:\n    nested: x\nz: 1\n"),
        ("a: ~ # why\n", "a.b", "a: {b: x} # why\n"),
        ("a: {} # why\n", "a.b.c", "a: {b: {c: x}} # why\n"),
        ("{}\n", "a.b", '{"a": {"b": "x"}}\n'),
        # between brackets
        ("a: {x: 1}\n", "a.b", "a: {x: 1, b: x}\n"),
        ("a: {x: 1,}\n", "a.b", "a: {x: 1, b: x}\n"),
        ("a: {\n  x: 1, # one\n  y: 2\n}\n", "a.z", "a: {\n  x: 1, # one\n  y: 2,\n  z: x\n}\n"),
        ('{\n  "x": 1\n}\n', "b.c", '{\n  "x": 1,\n  "b": {"c": "x"}\n}\n'),
        ("a: {b: &x 1, c: *x}\n", "a.d", "a: {b: &x 1, c: *x, d: x}\n"),
        # lists
        ("l:\n- 1\n- 2 # two\nz: 1\n", "l.-1", "l:\n- 1\n- 2 # two\n- x\nz: 1\n"),
        ("l:\n- 1\n- 2\n", "l.2", "l:\n- 1\n- 2\n- x\n"),
        ("l:\n  - a: 1\n    b: 2\n", "l.-1.c.d", "l:\n  - a: 1\n    b: 2\n  - c:\n      d: x\n"),
        ("l:\n  - a: 1\n  - b: 1\n", "l.0.c", "l:\n  - a: 1\n    c: x\n  - b: 1\n"),
        ("l: [1, 2]\n", "l.-1", "l: [1, 2, x]\n"),
        ("l: [&x 1, *x]\n", "l.2", "l: [&x 1, *x, x]\n"),
        ("l: []\n", "l.0.k", "l: [{k: x}]\n"),
        ("l:\n", "l.0.k", "l:\n  - k: x\n"),
        # names
        ("a: 1\n", r"b\.c.:0", 'a: 1\nb.c:\n  "0": x\n'),
        ("a: 1\n", "yes", 'a: 1\n"yes": x\n'),
        ("a: 1\n", "b: c #d".replace(":", r"\:"), 'a: 1\n"b: c #d": x\n'),
    ],
)
def test_a_key_is_added_where_it_belongs(text, key, after):
    assert update_yaml(text, [Update(key, "x")], "values.yaml", create_missing=True) == after


@pytest.mark.parametrize(
    ("text", "key", "says"),
    [
        ("a: 1\n", "a.b", "'1' is in its way"),
        ("a: text\n", "a.b.c", "'text' is in its way"),
        ("l: [1]\n", "l.5", "no place in a list of 1"),
        ("l: [1]\n", "l.name", "no place in a list of 1"),
        ("a: 1\n", "b.3", "no list that could have an item 3"),
        ("a: &x {b: 1}\nc: *x\n", "c.d", "alias"),
        ("a: {b: 1}\n", "a", "is a mapping"),
        ("a: 1\na: 2\n", "a", "twice"),
        ("? a\n: 1\n", "b", "without changing more"),
    ],
)
def test_what_can_not_be_added_is_said(text, key, says):
    with pytest.raises(UserError, match=says):
        update_yaml(text, [Update(key, "x")], "values.yaml", create_missing=True)


def test_what_is_there_is_changed_and_what_is_not_is_added():
    updates = [Update("a", 1), Update("b.c", 2), Update("b.d", 3), Update("a", 4), Update("l.-1", 5), Update("l.-1", 6)]
    assert update_yaml("a: 0 # why\n", updates, "f", create_missing=True) == (
        "a: 4 # why\nb:\n  c: 2\n  d: 3\nl:\n  - 5\n  - 6\n"
    )


@pytest.mark.parametrize(
    ("document", "after"),
    [(0, "a: x\n---\na: 2\n--- # third\na: 3\n"), (2, "a: 1\n---\na: 2\n--- # third\na: x\n")],
)
def test_one_of_several_documents_is_changed(document, after):
    text = "a: 1\n---\na: 2\n--- # third\na: 3\n"
    assert update_yaml(text, [Update("a", "x")], "f", document=document) == after


def test_a_document_that_is_not_there_is_said():
    with pytest.raises(UserError, match="no document 2; the first is 0"):
        update_yaml("a: 1\n---\na: 2\n", [Update("a", "x")], "f", document=2)


@pytest.mark.parametrize("text", ["[" * 300_000, "- " * 300_000 + "a", "{a: " * 300_000])
def test_what_is_nested_without_end_does_not_end_the_process(text):
    with pytest.raises(UserError, match="nested more than 1000 levels deep"):
        update_yaml(text, [Update("a", "x")], "f")

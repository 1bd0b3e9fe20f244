"""json-update: exactly the bytes of the value, and what is missing in the layout that is there."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import UserError
from bot.steps.editing.json_edit import update_json
from bot.steps.editing.yaml_edit import Update

DOCUMENT = """\
{
  "image": { "tag" : "v1", "digest":null },
  "big": 12345678901234567890123, "exact": 1.50, "e": 1E5,
  "list": [1, {"a.b": "x"}, []],
  "deep": {
    "a": {}
  },
  "0": "zero"
}
"""


@pytest.mark.parametrize(
    ("key", "value", "old", "new"),
    [
        ("image.tag", "v2", '"v1"', '"v2"'),
        ("image.digest", 'é"\n', ":null", ':"é\\"\\n"'),
        ("big", 1, "12345678901234567890123", "1"),
        ("e", 2.0, "1E5", "2"),
        ("e", 1e30, "1E5", "1.0e+30"),
        ("list.0", True, "[1, ", "[true, "),
        (r"list.1.a\.b", None, '"x"', "null"),
        (":0", "null", '"zero"', '"null"'),
        ("0", 10**25, '"zero"', "1" + "0" * 25),
        # added
        ("image.new", 1, ":null }", ':null, "new": 1 }'),
        ("list.3", 1, "[]]", "[], 1]"),
        ("list.-1.n.m", 1, "[]]", '[], {"n": {"m": 1}}]'),
        ("list.2.-1", 1, "[]]", "[1]]"),
        ("last", "x", '"zero"\n', '"zero",\n  "last": "x"\n'),
        ("a.b", 1, '"zero"\n', '"zero",\n  "a": {\n    "b": 1\n  }\n'),
        ("a.0", 1, '"zero"\n', '"zero",\n  "a": [\n    1\n  ]\n'),
        ("a.:0", 1, '"zero"\n', '"zero",\n  "a": {\n    "0": 1\n  }\n'),
        ("deep.a.b", 1, '"a": {}', '"a": {\n      "b": 1\n    }'),
    ],
)
def test_nothing_but_the_value_changes(key, value, old, new):
    text = update_json(DOCUMENT, [Update(key, value)], "a.json")
    assert DOCUMENT.count(old) == 1
    assert text == DOCUMENT.replace(old, new)


@pytest.mark.parametrize(
    ("text", "after"),
    [
        ('{"a":1}', '{"a":1,"b":{"c":"x"}}'),
        ('{"a": 1}', '{"a": 1, "b": {"c": "x"}}'),
        ("{}", '{"b": {"c": "x"}}'),
        ('\ufeff{\r\n\t"a": 1\r\n}\r\n', '\ufeff{\r\n\t"a": 1,\r\n\t"b": {\r\n\t\t"c": "x"\r\n\t}\r\n}\r\n'),
        (' { "b" : { } } ', ' { "b" : {"c" : "x"} } '),
    ],
)
def test_layout_is_taken_over(text, after):
    assert update_json(text, [Update("b.c", "x")], "a.json") == after


@pytest.mark.parametrize(
    ("text", "key", "value", "says"),
    [
        ("", "a", 1, "not JSON"),
        ("{a: 1}", "a", 1, "not JSON"),
        ('{"a": NaN}', "a", 1, "NaN is no JSON"),
        ("[" * 100_000, "0", 1, "nested too deep"),
        ('{"a": {}}', "a", 1, "an object, not a single value"),
        ('{"a": [1]}', "a", 1, "a list, not a single value"),
        ('{"a": 1}', "a.b", 1, "a is a single value"),
        ("1", "a", 1, "the whole is a single value"),
        ('{"a": [1]}', "a.b", 1, "write the number of an item"),
        ('{"a": [1]}', "a.3", 1, "no item 3 in a list of 1"),
        ('{"a": 1}', "b.3", 1, "no list yet"),
        ('{"a": 1, "a": 2}', "a", 1, "twice"),
        ('{"a": 1}', "a", float("nan"), "no such number"),
        ('{"a": 1}', "", 1, "empty"),
    ],
)
def test_what_can_not_be_set_is_said(text, key, value, says):
    with pytest.raises(UserError, match=says):
        update_json(text, [Update(key, value)], "a.json")


NAMES = st.text("ab1é", min_size=1, max_size=2)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.one_of(st.text(max_size=8), NUMBERS, st.booleans(), st.none())
DATA = st.dictionaries(
    NAMES,
    st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3)),
    max_size=4,
)


@settings(deadline=None)  # the machine may be busy
@given(DATA, st.lists(NAMES, min_size=1, max_size=3), SCALARS, st.sampled_from([None, 2, "\t"]), st.booleans())
def test_the_data_differ_at_the_key_and_nowhere_else(data, parts, value, indent, is_ascii):
    text = json.dumps(data, indent=indent, ensure_ascii=is_ascii)
    expected = json.loads(text)
    holder: Any = expected
    for part in parts[:-1]:
        holder = holder.setdefault(part, {}) if isinstance(holder, dict) else None
    is_possible = isinstance(holder, dict) and not isinstance(holder.get(parts[-1]), (dict, list))
    key = ".".join(f":{part}" for part in parts)
    try:
        new = update_json(text, [Update(key, value)], "a.json")
    except UserError:
        assert not is_possible or any("\ud800" <= letter <= "\udfff" for letter in text)
        return
    assert is_possible
    holder[parts[-1]] = value
    assert json.loads(new) == expected
    assert update_json(new, [Update(key, value)], "a.json") == new


async def test_the_step_writes_the_file_and_a_message(run):
    (run.workdir / "a.json").write_text('{"app": {"version": "1.0.0"}}\n')
    updates = [{"key": "app.version", "value": "1.0.1"}, {"key": "on", "value": True}, {"key": "n", "value": 100}]
    result = await run("json-update", {"path": "./a.json", "updates": updates})
    assert (run.workdir / "a.json").read_text() == '{"app": {"version": "1.0.1"}, "on": true, "n": 100}\n'
    assert result.output == {"commitMessage": 'Updated ./a.json\n\n- app.version: "1.0.1"\n- on: true\n- n: 100'}
    assert (await run("json-update", {"path": "./a.json", "updates": []})).output == {}

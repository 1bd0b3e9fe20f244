"""toml-update and toml-parse."""

import pytest

from bot.errors import UserError
from bot.steps.editing.toml_edit import update_toml
from bot.steps.editing.yaml_edit import Update

DOCUMENT = """\
# head
title = "x"  # the title
lit = 'old' # lit
n = 1_000
hex = 0xFF
f = 1.5
nan = nan
when = 1979-05-27T07:32:00Z # born
arr = [ 1, 2, # two
  3 ]
inl = { a = 1, b.c = "z" }
site."a.b" = "q"
multi = \"\"\"
a
b\"\"\" # m
[t.u]   # tu
v = 'x'
[[aot]]
n = 11
[[aot]]
n = 12 # two
[t]
w = 21
"""


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
@pytest.mark.parametrize(
    ("key", "value", "old", "new"),
    [
        ("title", 'y"\n\x7f', '"x"', '"y\\"\\n\\u007f"'),
        ("lit", "new", "'old'", "'new'"),
        ("lit", "it's", "'old'", '"it\'s"'),
        ("n", 5.0, "1_000", "5"),
        ("hex", 16, "0xFF", "16"),
        ("f", 2.0, "1.5", "2.0"),
        ("f", float("inf"), "1.5", "inf"),
        ("f", 1e30, "1.5", "1.0e+30"),
        ("nan", True, "= nan", "= true"),
        ("when", "now", "1979-05-27T07:32:00Z", '"now"'),
        ("arr.1", 9, "2, # two", "9, # two"),
        ("arr.2", "x", "3 ]", '"x" ]'),
        ("inl.a", 2, "a = 1", "a = 2"),
        ("inl.b.c", "w", '"z"', '"w"'),
        (r"site.a\.b", "e", '"q"', '"e"'),
        ("multi", "one", '"""\na\nb"""', '"one"'),
        ("t.u.v", "y", "v = 'x'", "v = 'y'"),
        ("aot.1.n", 7, "n = 12", "n = 7"),
        ("t.w", 3, "w = 21", "w = 3"),
    ],
)
def test_nothing_but_the_value_changes(key, value, old, new, ends):
    text = DOCUMENT.replace("\n", ends)
    old = old.replace("\n", ends)
    assert text.count(old) == 1
    assert update_toml(text, [Update(key, value)], "a.toml") == text.replace(old, new)


def test_several_updates_and_a_byte_order_mark():
    updates = [Update("a", 2), Update("b", 3), Update("a", 4)]
    assert update_toml("\ufeffa = 1\nb = 1", updates, "f") == "\ufeffa = 4\nb = 3"


@pytest.mark.parametrize(
    ("text", "key", "value", "says"),
    [
        ("a = [", "a", 1, "not TOML"),
        ("a = 1", "b", 1, "no key 'b'"),
        ("a = [1]", "a.1", 1, "no '1'"),
        ("a = [1]", "a.-1", 1, "no '-1'"),
        ("a = 1", "a.b", 1, "no 'b'"),
        ("[a]\nb = 1", "a", 1, "is a table"),
        ("a = [1]", "a", 1, "is a list"),
        ("a = 1", "a", None, "TOML has none"),
        ("a = 1", "a", 2**63, "64 bits"),
        ("a = " + "[" * 5000 + "]" * 5000, "a", 1, "nested too deep"),
    ],
)
def test_what_can_not_be_changed_is_said(text, key, value, says):
    with pytest.raises(UserError, match=says):
        update_toml(text, [Update(key, value)], "a.toml")


async def test_the_step_writes_the_file_and_a_message(run):
    (run.workdir / "a.toml").write_text("a = 1 # one\n[b]\nc = 'x'\n")
    updates = [{"key": "a", "value": 2}, {"key": "b.c", "value": "y"}]
    result = await run("toml-update", {"path": "a.toml", "updates": updates})
    assert (run.workdir / "a.toml").read_text() == "a = 2 # one\n[b]\nc = 'y'\n"
    assert result.output == {"commitMessage": 'Updated a.toml\n\n- a: 2\n- b.c: "y"'}
    assert (await run("toml-update", {"path": "a.toml", "updates": []})).output == {}


async def test_values_are_read(run):
    (run.workdir / "a.toml").write_text(
        "n = 1\nwhen = 1979-05-27T07:32:00Z\nday = [{ d = 1979-05-27 }]\n[t]\nu = 'x'\n"
    )
    outputs = [
        {"name": "n", "fromExpression": "n + 1"},
        {"name": "when", "fromExpression": "when"},
        {"name": "day", "fromExpression": "day[0].d"},
        {"name": "t", "fromExpression": "t"},
    ]
    result = await run("toml-parse", {"path": "a.toml", "outputs": outputs})
    assert result.output == {"n": 2, "when": "1979-05-27T07:32:00+00:00", "day": "1979-05-27", "t": {"u": "x"}}


@pytest.mark.parametrize("text", ["a = ", "\ud800", "a = " + "[" * 5000 + "]" * 5000])
async def test_what_is_no_toml_is_said(run, text):
    (run.workdir / "a.toml").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(UserError, match=r"reading a|not UTF-8"):
        await run("toml-parse", {"path": "a.toml", "outputs": [{"name": "a", "fromExpression": "a"}]})

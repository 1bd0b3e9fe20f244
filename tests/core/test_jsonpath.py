"""Kubernetes' JSONPath: the recorded cases, what differs on purpose, and that no text brings it down."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.jsonpath import DIFFERENCES, JsonPathError, find, parse
from tests.conformance.cases import recorded

# Path of a recorded case -> which of the named differences it falls under, and what is found here.
ON_PURPOSE: dict[str, tuple[str, Any]] = {
    "{$['k.dot']}": ("dots in quoted names", [["dotted"]]),
    "{$.data.items[?(@.v==1)]}": ("whole numbers in filters", [[{"name": "a", "v": 1}]]),
}

DATA: dict[str, Any] = {
    "b": 1,
    "a": 2,
    "list": [1, 2, 3, 4],
    "none": None,
    "text": "hi",
    "items": [
        {"name": "x", "v": 1, "ok": True},
        {"name": "y", "v": 2.5, "tags": ["t1", "t2"]},
        {"name": "it's", "v": 3, "tags": []},
    ],
    "nested": {"a.b/c": {"deep": [[5, 6], [7]]}, "a,b": 9},
}


def everything(path: str, data: Any = DATA) -> list[list[Any]]:
    return [list(part) for part in find(parse(path), data)]


@pytest.mark.parametrize("case", recorded("argo_jsonpath"), ids=lambda case: case["jsonPath"] or "(empty)")
def test_the_recorded_cases_come_out_as_in_kubernetes(case: dict[str, Any]) -> None:
    path = case["jsonPath"] or "{$}"  # the web provider's default
    if path in ON_PURPOSE:
        difference, found = ON_PURPOSE[path]
        assert difference in DIFFERENCES
        assert everything(path, case["data"]) == found
    elif "expected_error" in case:
        with pytest.raises(JsonPathError) as refused:
            everything(path, case["data"])
        assert f"find: {refused.value}" == case["expected_error"]
    else:
        assert everything(path, case["data"]) == case["all"]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("{.text}", [["hi"]]),
        ("{@.text}", [["hi"]]),
        ("{ $.text }", [["hi"]]),
        ("{['text']}", [["hi"]]),
        ("{.list[0]}", [[1]]),
        ("{.list[-1]}", [[4]]),
        ("{.list[1:3]}", [[2, 3]]),
        ("{.list[:2]}", [[1, 2]]),
        ("{.list[::2]}", [[1, 3]]),
        ("{.list[2:2]}", [[]]),
        ("{.list[0,2]}", [[1, 3]]),
        ("{.list[0, -1]}", [[1, 4]]),
        ("{['b','a']}", [[1, 2]]),
        ("{.none}", [[None]]),
        ("{.none[0]}", [[]]),
        ("{.items[*].name}", [["x", "y", "it's"]]),
        ("{.items[*].tags[0]}", None),
        ("{.items[1].tags[*]}", [["t1", "t2"]]),
        ("{.nested.a\\.b/c.deep[0][1]}", [[6]]),
        ("{.nested['a\\.b/c'].deep[1]}", [[[7]]]),
        ("{.nested['a.b/c'].deep[*][0]}", [[5, 7]]),
        ("{.nested.*}", [[{"deep": [[5, 6], [7]]}, 9]]),
        ("{..deep}", [[[[5, 6], [7]]]]),
        ("{..name}", [["x", "y", "it's"]]),
        ("{.items[?(@.name=='y')].v}", [[2.5]]),
        ('{.items[?(@.name=="it\'s")].v}', [[3]]),
        ("{.items[?(@.v>=2.5)].name}", [["y", "it's"]]),
        ("{.items[?(@.v > 1)].name}", [["y", "it's"]]),
        ("{.items[?(@.v<-1)].name}", [[]]),
        ("{.items[?(@.ok==true)].name}", [["x"]]),
        ("{.items[?(@.ok!=true)].name}", [[]]),
        ("{.items[?(@.tags)].name}", [["y", "it's"]]),
        ("{.items[?(@.tags[0]=='t1')].name}", None),
        ("{.items[?(@.name==\"a)]}\")].name}", [[]]),
        ("{.items[?('x'==@.name)].v}", [[1]]),
        ("{range .items[:2]}{.name}:{.v} {end}!", [["x"], [":"], [1], [" "], ["y"], [":"], [2.5], [" "], ["!"]]),
        ("{range .nested['a.b/c'].deep[*]}<{range [*]}{@}{end}{end}", [["<"], [5], [6], ["<"], [7]]),
        ("{range .items[2].tags[*]}{.name}{end}done", [["done"]]),
        ("{'quoted'}{\"a\\\"b\\n\"}", [["quoted"], ['a"b\n']]),
        ("{1.5}{-2}{true}", [[1.5], [-2], [True]]),
        ("plain text", [["plain text"]]),
        ("", []),
        ("{}", [[DATA]]),
    ],
)  # fmt: skip
def test_a_path_finds(path: str, found: list[list[Any]] | None) -> None:
    if found is None:
        with pytest.raises(JsonPathError):
            everything(path)
    else:
        assert everything(path) == found


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("{.a", "unclosed action"),
        ("{.a\n}", "unclosed action"),
        ("{?}", "unrecognized character in action: U+003F '?'"),
        ("{.list[0}", "unterminated array"),
        ("{.list[x]}", "invalid array index x"),
        ("{.list[-]}", "array index - is not a number"),
        ("{.list[9]}", "array index out of bounds: index 9, length 4"),
        ("{.list[-5]}", "array index out of bounds: index -1, length 4"),
        ("{.list[1:9]}", "array index out of bounds: index 8, length 4"),
        ("{.list[3:1]}", "starting index 3 is greater than ending index 1"),
        ("{.list[::0]}", "step must be > 0"),
        ("{.nested[0]}", "map[string]interface {} is not array or slice"),
        ("{.text[0]}", "string is not array or slice"),
        ("{.text[?(@.a)]}", "string is not array or slice and cannot be filtered"),
        ("{.list.x}", "x is not found"),
        ("{....a}", "invalid multiple recursive descent"),
        ("{.items[?(@.name=='x'}", "unterminated filter"),
        ("{.items[?(@.name=='x')}", "unclosed array expect ]"),
        ("{.items[?(@.name=~'x')]}", "unrecognized filter operator ="),
        ("{.items[?(@.name=!'x')]}", "unrecognized filter operator =!"),
        ("{.items[?(@.name==1)]}", "incompatible types for comparison"),
        ("{.items[?(@.ok<true)]}", "invalid type for comparison"),
        ("{.items[?(@==1)]}", "invalid type for comparison"),
        ("{.items[?(@.name==x)]}", "unrecognized identifier x"),
        ("{.items[1:][?(@.tags[*]=='t1')]}", "map[string]interface {} is not array or slice and cannot be filtered"),
        ("{'open}", "unterminated quoted string"),
        ("{1.2.3}", "cannot parse number 1.2.3"),
        ("{end}", "not in range, nothing to end"),
    ],
)
def test_a_path_that_does_not_fit_is_refused_in_kubernetes_words(path: str, message: str) -> None:
    with pytest.raises(JsonPathError) as refused:
        everything(path)
    assert str(refused.value) == message


def test_the_order_of_the_document_is_kept() -> None:
    assert everything("{.*}", {"z": 1, "a": 2}) == [[1, 2]]
    assert everything("{..v}", {"z": {"v": 1}, "a": {"v": 2, "b": [{"v": 3}]}}) == [[1, 2, 3]]


def test_deep_documents_are_walked_without_recursion() -> None:
    deep: Any = {"v": 1}
    for _ in range(5000):
        deep = [deep]
    assert everything("{..v}", deep) == [[1]]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=8,
)


@given(st.text(alphabet="{}[]().,:*?@$'\"\\<>=!-ab01 \trangeend", max_size=25), JSON)
def test_any_text_over_any_document_finds_something_or_says_what_is_wrong(path: str, data: Any) -> None:
    try:
        found = everything(path, data)
    except JsonPathError as error:
        message = str(error)
    else:
        message = repr(found)
    assert message

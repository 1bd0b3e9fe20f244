"""What a schema asserts of a text, a number, or a value among alternatives."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.core.configuration.formats import FORMATS
from bot.core.configuration.misfits import KINDS, WANTED, Check, Misfit, Run, Schema, required_by, shown, types_of
from bot.core.configuration.problems import names


def text_check(schema: Schema) -> Check | None:
    pattern = re.compile(schema["pattern"]) if "pattern" in schema else None
    complain = FORMATS.get(schema.get("format", ""))
    code = "bad-expression" if schema.get("format") in {"template", "if", "expression"} else "bad-value"
    fewest, most = schema.get("minLength", 0), schema.get("maxLength")
    wanted = schema.get("description", "")
    if pattern is None and complain is None and not fewest and most is None:
        return None

    def check(value: Any, run: Run) -> Any:
        if complain is not None and (complaint := complain(value)) is not None:
            run.complain(code, complaint)
        elif len(value) < fewest:
            run.complain("empty", f"{run.field} may not be empty")
        elif most is not None and len(value) > most:
            run.complain("too-long", f"{run.field} may have {most} characters at most, not {len(value)}")
        elif pattern is not None and pattern.search(value) is None:
            hint = f": {wanted[0].lower()}{wanted[1:]}" if wanted else f"; it must match {schema['pattern']}"
            run.complain("bad-value", f"{shown(value)} does not do for {run.field}{hint}")
        return value

    return check


def number_check(schema: Schema) -> Check | None:
    lowest, highest = schema.get("minimum"), schema.get("maximum")
    above, below, step = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum"), schema.get("multipleOf")
    if lowest is highest is above is below is step is None:
        return None

    def check(value: Any, run: Run) -> Any:
        if (lowest is not None and value < lowest) or (above is not None and value <= above):
            bound = f"at least {lowest}" if lowest is not None else f"more than {above}"
            run.complain("out-of-range", f"{run.field} wants {bound}, not {value}")
        elif (highest is not None and value > highest) or (below is not None and value >= below):
            bound = f"at most {highest}" if highest is not None else f"less than {below}"
            run.complain("out-of-range", f"{run.field} wants {bound}, not {value}")
        elif step is not None and value % step:
            run.complain("out-of-range", f"{run.field} wants a multiple of {step}, not {value}")
        return value

    return check


def one_of_values(values: tuple[Any, ...]) -> Check:
    def check(value: Any, run: Run) -> Any:
        if not any(value == each and isinstance(value, bool) == isinstance(each, bool) for each in values):
            listed = ", ".join(_written(each) for each in values)
            wants = f"one of {listed}" if len(values) > 1 else listed
            near = run.closest(value, [str(each) for each in values]) if isinstance(value, str) else ""
            run.complain("bad-value", f"{run.field} wants {wants}, not {shown(value)}{near}")
        return value

    return check


def _written(value: Any) -> str:
    """As one writes it in YAML."""
    return str(value).lower() if isinstance(value, bool) else str(value) or '""'


def alternatives(branches: Sequence[tuple[Schema | bool, Check]], *, exactly_one: bool) -> Check:
    only_required = all(isinstance(each, Mapping) and "required" in each for each, _ in branches)

    def check(value: Any, run: Run) -> Any:
        kind = KINDS.get(value.__class__, "")
        typed = [each for schema, each in branches if kind in types_of(schema)]
        if len(typed) == 1:  # the one branch meant: what it says of the value says most
            return typed[0](value, run)
        fitting = []
        misfitting: list[list[Misfit]] = []
        for _, each in branches:
            attempt = run.attempt()
            each(value, attempt)
            if attempt.misfits:
                misfitting.append(attempt.misfits)
            else:
                fitting.append(each)
        if len(fitting) == 1 or (fitting and not exactly_one):
            return fitting[0](value, run)
        if only_required and isinstance(value, dict):
            choices = " or ".join(names(required_by(schema)) for schema, _ in branches)
            amount = "only one" if fitting else "one"
            run.complain("one-of", f"{run.field} wants {amount} of {choices}", at_key=True)
        elif fitting:
            run.complain("one-of", f"{run.field} fits more than one of the forms it may have; remove what is not meant")
        elif all(len(each) == 1 and each[0].code == "wrong-type" for each in misfitting):
            wanted = " or ".join(dict.fromkeys(WANTED[t] for schema, _ in branches for t in types_of(schema)))
            run.complain("wrong-type", f"{run.field} wants {wanted}, not {shown(value)}")
        else:
            run.misfits += sorted(misfitting, key=len)[0]
        return value

    return check


def forbidden(schema: Any, matches: Check) -> Check:
    def check(value: Any, run: Run) -> Any:
        attempt = run.attempt()
        matches(value, attempt)
        if not attempt.misfits:
            together = required_by(schema)
            what = f"{names(together)} can't be given {'together' if len(together) > 1 else 'here'}" if together else ""
            run.complain("not-allowed", what or f"{shown(value)} is not allowed for {run.field}", at_key=True)
        return value

    return check


def conditional(condition: Check, then: Check, otherwise: Check) -> Check:
    def check(value: Any, run: Run) -> Any:
        attempt = run.attempt()
        condition(value, attempt)
        return (otherwise if attempt.misfits else then)(value, run)

    return check

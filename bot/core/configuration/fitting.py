"""Plain data held against a JSON Schema: converted where a field wants another type, and every misfit told by its path.

The schemas are those of plug-ins and of `shapes`. All of draft 2020-12's assertions that they use are understood;
a keyword that is not is a fault of ours and raises at once. A validator from a library would be as strict but
would know neither conversions, nor `${{ }}`, nor names that are nearly right.
"""

import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from bot.core.configuration.assertions import (
    alternatives,
    conditional,
    forbidden,
    number_check,
    one_of_values,
    text_check,
)
from bot.core.configuration.formats import Placeholders
from bot.core.configuration.misfits import KINDS, WANTED, Check, Closest, Full, Misfit, Run, Schema, shown
from bot.core.configuration.problems import names, suggestion
from bot.core.configuration.scalars import as_boolean, as_number, as_text

_SAID_ONLY = {"$schema", "$id", "$comment", "$defs", "title", "description", "default", "examples", "deprecated"}
_OF_NAMES = {"properties", "patternProperties", "additionalProperties", "propertyNames", "dependentRequired"}
_OF_OBJECTS = _OF_NAMES | {"required", "minProperties", "maxProperties"}
_OF_ARRAYS = {"items", "prefixItems", "minItems", "maxItems", "uniqueItems"}
_OF_TEXTS = {"minLength", "maxLength", "pattern", "format"}
_OF_NUMBERS = {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
_OF_ALL = {"$ref", "type", "enum", "const", "allOf", "anyOf", "oneOf", "not", "if", "then", "else"}
_UNDERSTOOD = _SAID_ONLY | _OF_OBJECTS | _OF_ARRAYS | _OF_TEXTS | _OF_NUMBERS | _OF_ALL


class Fit:
    """A schema made ready. Calling it gives the converted data and what does not fit."""

    def __init__(self, schema: Schema) -> None:
        self._check = _Compiler(schema).compile(schema)

    def __call__(
        self, value: Any, placeholders: Placeholders | None = None, closest: Closest = suggestion
    ) -> tuple[Any, list[Misfit]]:
        """Fit a value. A text with placeholders (`formats.EXPRESSIONS`: `${{ }}`) fits everywhere."""
        run = Run(placeholders, closest)
        with suppress(Full):
            value = self._check(value, run)
        return value, run.misfits


class _Compiler:
    def __init__(self, root: Schema) -> None:
        self._root = root
        self._references: dict[str, Check] = {}

    def compile(self, schema: Schema | bool) -> Check:
        if isinstance(schema, bool):
            return _anything if schema else _nothing
        unknown = schema.keys() - _UNDERSTOOD
        if unknown:
            raise NotImplementedError(f"schema keywords {sorted(unknown)} are not understood")
        types = schema.get("type", ())
        types = (types,) if isinstance(types, str) else tuple(types)
        handlers: dict[str, Check] = {}
        if not types or "object" in types:
            handlers["object"] = self._object(schema) if schema.keys() & _OF_OBJECTS else _anything
        if not types or "array" in types:
            handlers["array"] = self._array(schema) if schema.keys() & _OF_ARRAYS else _anything
        if (not types or "string" in types) and (text := text_check(schema)) is not None:
            handlers["string"] = text
        if (number := number_check(schema)) is not None:
            handlers["integer"] = handlers["number"] = number
        rules = self._rules(schema)
        return _typed(types, handlers, rules)

    def _rules(self, schema: Schema) -> tuple[Check, ...]:
        """What applies whatever the type."""
        rules: list[Check] = []
        if "$ref" in schema:
            rules.append(self._reference(schema["$ref"]))
        if "enum" in schema:
            rules.append(one_of_values(tuple(schema["enum"])))
        if "const" in schema:
            rules.append(one_of_values((schema["const"],)))
        rules += [self.compile(each) for each in schema.get("allOf", ())]
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                branches = [(each, self.compile(each)) for each in schema[keyword]]
                rules.append(alternatives(branches, exactly_one=keyword == "oneOf"))
        if "not" in schema:
            rules.append(forbidden(schema["not"], self.compile(schema["not"])))
        if "if" in schema:
            then, otherwise = self.compile(schema.get("then", True)), self.compile(schema.get("else", True))
            rules.append(conditional(self.compile(schema["if"]), then, otherwise))
        return tuple(rules)

    def _reference(self, reference: str) -> Check:
        def follow(value: Any, run: Run) -> Any:
            check = self._references.get(reference)
            if check is None:
                target: Any = self._root
                for part in reference.removeprefix("#").split("/")[1:]:
                    target = target[part.replace("~1", "/").replace("~0", "~")]
                check = self._references[reference] = self.compile(target)
            return check(value, run)

        return follow

    def _object(self, schema: Schema) -> Check:
        properties = {
            name: (self.compile(each), _takes_null(each)) for name, each in schema.get("properties", {}).items()
        }
        patterns = [(re.compile(p), self.compile(each)) for p, each in schema.get("patternProperties", {}).items()]
        additional = schema.get("additionalProperties", True)
        other = None if additional is False else (self.compile(additional), _takes_null(additional))
        name_check = self.compile(schema["propertyNames"]) if "propertyNames" in schema else None
        required: Sequence[str] = schema.get("required", ())
        dependent: Mapping[str, Sequence[str]] = schema.get("dependentRequired", {})
        fewest, most = schema.get("minProperties", 0), schema.get("maxProperties")

        def check(value: Any, run: Run) -> Any:
            fitted = {}
            path = run.path
            for key, item in value.items():
                known = properties.get(key)
                if known is None:
                    matching = [each for pattern, each in patterns if pattern.search(key)]
                    known = (matching[0], True) if matching else other
                    if known is None:
                        _unknown_key(key, properties, run)
                        continue
                if name_check is not None:
                    _check_name(name_check, key, run)
                if item is None and not known[1]:
                    continue  # null is "not given", as in Kubernetes
                path.append(key)
                fitted[key] = known[0](item, run)
                path.pop()
            for key in required:
                if key not in fitted:
                    run.complain("missing", f"`{key}` is missing here; add it", at_key=True)
            for key, needed in dependent.items():
                if key in fitted and (absent := [each for each in needed if each not in fitted]):
                    run.complain("missing", f"`{key}` also needs {names(absent)}", at_key=True)
            if len(fitted) < fewest and not required:
                run.complain("empty", f"{run.field} wants at least {fewest} of {names(properties) or 'its fields'}")
            if most is not None and len(fitted) > most:
                run.complain("too-many", f"{run.field} takes {most} at most; it has {names(fitted)}")
            return fitted

        return check

    def _array(self, schema: Schema) -> Check:
        items = self.compile(schema.get("items", True))
        first = [self.compile(each) for each in schema.get("prefixItems", ())]
        fewest, most, unique = schema.get("minItems", 0), schema.get("maxItems"), schema.get("uniqueItems", False)

        def check(value: Any, run: Run) -> Any:
            fitted = []
            path = run.path
            for index, item in enumerate(value):
                path.append(index)
                fitted.append((first[index] if index < len(first) else items)(item, run))
                path.pop()
            if len(fitted) < fewest:
                entries = "one entry" if fewest == 1 else f"{fewest} entries"
                run.complain("empty", f"{run.field} wants at least {entries}")
            if most is not None and len(fitted) > most:
                run.complain("too-many", f"{run.field} takes {most} entries at most, not {len(fitted)}")
            if unique:
                seen: set[str] = set()
                for index, item in enumerate(fitted):
                    text = json.dumps(item, sort_keys=True)
                    if text in seen:
                        path.append(index)
                        run.complain("duplicate", f"{shown(item)} is given twice; keep one of them")
                        path.pop()
                    seen.add(text)
            return fitted

        return check


def _typed(types: tuple[str, ...], handlers: Mapping[str, Check], rules: tuple[Check, ...]) -> Check:
    allowed = frozenset(types) | ({"integer"} if "number" in types else set())

    def check(value: Any, run: Run) -> Any:
        kind = KINDS.get(value.__class__, "")
        if kind == "string" and run.placeholders is not None and run.placeholders.found(value):
            if run.judges and (complaint := run.placeholders.complain(value)) is not None:
                run.complain("bad-expression", complaint)
            return value
        if allowed and kind not in allowed:
            value, fits = _convert(value, kind, allowed)
            if not fits:
                wanted = " or ".join(WANTED[each] for each in types)
                run.complain("wrong-type", f"{run.field} wants {wanted}, not {shown(value)}")
                return value
            kind = KINDS[value.__class__]
        handler = handlers.get(kind)
        if handler is not None:
            value = handler(value, run)
        for rule in rules:
            value = rule(value, run)
        return value

    return check


def _convert(value: Any, kind: str, allowed: frozenset[str]) -> tuple[Any, bool]:
    if kind in {"integer", "number", "boolean"} and "string" in allowed:
        return as_text(value), True
    if kind == "number" and "integer" in allowed and value.is_integer() and abs(value) < 2**53:
        return int(value), True
    if kind == "string":
        if "boolean" in allowed and (truth := as_boolean(value)) is not None:
            return truth, True
        if "integer" in allowed and (number := as_number(value, whole="number" not in allowed)) is not None:
            return number, True
    return value, False


def _anything(value: Any, run: Run) -> Any:
    if run.placeholders is not None and run.judges:
        _check_placeholders(value, run, run.placeholders)
    return value


def _nothing(value: Any, run: Run) -> Any:
    run.complain("not-allowed", f"{run.field} may not be given")
    return value


def _check_placeholders(value: Any, run: Run, placeholders: Placeholders) -> None:
    if isinstance(value, str):
        if placeholders.found(value) and (complaint := placeholders.complain(value)) is not None:
            run.complain("bad-expression", complaint)
        return
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in entries:
        run.path.append(step)
        _check_placeholders(item, run, placeholders)
        run.path.pop()


def _check_name(check: Check, key: str, run: Run) -> None:
    attempt = run.attempt()
    attempt.path = [*run.path, key]
    check(key, attempt)
    run.misfits += [Misfit(each.path, each.code, each.message, True) for each in attempt.misfits]


def _unknown_key(key: str, known: Mapping[str, Any], run: Run) -> None:
    near = run.closest(key, known)
    hint = near or (f"; known here: {names(known)}" if known else "; nothing is expected here")
    run.path.append(key)
    run.complain("unknown-key", f"unknown key `{key[:60]}`{hint}", at_key=True)
    run.path.pop()


def _takes_null(schema: Schema | bool) -> bool:
    """Whether null is a value here and not just "not given"."""
    if isinstance(schema, bool):
        return schema
    types = schema.get("type")
    if types is None:
        return not schema.keys() & {"$ref", "anyOf", "oneOf", "allOf", "enum", "const", "properties"}
    return "null" in ([types] if isinstance(types, str) else types)

"""From what `jsonschema` finds to problems a device maker can act on.

The validator here is draft 2020-12 with DTDL's stricter idea of numbers: an integer is a token without fraction
or exponent (JSON Schema takes 1.0), a number is finite, and neither is a boolean.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from typing import Any

from .accept import is_closed, is_integer, is_number, is_unsigned
from .formats import FORMATS
from .problem import Problem
from .schema import JsonSchema
from .text import describe, pointer_of, quote

_IN_QUOTES = re.compile(r"[-+]?\d+([.,]\d+)?([eE][-+]?\d+)?|true|false", re.IGNORECASE)
"""Texts of which it is the quotes that are wrong."""
MOST_PROBLEMS = 50
"""A payload of a hundred thousand wrong elements needs no hundred thousand sentences."""


def validator(schema: JsonSchema) -> Any:
    """A `jsonschema` validator for `schema`, one that `json_schema` made."""
    return _validator_class()(schema, format_checker=_format_checker())


def problems(checker: Any, value: object) -> list[Problem]:
    """What `checker` (from `validator`) finds wrong with `value`: at most `MOST_PROBLEMS`, in document order."""
    found: dict[tuple[str, str], Problem] = {}
    mistyped: set[str] = set()
    for error in islice(_flat(checker.iter_errors(value)), 2 * MOST_PROBLEMS):
        place = pointer_of(error.absolute_path)
        if error.validator == "type":
            mistyped.add(place)
        for problem in _EXPLAIN.get(error.validator, _other)(place, error):
            found.setdefault((problem.pointer, problem.code), problem)
    kept = (each for each in found.values() if each.pointer not in mistyped or each.code in ("type", "null"))
    return list(islice(kept, MOST_PROBLEMS))


def near(name: str, names: list[str]) -> str | None:
    """The name of `names` that was probably meant: equal but for case or separators, or close in spelling."""
    folded = {_fold(each): each for each in reversed(names)}
    close = get_close_matches(_fold(name), list(folded), n=1, cutoff=0.8)
    return folded.get(_fold(name)) or (folded[close[0]] if close else None)


def _fold(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "")


def _flat(errors: Iterator[Any]) -> Iterator[Any]:
    """The options of a nullable payload fail together: only the one that is not `null` says something."""
    for error in errors:
        if error.validator == "anyOf":
            yield from (each for each in error.context if each.validator_value != "null")
        else:
            yield error


def _type(place: str, error: Any) -> Iterator[Problem]:
    expected, value = _expected(error), error.instance
    if value is None:
        message = f"{_subject(place)} is null; the model declares {expected}. Leave it out where there is no value."
        yield Problem(place, "null", message, expected, "null")
        return
    hint = _enum_hint(error)
    if not hint and isinstance(value, str) and error.validator_value in ("integer", "number", "boolean"):
        hint = " Send the value without quotes." if _IN_QUOTES.fullmatch(value.strip()) else ""
    elif error.validator_value == "integer" and isinstance(value, float) and value.is_integer():
        hint = f" Send {int(value)}." if abs(value) < 2**64 else ""
    elif error.validator_value == "string" and is_integer(value) and error.schema.get("format") == "date-time":
        hint = " An epoch number is no dateTime."
    yield _problem(place, "type", error, hint)


def _range(place: str, error: Any) -> Iterator[Problem]:
    yield _problem(place, "range", error)


def _size(place: str, error: Any) -> Iterator[Problem]:
    yield _problem(place, "size", error)


def _format(place: str, error: Any) -> Iterator[Problem]:
    code = "range" if error.validator_value == "unsigned" else "format"
    yield _problem(place, code, error, _format_hint(error.validator_value, error.instance))


def _format_hint(name: str, value: object) -> str:
    test = FORMATS.get(name)
    if test is None or not isinstance(value, str):
        return ""
    if name in ("date-time", "time"):
        if test(value + "Z"):
            return " The offset is missing: append Z or +hh:mm."
        if test(value.replace(" ", "T", 1)):
            return " Date and time are joined by the letter T."
    if name == "base64" and test(value + "=" * (-len(value) % 4)):
        return " The padding (=) is missing."
    return ""


def _enum(place: str, error: Any) -> Iterator[Problem]:
    yield _problem(place, "enum", error, _enum_hint(error))


def _enum_hint(error: Any) -> str:
    names = error.schema.get("x-enumNames", [])
    if not isinstance(error.instance, str) or error.instance not in names:
        return ""
    value = error.schema["enum"][names.index(error.instance)]
    return f" That is the name of an enum value; send the value {describe(value)}."


def _undeclared(place: str, error: Any) -> Iterator[Problem]:
    declared = list(error.schema.get("properties", {}))
    for name in error.instance:
        if name not in error.schema.get("properties", {}):
            meant = near(name, declared)
            hint = f" Did you mean {quote(meant)}?" if meant else ""
            yield Problem(
                place + pointer_of([name]),
                "undeclaredField",
                f"{_subject(place)} has the field {quote(name)}, which the model does not declare.{hint}",
                _expected(error),
                quote(name),
            )


def _missing(place: str, error: Any) -> Iterator[Problem]:
    for name in error.validator_value:
        if name not in error.instance:
            yield Problem(
                place + pointer_of([name]),
                "missingField",
                f"{_subject(place)} lacks the required field {quote(name)}.",
                f"the field {quote(name)}",
                describe(error.instance),
            )


def _other(place: str, error: Any) -> Iterator[Problem]:
    yield _problem(place, str(error.validator), error)


def _problem(place: str, code: str, error: Any, hint: str = "") -> Problem:
    expected, actual = _expected(error), describe(error.instance)
    return Problem(
        place, code, f"{_subject(place)} is {actual}; the model declares {expected}.{hint}", expected, actual
    )


def _expected(error: Any) -> str:
    return str(error.schema.get("title", "another value"))


def _subject(place: str) -> str:
    return place or "The value"


_EXPLAIN: dict[str, Callable[[str, Any], Iterator[Problem]]] = {
    "type": _type,
    "minimum": _range,
    "maximum": _range,
    "exclusiveMinimum": _range,
    "exclusiveMaximum": _range,
    "format": _format,
    "enum": _enum,
    "minItems": _size,
    "maxItems": _size,
    "additionalProperties": _undeclared,
    "required": _missing,
}


@lru_cache(maxsize=1)
def _validator_class() -> Any:
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    types = Draft202012Validator.TYPE_CHECKER.redefine_many(
        {"integer": lambda _, value: is_integer(value), "number": lambda _, value: is_number(value)}
    )
    return extend(Draft202012Validator, type_checker=types)


@lru_cache(maxsize=1)
def _format_checker() -> Any:
    from jsonschema import FormatChecker

    checker = FormatChecker(formats=())
    for name, test in FORMATS.items():
        checker.checks(name)(_for_text(test))
    checker.checks("unsigned")(is_unsigned)
    checker.checks("closedRing")(is_closed)
    return checker


def _for_text(test: Callable[[str], bool]) -> Callable[[object], bool]:
    return lambda value: not isinstance(value, str) or test(value)

"""What the query language does with values: comparing them, asking about them, adding them up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


class _Undefined:
    def __repr__(self) -> str:
        return "UNDEFINED"


UNDEFINED: Any = _Undefined()
"""What a member is that a document does not have."""


def kind(value: Any) -> str:
    """Return which kind of JSON value it is; true and 1 are of different kinds."""
    if value is UNDEFINED:
        return "undefined"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, str):
        return "string"
    return "object" if isinstance(value, Mapping) else "array"


def compare(left: Any, right: Any, equal: bool) -> Any:
    """Return whether the two are equal, or differ. Values of different kinds differ."""
    if left is UNDEFINED or right is UNDEFINED:
        return UNDEFINED
    return (kind(left) == kind(right) and left == right) == equal


def order(left: Any, right: Any, sign: str) -> Any:
    """Return left < right, and so on. Only two numbers or two strings have an order."""
    kinds = {kind(left), kind(right)}
    if len(kinds) != 1 or not kinds <= {"number", "string"}:
        return UNDEFINED
    below, same = left < right, left == right
    return {"<": below, "<=": below or same, ">": not below and not same, ">=": not below}[sign]


def negate(value: Any) -> Any:
    return (not value) if isinstance(value, bool) else UNDEFINED


def _is(*kinds: str) -> Callable[[Any], bool]:
    return lambda value: kind(value) in kinds


def _of_texts(function: Callable[[str, str], bool]) -> Callable[[Any, Any], Any]:
    return lambda one, other: function(one, other) if isinstance(one, str) and isinstance(other, str) else UNDEFINED


def _of_text(function: Callable[[str], Any]) -> Callable[[Any], Any]:
    return lambda value: function(value) if isinstance(value, str) else UNDEFINED


_starts, _ends = _of_texts(str.startswith), _of_texts(str.endswith)
FUNCTIONS: dict[str, tuple[int, Callable[..., Any]]] = {
    "is_defined": (1, lambda value: value is not UNDEFINED),
    "is_null": (1, _is("null")),
    "is_bool": (1, _is("bool")),
    "is_number": (1, _is("number")),
    "is_string": (1, _is("string")),
    "is_object": (1, _is("object")),
    "is_array": (1, _is("array")),
    "is_primitive": (1, _is("null", "bool", "number", "string")),
    "starts_with": (2, _starts),
    "startswith": (2, _starts),
    "ends_with": (2, _ends),
    "endswith": (2, _ends),
    "contains": (2, _of_texts(lambda one, other: other in one)),
    "lower": (1, _of_text(str.lower)),
    "upper": (1, _of_text(str.upper)),
    "length": (1, _of_text(len)),
}
"""Functions by name: how many arguments, and what they give."""


def _numbers(values: Sequence[Any]) -> list[Any]:
    return [value for value in values if kind(value) == "number"]


def _average(values: Sequence[Any]) -> Any:
    numbers = _numbers(values)
    return sum(numbers) / len(numbers) if numbers else UNDEFINED


def _extreme(pick: Callable[[Sequence[Any]], Any]) -> Callable[[Sequence[Any]], Any]:
    return lambda values: pick(_numbers(values)) if _numbers(values) else UNDEFINED


AGGREGATES: dict[str, Callable[[Sequence[Any]], Any]] = {
    "count": lambda values: sum(value is not UNDEFINED for value in values),
    "sum": lambda values: sum(_numbers(values)),
    "avg": _average,
    "min": _extreme(min),
    "max": _extreme(max),
}

"""From the bytes of a payload to a value, with the checks that no JSON Schema can make any more afterwards."""

from __future__ import annotations

from typing import NamedTuple

from .problem import Problem
from .strict import Fault, NotStrict, read

MAX_DEPTH = 64
"""Levels of arrays and objects; what System.Text.Json, and so the reference parser, reads by default."""


class Decoded(NamedTuple):
    """`value` where `problems` is empty, else None and what is wrong with the bytes.

    Number tokens keep their kind: without fraction or exponent an `int`, otherwise a `float` (infinite where the
    token exceeds double precision).
    """

    value: object
    problems: tuple[Problem, ...]


def decode(raw: bytes | str) -> Decoded:
    """The JSON value in `raw` (strict UTF-8, no byte order mark, one JSON text, finite numbers, unique names, at
    most `MAX_DEPTH` levels), or the problems that keep it from being one. Raises nothing."""
    try:
        return Decoded(read(raw, MAX_DEPTH)[1], ())
    except NotStrict as refused:
        return Decoded(None, tuple(map(_problem, refused.faults)))


def _problem(fault: Fault) -> Problem:
    return Problem(fault.pointer, fault.code, f"The payload {fault.sentence}", fault.expected, fault.actual)

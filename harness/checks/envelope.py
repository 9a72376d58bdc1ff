"""What a device reports of a writable property: the value in an envelope with `ac`, `av` and perhaps `ad` (IoT Plug and
Play conventions, Properties). Every question about its shape is answered here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MARKER = "__t"
"""A component is marked `"__t": "c"` in a twin (IoT Plug and Play conventions, Properties)."""

ACCEPTED, IN_PROGRESS, OWN_VALUE, REJECTED, FAILED = 200, 202, 203, 400, 500
"""`ac` codes of the conventions: accepted, accepted but not yet done, set by the device itself, rejected, failed."""

MEMBERS = frozenset({"value", "ac", "av"})
"""What an acknowledgement has to have."""
_KNOWN = MEMBERS | {"ad"}
_CODES = frozenset({"ac", "av"})


def is_complete(value: Any) -> bool:
    """Whether it is an object with all that an acknowledgement has to have."""
    return isinstance(value, Mapping) and value.keys() >= MEMBERS


def has_codes(value: Any) -> bool:
    """Whether it is an object with code and version, whatever its value."""
    return isinstance(value, Mapping) and value.keys() >= _CODES


def is_envelope(value: Any) -> bool:
    """Whether a service takes it for an envelope: an object with a value, and with a code or a version."""
    return isinstance(value, Mapping) and "value" in value and not _CODES.isdisjoint(value)


def may_be_envelope(value: Any) -> bool:
    """Whether it is an object with a value and nothing that an envelope has not, though it may lack something."""
    return isinstance(value, Mapping) and "value" in value and value.keys() <= _KNOWN


def bare(value: Any) -> Any:
    """The value within, where it is an envelope; else itself."""
    return value["value"] if is_envelope(value) else value


def code_of(value: Any) -> Any:
    """`ac`; None where there is none."""
    return value.get("ac") if isinstance(value, Mapping) else None


def answers(value: Any, version: int | None) -> bool:
    """Whether it names this version as the one that it answers."""
    return isinstance(value, Mapping) and value.get("av") == version


def is_own(value: Any) -> bool:
    """Whether it is a value that nobody desired."""
    return code_of(value) == OWN_VALUE and answers(value, 0)


def example(version: object, value: str = "...", code: int = ACCEPTED) -> str:
    """How an envelope is written; `value` is JSON."""
    return f'{{"value": {value}, "ac": {code}, "av": {version}}}'

"""Reading, through Proton, what the peer wrote.

Proton decodes on demand, fails as Python happens to fail, and hands out binary values as views of memory that
goes with the object they were read from.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from proton import Described, ProtonException

T = TypeVar("T")

_FAILURES = (ProtonException, ValueError, TypeError, LookupError, OverflowError, RecursionError)
"""Texts that are no UTF-8, characters beyond Unicode, lists as keys, nesting without end."""


class Unreadable(ValueError):
    """The peer sent something that does not decode."""


def reading(read: Callable[[], T]) -> T:
    """Call a function that does nothing but read. Raises Unreadable."""
    try:
        return read()
    except _FAILURES as error:
        raise Unreadable(f"data that cannot be read: {type(error).__name__}: {error}") from None


def owned(value: Any) -> Any:
    """Return the value with every binary part copied; call it while its source is still there."""
    if isinstance(value, memoryview | bytearray):
        return bytes(value)
    if isinstance(value, list):
        return [owned(item) for item in value]
    if isinstance(value, dict):
        return {owned(key): owned(item) for key, item in value.items()}
    if isinstance(value, Described):
        return Described(owned(value.descriptor), owned(value.value))
    return value

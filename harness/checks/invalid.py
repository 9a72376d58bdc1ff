"""Which invalid values a device is tried with: plainly wrong ones, which no lenient reader could take for right.

Left out is what somebody may legitimately take: `1.0` for 1, a date without seconds, an object with a field more or
less, `{"value": x}` (which Azure's page on payloads shows), null (which deletes in a twin), what a twin itself refuses.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from harness.dtdl import Capability, NotInstantiable, invalid_samples, sample
from harness.dtdl.model import Element

MOST = 3
"""Values for each element: what one of them does not show, the next hardly does."""
_SURPRISE = {"preflightUnexpected": True}
"""What is sent with a command that takes no request."""
_TWIN_INTEGER = 2**52
_TWIN_TEXT = 4096
_LENIENT = ("fraction", "seconds are missing", "offset is missing", "leap second", "space in place", "hour 24", "weeks")
"""Words of reasons for which a lenient reader is not to blame."""


def invalid_values(capability: Capability) -> list[Any]:
    """Invalid values of a writable property that a twin carries, at most `MOST`."""
    if capability.schema is None:
        return []
    valid = _sample(capability.element)
    found = (value for why, value in _candidates(capability.element) if _plain(why, value, valid) and _fits_twin(value))
    return _spread(found)


def invalid_requests(capability: Capability) -> list[Any]:
    """Invalid requests of a command, at most `MOST`; None stands for an empty one. What comes with a command that takes
    none is not invalid, but it may surprise.
    """
    request = capability.request
    if request is None:
        return [_SURPRISE]
    valid = _sample(request)
    found = _spread(value for why, value in _candidates(request) if _plain(why, value, valid) and _finite(value))
    return found if request.get("nullable") is True else [*found[: MOST - 1], None]


def _candidates(element: Element) -> Iterator[tuple[str, Any]]:
    try:
        yield from invalid_samples(element)
    except NotInstantiable:
        return


def _sample(element: Element) -> Any:
    try:
        return sample(element)
    except NotInstantiable:
        return None


def _spread(values: Iterator[Any]) -> list[Any]:
    """The first of each JSON type, then others; equal ones once."""
    pool: list[Any] = []
    for value in values:
        if not any(type(each) is type(value) and each == value for each in pool):
            pool.append(value)
    firsts: dict[type, Any] = {}
    for value in pool:
        firsts.setdefault(type(value), value)
    chosen = list(firsts.values())
    chosen += [v for v in pool if not any(v is c for c in chosen)]
    return chosen[:MOST]


def _plain(why: str, value: Any, valid: Any) -> bool:
    if value is None or any(word in why for word in _LENIENT):
        return False
    if isinstance(value, Mapping):
        return isinstance(valid, Mapping) and value.keys() == valid.keys() and None not in value.values()
    return True


def _finite(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(map(_finite, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(_finite, value))
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, int) or abs(value) <= 2**63


def _fits_twin(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(map(_fits_twin, value.values()))
    if isinstance(value, (list, tuple)):
        return False  # older hubs refuse arrays in twins
    if isinstance(value, str):
        return len(value.encode("utf-8", "replace")) <= _TWIN_TEXT
    if isinstance(value, int):
        return -_TWIN_INTEGER <= value < _TWIN_INTEGER
    return not isinstance(value, float) or math.isfinite(value)

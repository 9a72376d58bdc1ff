"""What IoT Hub carries: sizes and shapes of messages and twins, and sample values that keep to them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from harness.dtdl import Element, samples

MESSAGE_BYTES = 4096
"""Telemetry bodies are kept within one metering block of IoT Hub (the hard limit is 256 KB)."""

TWIN_KEY_BYTES = 1024
TWIN_STRING_BYTES = 4096
TWIN_DEPTH = 7
"""Levels within a property value: a twin has ten, and component, property and `value` take three."""

TWIN_INTEGERS = range(-(2**52), 2**52)
"""IoT Hub developer guide, "Device twins": integers between -4503599627370496 and 4503599627370495."""


def encode(value: object) -> bytes:
    """JSON as devices send it: UTF-8, compact."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def pack(values: Mapping[str, object], limit: int = MESSAGE_BYTES) -> Iterator[dict[str, object]]:
    """Divide named values into bodies of at most `limit` bytes; a single larger value stands alone."""
    body: dict[str, object] = {}
    for name, value in values.items():
        if body and len(encode({**body, name: value})) > limit:
            yield body
            body = {}
        body[name] = value
    if body:
        yield body


def fits_twin(value: object, depth: int = TWIN_DEPTH) -> bool:
    """Whether a twin can hold `value` as (part of) a property (IoT Hub developer guide, "Device twins")."""
    if isinstance(value, str):
        return len(value.encode("utf-8", "replace")) <= TWIN_STRING_BYTES
    if isinstance(value, int):
        return value in TWIN_INTEGERS
    if isinstance(value, Mapping):
        return depth > 0 and all(_fits_key(k) and fits_twin(v, depth - 1) for k, v in value.items())
    if isinstance(value, list):
        return depth > 0 and all(fits_twin(item, depth - 1) for item in value)
    return True


def twin_sample(element: Element, seed: str) -> object:
    """A valid value of a property that fits a twin. ValueError where none of many samples does."""
    for value in samples(element, seed=seed, count=50, twin=True):
        if fits_twin(value):
            return value
    raise ValueError("none of its sample values fits a twin")


def _fits_key(key: str) -> bool:
    forbidden = any(c in ".$ " or c <= "\x1f" or "\x7f" <= c <= "\x9f" for c in key)
    return not forbidden and 0 < len(key.encode("utf-8", "replace")) <= TWIN_KEY_BYTES

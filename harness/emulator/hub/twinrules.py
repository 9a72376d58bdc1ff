"""What a twin may hold (iot-hub-devguide-device-twins, "Tags and properties format" and "Limits")."""

from __future__ import annotations

from typing import Any

from harness.emulator.errors import ServiceError

MAX_DEPTH = 10
MAX_KEY = 1024
"""Bytes of UTF-8."""
MAX_STRING = 4096
"""Bytes of UTF-8."""
MIN_INTEGER, MAX_INTEGER = -4_503_599_627_370_496, 4_503_599_627_370_495
"""Signed 53 bits, less than JSON's own safe range."""
MAX_SECTION = 32 * 1024
"""Desired and reported each, as `size_of` counts."""
MAX_TAGS = 8 * 1024


def check_document(document: Any, what: str) -> dict[str, Any]:
    """Return a patch or document that keeps the rules. Raises ServiceError 400004 with the path of the first
    breach.
    """
    if not isinstance(document, dict):
        raise ServiceError(400004, f"{what} must be a JSON object")
    _check_object(document, what, 0)
    return document


def check_size(document: Any, limit: int, what: str) -> None:
    """Raises ServiceError 403100 when the document is larger than the limit in bytes."""
    size = size_of(document)
    if size > limit:
        # Seen from a hub in 2023 (Azure/iotedge#7035); the published list has the number for models.
        raise ServiceError(403100, f"{what} would be {size} bytes; it must be less than or equal to {limit}")


def size_of(value: Any) -> int:
    """Return the size Azure counts: keys and strings in UTF-8 without control characters, numbers 8, booleans
    4.
    """
    if isinstance(value, dict):
        return sum(_text_size(key) + size_of(item) for key, item in value.items())
    if isinstance(value, list):
        return sum(map(size_of, value))
    if isinstance(value, str):
        return _text_size(value)
    if isinstance(value, bool):
        return 4
    return 8 if value is not None else 0


def _text_size(text: str) -> int:
    return len(text.encode()) - sum(is_control(c) for c in text if c < "\u00a0")


def is_control(character: str) -> bool:
    """C0 and C1 control characters and DEL."""
    return character < " " or "\u007f" <= character < "\u00a0"


def _check_object(document: dict[str, Any], path: str, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise ServiceError(400004, f"{path} is nested deeper than {MAX_DEPTH} levels")
    for key, value in document.items():
        _check_key(key, path)
        _check_value(value, f"{path}.{key}", depth)


def _check_key(key: str, path: str) -> None:
    if not key or len(key.encode()) > MAX_KEY:
        raise ServiceError(400004, f"a key in {path} is empty or longer than {MAX_KEY} bytes")
    if any(c in ".$ " or is_control(c) for c in key):
        raise ServiceError(400004, f"the key {key!r} in {path} has a '.', '$', space or control character")


def _check_value(value: Any, path: str, depth: int) -> None:
    if isinstance(value, dict):
        _check_object(value, path, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check_value(item, path, depth + 1)
    elif isinstance(value, str):
        if len(value.encode()) > MAX_STRING:
            raise ServiceError(400004, f"the string at {path} is longer than {MAX_STRING} bytes")
    elif isinstance(value, int) and not isinstance(value, bool) and not MIN_INTEGER <= value <= MAX_INTEGER:
        raise ServiceError(400004, f"the integer at {path} is outside {MIN_INTEGER}…{MAX_INTEGER}")

"""JSON as strangers send it: strict UTF-8, one text, no NaN, no lone surrogates, and never an exception but
ValueError.
"""

from __future__ import annotations

import json
from typing import Any


class InvalidJson(ValueError):
    """The bytes are not one JSON text in UTF-8."""


def load(data: bytes) -> Any:
    """Decode one JSON text. Raises InvalidJson."""
    try:
        value = json.loads(data.decode(), parse_constant=_no_constant)
        if b"\\u" in data:  # an escape may smuggle in half a surrogate pair, which nothing can encode again
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise InvalidJson("nested too deeply") from None
    except (ValueError, UnicodeError) as error:
        raise InvalidJson(str(error)) from None
    return value


def dump(value: Any) -> bytes:
    """Encode compactly."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")

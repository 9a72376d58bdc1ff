"""JSON as strangers send it: strict UTF-8, one text, no NaN, no infinity, no lone surrogates, no bottomless nesting,
and never an exception but ValueError.
"""

from __future__ import annotations

import json
import math
from typing import Any

MAX_NESTING = 128
"""Objects and arrays in one another. Whoever walks a value afterwards may do it by recursion."""


class InvalidJson(ValueError):
    """The bytes are not one JSON text in UTF-8."""


def load(data: bytes) -> Any:
    """Decode one JSON text. Raises InvalidJson."""
    try:
        value = json.loads(data.decode(), parse_constant=_no_constant, parse_float=_finite)
        if b"\\u" in data:  # an escape may smuggle in half a surrogate pair, which nothing can encode again
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise InvalidJson("nested too deeply") from None
    except (ValueError, UnicodeError) as error:
        raise InvalidJson(str(error)) from None
    if data.count(b"[") + data.count(b"{") > MAX_NESTING and _depth(value) > MAX_NESTING:
        raise InvalidJson(f"nested deeper than {MAX_NESTING} levels")
    return value


def dump(value: Any) -> bytes:
    """Encode compactly."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):  # it could only be written again as `Infinity`, which no SDK reads
        raise ValueError(f"the number {text[:40]} is larger than any double")
    return number


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level := [one for one in level if isinstance(one, (dict, list))]:
        depth += 1
        level = [item for one in level for item in (one.values() if isinstance(one, dict) else one)]
    return depth

"""How much text an Interface takes: DTDL v3 and v4 limit it (specification, "Interface", "Limits and exclusions").

Counted are the bytes of the shortest way to write it, without blanks between tokens: where a model comes from, how it
was indented is often not known any more. Interfaces written inside it count for themselves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Set

from harness.dtdl.metamodel.core import LIMITS

LONG_TEXT = min(row.interface_bytes for row in LIMITS.values() if row.interface_bytes is not None) // 4
"""Documents up to this many characters need no counting: a character takes four bytes at most."""


def exceeds(source: Mapping[str, object], limit: int, others: Set[int]) -> bool:
    """Whether the text of an Interface takes more bytes than `limit`; `others` are the `id` of Interfaces inside it."""
    total = 0
    stack: list[object] = [source]
    while stack and total <= limit:
        value = stack.pop()
        if isinstance(value, dict):
            total += sum(map(_text_bytes, value)) + 2 * len(value) + 1
            stack += (part for part in value.values() if id(part) not in others)
        elif isinstance(value, list):
            total += len(value) + 1
            stack += (part for part in value if id(part) not in others)
        else:
            total += _text_bytes(value)
    return total > limit


_as_text = json.JSONEncoder(ensure_ascii=False).encode


def _text_bytes(value: object) -> int:
    return len(_as_text(value).encode("utf-8", "surrogatepass"))

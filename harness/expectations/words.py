"""Words for what a person wrote wrongly: the nearest known one, and the value as it was written."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable

_SHOWN = 60
"""Characters of a wrong value that a message repeats."""


def nearest(word: str, known: Iterable[str]) -> str:
    """`` (did you mean `x`?)`` with the known word next to this one; empty where none is near."""
    folded = {each.replace("_", "-").lower(): each for each in known}
    close = difflib.get_close_matches(word.replace("_", "-").lower(), folded, n=1, cutoff=0.5)
    return f" (did you mean `{folded[close[0]]}`?)" if close else ""


def shown(value: object) -> str:
    """A value as JSON, cut where it is long."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):
        text = str(type(value).__name__)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"

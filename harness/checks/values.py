"""How values are shown in findings, and what a string that holds JSON would have been."""

from __future__ import annotations

import json
from typing import Any

from harness.checks.envelope import may_be_envelope
from harness.dtdl import check_value, decode
from harness.dtdl.model import Element

_SHOWN = 200


def shown(value: Any) -> str:
    """A value as JSON, at most `_SHOWN` characters of it."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def hint(element: Element, value: Any) -> str:
    """A sentence, with a space before it, about what was plainly meant by a value that does not fit; else empty."""
    return in_quotes(element, value) or _wrapped(element, value)


def _wrapped(element: Element, value: Any) -> str:
    if not may_be_envelope(value) or check_value(element, value["value"]):
        return ""
    return " The bare value would fit: it is wrapped in an object, as only acknowledgements of writable properties are."


def in_quotes(element: Element, value: Any) -> str:
    """A sentence about what a string holds, where it is JSON: serialised twice, and maybe wrong inside as well."""
    if not isinstance(value, str):
        return ""
    inner, problems = decode(value)
    if problems or isinstance(inner, str):
        return ""
    wrong = check_value(element, inner)
    if not wrong:
        return " The string holds JSON that would fit: it was serialised twice."
    at = f" at {wrong[0].pointer}" if wrong[0].pointer else ""
    return f" The string holds JSON, which was serialised twice and does not fit either{at}: {wrong[0].message}"

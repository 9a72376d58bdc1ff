"""Times as Azure's texts write them, read back."""

from __future__ import annotations

import re
from datetime import datetime, timezone

_TEXT = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|\+00:00)")


def parse(text: str) -> float | None:
    """Return a UTC time (RFC 3339 with Z, or with +00:00) as Unix seconds; None for any other text."""
    found = _TEXT.fullmatch(text)
    if found is None:
        return None
    numbers = [int(part) for part in found.groups()[:6]]
    fraction = float(f"0.{found[7]}") if found[7] else 0.0
    try:
        moment = datetime(*numbers, tzinfo=timezone.utc)  # type: ignore[misc,arg-type]
    except ValueError:
        return None
    return moment.timestamp() + fraction

"""The text forms that JSON Schema leaves to its formats: dates, times, durations, base64, decimals, UUIDs.

Each test takes a string and says whether it has the form that DTDL gives the schema of that name:
RFC 3339 for `date`, `dateTime` and `time` (ASCII digits, `T` and `Z` in upper case, offset mandatory, no leap
second, no 24:00), ISO 8601 for `duration` (unsigned; only the last component may have a fraction; weeks go with
days and times but not with years and months), RFC 4648 section 4 for `bytes`, RFC 9562's text form for `uuid`.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Mapping

_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]+)?(?:Z|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(_CLOCK)
_TIME_OF_DATE = re.compile("T" + _CLOCK)
_BYTES = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_DECIMAL = re.compile(r"[+-]?(?:0|[1-9][0-9]*)(?:\.[0-9]*)?")
_UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}")
_WHOLE_DURATION = re.compile(
    r"P(?=[0-9T])(?:(?:[0-9]+Y)?(?:[0-9]+M)?|(?:[0-9]+W)?)(?:[0-9]+D)?"
    r"(?:T(?=[0-9])(?:[0-9]+H)?(?:[0-9]+M)?(?:[0-9]+S)?)?"
)
_LAST_FRACTION = re.compile(r"\.[0-9]+(?=[YMWDHS]\Z)")


def is_date(text: str) -> bool:
    """A day of the calendar, years 0001 to 9999."""
    match = _DATE.fullmatch(text)
    if match is None:
        return False
    year, month, day = map(int, match.groups())
    return year > 0 and 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]


def is_date_time(text: str) -> bool:
    return is_date(text[:10]) and _TIME_OF_DATE.fullmatch(text, 10) is not None


def is_time(text: str) -> bool:
    return _TIME.fullmatch(text) is not None


def is_duration(text: str) -> bool:
    return _WHOLE_DURATION.fullmatch(_LAST_FRACTION.sub("", text, count=1)) is not None


def is_base64(text: str) -> bool:
    return _BYTES.fullmatch(text) is not None


def is_decimal(text: str) -> bool:
    return _DECIMAL.fullmatch(text) is not None


def is_uuid(text: str) -> bool:
    return _UUID.fullmatch(text) is not None


FORMATS: Mapping[str, Callable[[str], bool]] = {
    "date": is_date,
    "date-time": is_date_time,
    "time": is_time,
    "duration": is_duration,
    "base64": is_base64,
    "decimal": is_decimal,
    "uuid": is_uuid,
}
"""By the name used in `format`."""

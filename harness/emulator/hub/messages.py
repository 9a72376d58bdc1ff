"""What a message may be, to the device or from it: its size, its identifier, its system properties
(iot-hub-devguide-messages-construct).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from harness.emulator import times
from harness.emulator.errors import ServiceError

MAX_ID = 128
_ID = re.compile(rf"[A-Za-z0-9\-:.+%_#*?!(),=@;$']{{1,{MAX_ID}}}")
CREATION_TIME = "iothub-creation-time-utc"


def size_of(payload: bytes, system: Mapping[str, str | None], properties: Mapping[str, str | None]) -> int:
    """Return the bytes Azure counts: the body, values of system properties, names and values of the others."""
    return len(payload) + properties_size(system, properties)


def properties_size(system: Mapping[str, str | None], properties: Mapping[str, str | None]) -> int:
    """Return the part of `size_of` that the properties make."""
    size = sum(len(value.encode()) for value in system.values() if value)
    return size + sum(len(name.encode()) + len((value or "").encode()) for name, value in properties.items())


def problem(system: Mapping[str, str | None], properties: Mapping[str, str | None]) -> str:
    """Return which rule the properties break, in words; empty when they keep them all."""
    value = system.get("mid")
    if value and not _ID.fullmatch(value):
        return f"the message id is longer than {MAX_ID} characters or has one outside A-Z a-z 0-9 - : . + % _ # * ? …"
    created = properties.get(CREATION_TIME, system.get("ctime"))
    if created and times.parse(created) is None:
        return f"{CREATION_TIME} is not a UTC time with Z: {created!r}"
    return ""


def check(system: Mapping[str, str | None], properties: Mapping[str, str | None]) -> None:
    """Raises ServiceError 400004."""
    found = problem(system, properties)
    if found:
        raise ServiceError(400004, found)

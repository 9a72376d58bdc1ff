"""Which node a link is for, read from the address of its source or target."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from urllib.parse import unquote

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://[^/]*", re.IGNORECASE)
_MAX = 2048


class Node(Enum):
    CBS = "$cbs"
    MANAGEMENT = "$management"
    EVENTS = "events"
    HUB_EVENTS = "messages/events"
    DEVICE_BOUND = "messages/devicebound"
    FEEDBACK = "messages/servicebound/feedback"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Address:
    """`path` is without scheme and host. `rest` is what follows `messages/events`; the others are of EVENTS."""

    node: Node
    path: str
    entity: str = ""
    group: str = ""
    partition: str = ""
    rest: str = ""


def parse_address(text: str | None) -> Address:
    """Read `amqps://host/path`, `/path` or `path`; names of nodes in any case."""
    path = _SCHEME.sub("", (text or "")[:_MAX], count=1).strip("/")
    segments = [unquote(segment) for segment in path.split("/")]
    lower = [segment.lower() for segment in segments]
    if lower == ["$cbs"]:
        return Address(Node.CBS, path)
    if lower[-1] == "$management" and lower[:2] != ["messages", "events"]:
        return Address(Node.MANAGEMENT, path)
    if lower[:2] == ["messages", "events"]:
        return Address(Node.HUB_EVENTS, path, rest="/".join(segments[2:]))
    if lower in (["messages", "devicebound"], ["messages", "servicebound", "feedback"]):
        return Address(Node(path.lower()), path)
    if len(segments) == 5 and lower[1::2] == ["consumergroups", "partitions"]:
        return Address(Node.EVENTS, path, segments[0], segments[2], segments[4])
    return Address(Node.UNKNOWN, path, segments[0])

"""The expectations as data, by element path (`thermostat1.temperature`)."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final


class Absent(Enum):
    """The type of `ABSENT`: nothing was said, where null would be a value."""

    ABSENT = "absent"


ABSENT: Final = Absent.ABSENT


NOT_IMPLEMENTED: Final = "not implemented, as preflight.toml says"
NOT_JUDGED: Final = "not judged, as preflight.toml (judged = false) or the test-case file (shouldValidate = false) says"


class When(str, Enum):
    """When a command is invoked: among the others, after everything else (it disturbs them), or never."""

    NORMAL = "normal"
    LAST = "last"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Telemetry:
    """`interval`: seconds between two messages; `tolerance`: the share of it that a gap may be longer or shorter.

    `count`: how many messages are waited for. `trigger`: what a person has to do for it to be sent. `required`:
    that it is not seen is a failure and not a warning. `minimum` and `maximum` bound numbers. `expected` is a value
    that one message at least must have. `judged` false: it is left alone, and its case is skipped.
    """

    implemented: bool = True
    judged: bool = True
    interval: float | None = None
    tolerance: float = 0.5
    count: int = 1
    timeout: float | None = None
    trigger: str = ""
    required: bool = False
    expected: Any = ABSENT
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class Property:
    """`values` are set, in this order, in place of samples; `reported` is the value the device must report.

    `negative`: whether invalid values may be set as well. `timeout` in seconds. `judged` as for telemetry.
    """

    implemented: bool = True
    judged: bool = True
    values: tuple[Any, ...] = ()
    reported: Any = ABSENT
    timeout: float | None = None
    required: bool = True
    negative: bool = True
    minimum: float | None = None
    maximum: float | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """`payload` is sent in place of a sample, `response` is what must come back, `statuses` those that are right.

    Commands of lower `priority` are invoked first. `negative`: whether invalid requests may be sent as well.
    `restarts`: the device is expected to disconnect and come back (a reboot). `judged` as for telemetry.
    """

    implemented: bool = True
    judged: bool = True
    when: When = When.NORMAL
    payload: Any = ABSENT
    response: Any = ABSENT
    statuses: tuple[int, ...] = ()
    timeout: float | None = None
    priority: int = 0
    required: bool = True
    negative: bool = True
    restarts: bool = False


@dataclass(frozen=True, slots=True)
class Device:
    """Facts about the device for the reports, and what it implements beside its model.

    `c2d`: True if it takes cloud-to-device messages, False if not, None to find out. `messages` in `within`
    seconds are what IoTPnP.D2C is told to count.
    """

    name: str = ""
    firmware: str = ""
    gateway: str = ""
    c2d: bool | None = None
    c2d_message: str = ""
    messages: int | None = None
    within: float | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """A finding that its owner answers for, until a day. `element` empty = wherever it is found."""

    finding: str
    owner: str
    reason: str
    expires: datetime.date
    element: str = ""


@dataclass(frozen=True, slots=True)
class Expectations:
    """All of them. What nothing was said about has the defaults: ask by `telemetry(path)` and its like."""

    device: Device = Device()
    telemetry_of: Mapping[str, Telemetry] = field(default_factory=dict)
    property_of: Mapping[str, Property] = field(default_factory=dict)
    command_of: Mapping[str, Command] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()

    def telemetry(self, path: str) -> Telemetry:
        return self.telemetry_of.get(path, _TELEMETRY)

    def property(self, path: str) -> Property:
        return self.property_of.get(path, _PROPERTY)

    def command(self, path: str) -> Command:
        return self.command_of.get(path, _COMMAND)

    def of(self, kind: str, path: str) -> Telemetry | Property | Command:
        """What was said about a capability of one kind (`telemetry`, `property`, `command`), or its defaults."""
        if kind == "telemetry":
            return self.telemetry(path)
        return self.command(path) if kind == "command" else self.property(path)

    def left_alone(self, kind: str, path: str) -> str:
        """Why nothing is sent to a capability nor awaited of it; empty where it is tested."""
        stated = self.of(kind, path)
        if not stated.judged:
            return NOT_JUDGED
        return "" if stated.implemented else NOT_IMPLEMENTED


_TELEMETRY, _PROPERTY, _COMMAND = Telemetry(), Property(), Command()

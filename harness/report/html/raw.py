"""The raw data view: every payload as it was received, with its topic and properties."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from harness.checks.evidence import path_of
from harness.record import events as ev
from harness.record.events import Entry
from harness.report.html.payloads import SHOWN, Shown, of_value, shown
from harness.report.html.rows import Row
from harness.watch.wording import properties

BUDGET = 700_000
"""Characters of payload that the page holds in all; after that each is cut short."""
_CUT = 300


@dataclass(frozen=True, slots=True)
class Raw:
    """`row` is the messaging row that the payload belongs to. `properties` are name and value, in words."""

    n: int
    t: float
    row: Row
    what: str
    direction: str
    topic: str
    properties: tuple[tuple[str, str], ...]
    payload: Shown


def raws(entries: Sequence[Entry], rows: Sequence[Row], clean: Callable[[str], str]) -> list[Raw]:
    """One for each entry with a payload that the messaging view shows; rows learn which they are."""
    on_the_wire = any(isinstance(e.event, (ev.MethodRequested, ev.DesiredChanged)) for e in entries)
    found: list[Raw] = []
    spent = 0
    for row in rows:
        numbers = []
        for n in row.events:
            raw = _raw(entries[n - 1], row, on_the_wire, clean, SHOWN if spent < BUDGET else _CUT)
            if raw is not None:
                spent += len(raw.payload.text)
                found.append(raw)
                numbers.append(n)
        row.raw = tuple(numbers)
    return sorted(found, key=lambda r: r.n)


def _raw(entry: Entry, row: Row, on_the_wire: bool, clean: Callable[[str], str], most: int) -> Raw | None:
    event = entry.event
    raw = Raw(entry.n, entry.t, row, event.kind.replace("_", " "), "up", "", (), Shown("empty", "", 0))
    match event:
        case ev.TelemetryReceived():
            topic = f"devices/{event.device_id}/messages/events/"
            return replace(raw, topic=topic, properties=_properties(event), payload=shown(event.payload, clean, most))
        case ev.ReportedPatched():
            topic = f"$iothub/twin/PATCH/properties/reported/?$rid={event.request_id}"
            said = (("answer", f"{event.status}" + (f", version {event.version}" if event.version else "")),)
            return replace(raw, topic=topic, properties=said, payload=shown(event.payload, clean, most))
        case ev.DesiredChanged():
            topic = f"$iothub/twin/PATCH/properties/desired/?$version={event.version}"
            return replace(raw, topic=topic, direction="down", payload=of_value(dict(event.patch), clean, most))
        case ev.MethodRequested():
            topic = f"$iothub/methods/POST/{event.name}/?$rid={event.request_id}"
            return replace(raw, topic=topic, direction="down", payload=shown(event.payload, clean, most))
        case ev.MethodAnswered():
            topic = f"$iothub/methods/res/{event.status}/?$rid={event.request_id}"
            return replace(raw, topic=topic, payload=shown(event.payload, clean, most))
        case ev.RegistrationRequested():
            topic = f"$dps/registrations/PUT/iotdps-register/?$rid={event.request_id}"
            return replace(raw, topic=topic, payload=shown(event.payload, clean, most))
        case ev.RegistrationAnswered():
            topic = f"$dps/registrations/res/{event.status}/?$rid={event.request_id}"
            return replace(raw, topic=topic, direction="down", payload=shown(event.payload, clean, most))
        case ev.C2dEnqueued() | ev.C2dSent():
            topic = f"devices/{event.device_id}/messages/devicebound/"
            return replace(
                raw,
                topic=topic,
                direction="down",
                properties=_properties(event),
                payload=shown(event.payload, clean, most),
            )
        case _:
            return _of_the_service(raw, event, on_the_wire, clean, most)


def _of_the_service(raw: Raw, event: ev.Event, on_the_wire: bool, clean: Callable[[str], str], most: int) -> Raw | None:
    match event:
        case ev.TwinRead() | ev.DigitalTwinRead():
            return replace(raw, direction="run", payload=of_value(event.twin, clean, most))
        case ev.PropertyWritten() if not on_the_wire:
            said = (("property", path_of(event.component, event.name)),)
            return replace(raw, direction="down", properties=said, payload=of_value(event.value, clean, most))
        case ev.CommandSent() | ev.CommandReturned() if not on_the_wire:
            said = (("command", path_of(event.component, event.name)),)
            direction = "down" if isinstance(event, ev.CommandSent) else "up"
            return replace(raw, direction=direction, properties=said, payload=of_value(event.payload, clean, most))
        case _:
            return None


def _properties(event: ev.Event) -> tuple[tuple[str, str], ...]:
    """The system properties as `$.ct`, then the application's."""
    found = []
    for group, values in properties(event).items():
        prefix = "$." if group == "system" else ""
        found += [(f"{prefix}{name}", value if value is not None else "(no value)") for name, value in values.items()]
    return tuple(found[:40])

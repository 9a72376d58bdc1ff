"""An event in words for a person: one line, harmless whatever a device put into it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from harness.record import events as ev
from harness.watch.content import SHOWN, clip, compact, harmless, shown

_WORD = 200
"""Characters of a single word of a stranger, such as a client's name."""


def words(event: ev.Event) -> tuple[str, str]:
    """The component (empty for the root and where there is none) and what happened, in one line."""
    match event:
        case ev.TelemetryReceived():
            return _word(event.component), shown(event.payload)
        case ev.ReportedPatched():
            return "", shown(event.payload) + _answer(event)
        case ev.DesiredChanged():
            offline = "" if event.delivered else "  (not delivered: the device is not connected and subscribed)"
            return "", f"{_json(event.patch)}  version {event.version}{offline}"
        case ev.MethodRequested():
            component, name = _command(event.name)
            return component, f"{name} asked with {shown(event.payload)}"
        case ev.MethodAnswered():
            component, name = _command(event.name)
            late = "  (too late: the service had stopped waiting)" if event.late else ""
            return component, f"{name} answered {event.status} {shown(event.payload)}{late}"
        case ev.C2dEnqueued():
            return "", f"message {_word(event.message_id)} sent to the device: {shown(event.payload)}"
        case _:
            return "", _sentence(event)


def properties(event: ev.Event) -> dict[str, Mapping[str, str | None]]:
    """The properties that a message carries, `system` and `application`; empty for what is no message."""
    if not isinstance(event, (ev.TelemetryReceived, ev.C2dEnqueued)):
        return {}
    return {"system": dict(event.system), "application": dict(event.properties)}


def properties_text(event: ev.Event) -> str:
    """The same for a person; empty where there are none."""
    parts = [f"{name} {_json(values)}" for name, values in properties(event).items() if values]
    return "  ".join(parts)


def is_trouble(event: ev.Event) -> bool:
    """Whether it is one that somebody looks for: refused, failed, broken, played."""
    match event:
        case ev.HubConnected() | ev.ProvisioningConnected():
            return event.return_code != 0
        case ev.ReportedPatched() | ev.RegistrationAnswered() | ev.MethodAnswered() | ev.TwinRequested():
            return event.status >= 400 or getattr(event, "late", False)
        case ev.HubDisconnected():
            return event.by not in ("device", "")
        case ev.FileUploadEnded():
            return not event.success
        case ev.BlobWritten():
            return event.status >= 400
        case _:
            return isinstance(
                event, (ev.HandshakeFailed, ev.ProtocolViolation, ev.DeviceRequestRefused, ev.FaultPlayed)
            )


def _sentence(event: ev.Event) -> str:
    match event:
        case ev.HubConnected(return_code=0):
            model = f"model {_word(event.model_id)}" if event.model_id else "no model announced"
            ways = filter(None, (_word(event.transport), _word(event.authentication)))
            return ", ".join([f"connected to the hub by {', '.join(ways)}" if event.transport else "connected", model])
        case ev.HubConnected():
            code = f" ({event.error_code})" if event.error_code else ""
            return f"refused by the hub, code {event.return_code}: {_word(event.reason)}{code}"
        case ev.HubDisconnected(by="device" | ""):
            return "disconnected"
        case ev.HubDisconnected():
            code = f" ({event.error_code})" if event.error_code else ""
            who = "the hub closed the connection" if event.by == "hub" else "the connection was lost"
            return f"{who}: {_word(event.reason)}{code}"
        case ev.Subscribed():
            filters = (f"{_word(f)}{'' if granted < 128 else ' (refused)'}" for f, _, granted in event.filters)
            return "subscribed to " + ", ".join(filters)
        case ev.Unsubscribed():
            return "unsubscribed from " + ", ".join(map(_word, event.filters))
        case ev.TwinRequested():
            return "asked for its twin" + ("" if event.status < 300 else f": answered {event.status}")
        case ev.HandshakeFailed():
            return f"TLS handshake with {_word(event.peer)} failed: {_word(event.reason)}"
        case ev.ProtocolViolation():
            closed = "; the connection was closed" if event.closed else ""
            return f"broke the rule {_word(event.rule)}: {_word(event.detail)}{closed}"
        case ev.DeviceRequestRefused():
            return f"{_word(event.method)} {_word(event.path)} refused, {event.status}: {_word(event.reason)}"
        case _:
            return _dps(event)


def _dps(event: ev.Event) -> str:
    match event:
        case ev.ProvisioningConnected(return_code=0):
            return f"connected to DPS by {_word(event.protocol)}, id scope {_word(event.id_scope)}"
        case ev.ProvisioningConnected():
            return f"refused by DPS, code {event.return_code}: {_word(event.reason)}"
        case ev.ProvisioningDisconnected():
            return f"disconnected from DPS by the {_word(event.by)}: {_word(event.reason)}"
        case ev.RegistrationRequested():
            return f"asked to register with {shown(event.payload)}"
        case ev.RegistrationPolled():
            return "asked how its registration is"
        case ev.RegistrationAnswered():
            wait = f", retry after {event.retry_after} s" if event.retry_after is not None else ""
            return f"registration answered {event.status}{wait}: {shown(event.payload)}"
        case ev.AllocationAnswered(status=None):
            return f"allocation by {_word(event.webhook)}: {_word(event.detail)}"
        case ev.AllocationAnswered():
            chosen = f", hub {_word(event.hub)}" if event.hub else f": {_word(event.detail)}"
            return f"allocation by {_word(event.webhook)} answered {event.status}{chosen}"
        case ev.DeviceAssigned():
            return f"assigned to {_word(event.hub)} as {_word(event.device_id)} ({_word(event.substatus)})"
        case _:
            return _message(event)


def _message(event: ev.Event) -> str:
    match event:
        case ev.C2dDelivered():
            again = f", for the {event.delivery}. time" if event.delivery > 1 else ""
            return f"message {_word(event.message_id)} delivered by {_word(event.protocol)}{again}"
        case ev.C2dReturned():
            return f"message {_word(event.message_id)} waits again: {_word(event.reason)}"
        case ev.C2dSettled():
            return f"message {_word(event.message_id)} is settled: {_word(event.outcome)}"
        case ev.FileUploadStarted():
            refused = f" refused ({event.error_code})" if event.error_code else ""
            return f"upload of {_word(event.blob_name)}{refused}, {event.open_uploads} open"
        case ev.BlobWritten():
            return f"blob {_word(event.blob_name)} of {event.size:,} bytes: {event.status}"
        case ev.FileUploadEnded():
            how = "succeeded" if event.success else f"failed: {_word(event.description)}"
            return f"upload of {_word(event.blob_name)} {how}"
        case ev.FaultPlayed():
            detail = f" ({_word(event.detail)})" if event.detail else ""
            return f"fault on order: {_word(event.do)} at {_word(event.at)} number {event.occurrence}{detail}"
        case _:
            return _anything(event)


def _anything(event: ev.Event) -> str:
    """An event that has no words of its own yet."""
    fields: Any = event
    values = {f.name: getattr(event, f.name) for f in dataclasses.fields(fields)}
    told = (f"{name} {_word(_text(value))}" for name, value in values.items() if value not in (None, "", (), b""))
    return f"{event.kind.replace('_', ' ')}: {', '.join(told)}"


def _answer(event: ev.ReportedPatched) -> str:
    if event.status < 300:
        return f"  version {event.version}" if event.version is not None else ""
    code = f" ({event.error_code})" if event.error_code else ""
    return f"  refused with {event.status}{code}: {_word(event.message)}"


def _command(name: str) -> tuple[str, str]:
    component, _, command = name.rpartition("*")
    return _word(component), _word(command)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else shown(value) if isinstance(value, bytes) else compact(value)


def _json(value: Any) -> str:
    return clip(harmless(compact(dict(value) if isinstance(value, Mapping) else value)), SHOWN)


def _word(text: str | None) -> str:
    return harmless(clip(text or "", _WORD))

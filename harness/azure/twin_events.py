"""What happened to a device, as two reads of its twin tell it: events with what is known, all else empty. Pure."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from harness.azure.twins import desired_change, reported_change, version
from harness.record import events as ev

Twin = Mapping[str, Any]


def changes(before: Twin | None, twin: Twin) -> list[tuple[float, ev.Event]]:
    """What happened between two reads of a twin, with the hub's times, in their order.

    `before` None asks for everything that the twin holds; empty is a device that was not there.
    """
    device, module = str(twin.get("deviceId", "")), twin.get("moduleId")
    found: list[tuple[float, ev.Event]] = []
    connected = is_connected(twin)
    known = before is not None and bool(before)
    was_connected = known and is_connected(before or {})
    if connected and not (was_connected and (before or {}).get("modelId") == twin.get("modelId")):
        found.append((_active(twin), arrived(device, module, twin)))
    elif was_connected and not connected:
        found.append((_active(twin), ev.HubDisconnected(device, module, "", "")))
    desired = desired_change(before or {}, twin) if known else None
    if desired:
        event = ev.DesiredChanged(device, module, version(twin, "desired") or 0, desired, connected)
        found.append((_updated(twin, "desired"), event))
    patch = reported_change(before or None, twin) if (twin.get("properties") or {}).get("reported") else None
    if patch:
        found.append((_updated(twin, "reported"), reported(device, module, patch, twin)))
    return sorted(found, key=lambda pair: pair[0])


def is_connected(twin: Twin) -> bool:
    """As far as the hub knows: it notes the end of a connection minutes late."""
    return twin.get("connectionState") == "Connected"


def arrived(device_id: str, module_id: str | None, twin: Twin) -> ev.HubConnected:
    """A connection, by its twin."""
    return ev.HubConnected(
        device_id=device_id,
        module_id=module_id,
        return_code=0,
        model_id=str(twin.get("modelId") or "") or None,
        api_version="",
        client_type="",
        keep_alive=0,
        clean_session=False,
        session_present=False,
        transport="",
        authentication=str(twin.get("authenticationType") or ""),
        raw_user_name="",
    )


def reported(device_id: str, module_id: str | None, patch: Mapping[str, Any], twin: Twin) -> ev.ReportedPatched:
    """A patch that may have made the twin what it is."""
    payload = json.dumps(patch, ensure_ascii=False).encode()
    return ev.ReportedPatched(device_id, module_id, "", payload, 204, version(twin, "reported"))


def _active(twin: Twin) -> float:
    """When its connection changed, as near as a twin tells it."""
    return _time(twin.get("connectionStateUpdatedTime")) or _time(twin.get("lastActivityTime"))


def _updated(twin: Twin, section: str) -> float:
    properties = (twin.get("properties") or {}).get(section) or {}
    return _time((properties.get("$metadata") or {}).get("$lastUpdated"))


def _time(text: Any) -> float:
    """Unix time of one of the hub's dates; 0 for none. Its fractions have up to seven digits."""
    if not isinstance(text, str):
        return 0.0
    head, _, fraction = text.rstrip("Z").partition(".")
    with contextlib.suppress(ValueError, OverflowError):
        moment = datetime.fromisoformat(head).replace(tzinfo=timezone.utc)
        return max(moment.timestamp(), 0.0) + (float(f"0.{fraction}") if fraction.isdigit() else 0.0)
    return 0.0

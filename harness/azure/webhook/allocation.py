"""What the webhook answers: a hub for the device, and a first twin whose tags hold what the device registered with.

DPS asks for every registration of an enrollment with custom allocation (concepts-custom-allocation). Tags are for
services only, so a device sees no difference. Nothing but Python's own library, for this file is deployed by itself.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TAG = "preflightRegistration"
"""The tag: `registrationId`, `received` (UTC), `payload` (JSON as a text, since the keys of twins
have rules that those of payloads need not keep), `size` of that text and whether it is `whole`.
"""
MARK = "preflight"
"""The tag of everything that the pre-flight makes, and the query's name for its value."""
MAX_BODY = 512 * 1024
"""Bytes of a request: 96 KiB of a device's own, its certificates, and the enrollment."""
MAX_PAYLOAD = 4000
"""Characters of a payload, all ASCII; a text in a twin has 4096 bytes at most."""
MAX_TAGS = 8 * 1024
_MAX_LOGGED = 2000
_MAX_DEPTH = 32
_REGISTRATION_ID = re.compile(r"[A-Za-z0-9:._-]{1,128}")
_MARK = re.compile(r"[0-9a-f]{1,64}")
_SECRET = re.compile(r"(?i)(?:key|secret|password|passwd|pwd|token|signature|credentials?|connection_?string)$")
"""Names of members whose values are nobody's business."""


@dataclass(frozen=True)
class Response:
    """An HTTP status, a JSON body, and the one line for the log."""

    status: int
    body: bytes
    line: str


class Refused(ValueError):
    """The request is not one of DPS. The text says what is wrong and quotes nothing."""


def respond(body: bytes, received: str, mark: str = "") -> Response:
    """Answer a request of DPS. `received` is the time, `mark` what the run that made the enrollment calls itself."""
    try:
        answer, line = allocate(_load(body), received, mark)
        return Response(200, _dump(answer).encode(), f"preflight registration: {_dump(line)}")
    except Refused as refusal:
        why = str(refusal)
    except (ValueError, RecursionError):  # of numbers or nesting that JSON readers do not agree on
        why = "the enrollment cannot be written as JSON again"
    return Response(400, _dump({"message": why}).encode(), f"preflight refused: {why}")


def allocate(request: Any, received: str, mark: str = "") -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the AllocationResponse for an AllocationRequest, and what is to be logged. Raises Refused."""
    context = _object(request, "deviceRuntimeContext")
    registration_id = context.get("registrationId")
    if not isinstance(registration_id, str) or not _REGISTRATION_ID.fullmatch(registration_id):
        raise Refused("deviceRuntimeContext.registrationId is missing or no registration id")
    enrollment: Any = request.get("individualEnrollment") or request.get("enrollmentGroup") or {}
    if not isinstance(enrollment, dict):
        raise Refused("the enrollment is not a JSON object")
    current = context.get("currentIotHubHostName") or context.get("currentIoTHubHostName")
    hub = _choose(registration_id, _hosts(request.get("linkedHubs")), enrollment, current)
    payload = _masked(context.get("payload"))
    text, whole, size = _text(payload)
    seen = {"registrationId": registration_id, "received": received, "payload": text, "size": size, "whole": whole}
    answer: dict[str, Any] = {"iotHubHostName": hub}
    if not current:  # a further initial twin would take from the device what it has reported since
        answer["initialTwin"] = _twin(enrollment, seen, payload, mark)
    shown = text if len(text) <= _MAX_LOGGED else text[:_MAX_LOGGED] + "..."
    return answer, {"registrationId": registration_id, "hub": hub, "again": bool(current), "payload": shown}


# --- the hub -----------------------------------------------------------------------------------------


def _hosts(value: Any) -> list[str]:
    hosts = [one for one in value if isinstance(one, str) and 0 < len(one) < 256] if isinstance(value, list) else []
    if not hosts:
        raise Refused("linkedHubs names no hub: link one to the DPS instance, and allow it in the enrollment")
    return hosts


def _choose(registration_id: str, linked: Sequence[str], enrollment: Mapping[str, Any], current: Any) -> str:
    """One of the enrollment's own hubs if it has some; where the device is already if it may stay; else by a hash that
    spreads devices evenly and moves few of them when a hub comes or goes.
    """
    several = enrollment.get("iotHubs")
    named = [enrollment.get("iotHubHostName"), *(several if isinstance(several, list) else [])]
    own = {one.lower() for one in named if isinstance(one, str)}
    allowed = [host for host in linked if host.lower() in own] or list(linked)
    stays = [host for host in allowed if isinstance(current, str) and host.lower() == current.lower()]
    return max(stays or allowed, key=lambda host: _weight(host, registration_id))


def _weight(host: str, registration_id: str) -> bytes:
    return hashlib.sha256(f"{host.lower()}\n{registration_id.lower()}".encode("utf-8", "replace")).digest()


# --- the twin ----------------------------------------------------------------------------------------


def _twin(enrollment: Mapping[str, Any], seen: dict[str, Any], payload: Any, mark: str) -> dict[str, Any]:
    """The enrollment's own initial twin, which would be lost otherwise, with the tag."""
    initial = _plain(enrollment.get("initialTwin"))
    tags, desired = _plain(initial.get("tags")), _plain(_plain(initial.get("properties")).get("desired"))
    if _MARK.fullmatch(mark):
        tags[MARK] = mark
    for candidate in (seen, {**seen, "payload": _reduced(payload), "whole": False}):
        if _size({**tags, TAG: candidate}) <= MAX_TAGS:
            tags[TAG] = candidate
            break
    return {"tags": tags, "properties": {"desired": desired}}


def _text(payload: Any) -> tuple[str, bool, int]:
    """The payload as JSON, reduced to its model id where it is too long; whether it is whole; how long it was."""
    try:
        text = _dump(payload)
    except (ValueError, RecursionError):
        return _reduced(payload), False, 0
    return (text, True, len(text)) if len(text) <= MAX_PAYLOAD else (_reduced(payload), False, len(text))


def _reduced(payload: Any) -> str:
    model_id = payload.get("modelId") if isinstance(payload, dict) else None
    return _dump({"modelId": model_id} if isinstance(model_id, str) and len(model_id) <= 2048 else None)[:MAX_PAYLOAD]


def _masked(value: Any, depth: int = 0) -> Any:
    """The payload without what looks like a secret, or lies deeper than any model id."""
    if depth > _MAX_DEPTH:
        return "..."
    if isinstance(value, dict):
        return {k: "***" if v and _SECRET.search(k) else _masked(v, depth + 1) for k, v in value.items()}
    return [_masked(one, depth + 1) for one in value] if isinstance(value, list) else value


def _size(value: Any) -> int:
    """Bytes as IoT Hub counts them (iot-hub-devguide-device-twins, "Device twin size")."""
    if isinstance(value, dict):
        return sum(_size(key) + _size(one) for key, one in value.items())
    if isinstance(value, list):
        return sum(map(_size, value))
    return len(value.encode("utf-8", "replace")) if isinstance(value, str) else 8


# --- JSON --------------------------------------------------------------------------------------------


def _load(body: bytes) -> Any:
    if len(body) > MAX_BODY:
        raise Refused(f"the request is longer than {MAX_BODY} bytes")
    try:
        return json.loads(body.decode("utf-8"), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Refused("the request is not JSON in UTF-8") from None


def _dump(value: Any) -> str:
    """ASCII throughout: characters are bytes, and one line stays one line."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def _no_constant(name: str) -> Any:
    raise ValueError(name)


def _object(request: Any, name: str) -> dict[str, Any]:
    found = request.get(name) if isinstance(request, dict) else None
    if not isinstance(found, dict):
        raise Refused(f"the request has no {name}: it is not an AllocationRequest of DPS")
    return found


def _plain(value: Any) -> dict[str, Any]:
    """An object without what only services write (`$version`, `$metadata`)."""
    return {k: v for k, v in value.items() if not k.startswith("$")} if isinstance(value, dict) else {}

"""Service calls on cloud-to-device messages: send, purge, and the feedback on them."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from harness.emulator.errors import ServiceError
from harness.emulator.hub.access import Permission
from harness.emulator.hub.c2d import ACK
from harness.emulator.hub.feedback import CONTENT_TYPE, body
from harness.emulator.shell.rest import Call, Route, json_response

APPLICATION = "iothub-app-"
SYSTEM_HEADERS = {
    "iothub-messageid": "mid",
    "iothub-correlationid": "cid",
    "iothub-userid": "uid",
    "iothub-contenttype": "ct",
    "iothub-contentencoding": "ce",
    "iothub-expiry": "exp",
    "iothub-ack": "ack",
}
"""Headers of messages over HTTPS, and the names of these properties in a bag."""


def read_headers(headers: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str | None]]:
    """Return system and application properties of a message sent over HTTPS. Raises ServiceError 400004."""
    system: dict[str, str] = {}
    properties: dict[str, str | None] = {}
    for name, value in headers.items():
        lower = name.lower()
        if lower.startswith(APPLICATION):
            properties[name[len(APPLICATION) :]] = _property(lower, value)
        elif lower in SYSTEM_HEADERS:
            system[SYSTEM_HEADERS[lower]] = _property(lower, value)
        elif lower == "content-encoding":
            system.setdefault("ce", _property(lower, value))
    return system, properties


def _property(header: str, value: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:  # what aiohttp makes of other bytes
        raise ServiceError(400004, f"the header {header} is not UTF-8 text") from None
    return value


async def send(call: Call) -> web.Response:
    system, properties = read_headers(call.request.headers)
    if "ack" in system:
        properties[ACK] = system.pop("ack")
    call.hub.c2d.enqueue(call.ids["id"], call.body, system, properties)
    return web.Response(status=204)


async def purge(call: Call) -> web.Response:
    count = call.hub.c2d.purge(call.ids["id"])
    return json_response({"totalMessagesPurged": count, "deviceId": call.ids["id"], "moduleId": None})


async def take_feedback(call: Call) -> web.Response:
    lent = call.hub.c2d.feedback.take()
    if lent is None:
        return web.Response(status=204)
    headers = {
        "Content-Type": CONTENT_TYPE,
        "ETag": f'"{lent.token}"',
        "iothub-deliverycount": str(lent.deliveries),
        "iothub-sequencenumber": str(lent.sequence),
    }
    return web.Response(body=body(lent.item), headers=headers)


async def complete_feedback(call: Call) -> web.Response:
    call.hub.c2d.feedback.complete(call.ids["token"])
    return web.Response(status=204)


async def abandon_feedback(call: Call) -> web.Response:
    call.hub.c2d.feedback.abandon(call.ids["token"])
    return web.Response(status=204)


def routes() -> list[Route]:
    """Return the calls of this module."""
    service = Permission.SERVICE_CONNECT
    feedback = "/messages/{_:(?i:serviceBound/feedback)}"
    return [
        Route("POST", "/devices/{id}/messages/{_:(?i:deviceBound)}", service, send),
        Route("DELETE", "/devices/{id}/commands", service, purge),
        Route("GET", feedback, service, take_feedback),
        Route("DELETE", feedback + "/{token}", service, complete_feedback),
        Route("POST", feedback + "/{token}/abandon", service, abandon_feedback),
    ]

"""Service calls on devices and modules, their twins, digital twins, methods and commands (IoT Hub REST API
2021-04-12).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from harness.emulator import jsontext
from harness.emulator.context import new_guid
from harness.emulator.errors import ServiceError
from harness.emulator.hub import bulk
from harness.emulator.hub.access import Permission
from harness.emulator.hub.digitaltwins import patch_to_desired, view
from harness.emulator.hub.methods import MethodResult
from harness.emulator.hub.registry import Identity
from harness.emulator.shell.reading import host
from harness.emulator.shell.rest import Call, Route, json_response

_MAX_DEVICES = 1000
_MAX_SECONDS = 10**9


def _identity(call: Call) -> Identity:
    return call.hub.registry.get(call.ids["id"], call.ids.get("module"))


async def get_identity(call: Call) -> web.Response:
    identity = _identity(call)
    return json_response(identity.document(), etag=identity.etag)


async def put_identity(call: Call) -> web.Response:
    if_match, module_id = call.request.headers.get("If-Match"), call.ids.get("module")
    identity = call.hub.put_device(call.ids["id"], call.json(), if_match, module_id=module_id)
    return json_response(identity.document(), etag=identity.etag)


async def delete_identity(call: Call) -> web.Response:
    if_match = call.request.headers.get("If-Match")
    call.hub.delete_device(call.ids["id"], if_match, module_id=call.ids.get("module"))
    return web.Response(status=204)


async def list_modules(call: Call) -> web.Response:
    device = call.hub.registry.get(call.ids["id"])
    return json_response([module.document() for module in call.hub.registry.modules(device.device_id)])


async def change_many(call: Call) -> web.Response:
    result = bulk.apply(call.hub, call.json())
    return json_response(result, status=200 if result["isSuccessful"] else 400)


async def list_devices(call: Call) -> web.Response:
    top = call.seconds("top") or _MAX_DEVICES
    if not 0 < top <= _MAX_DEVICES:
        raise ServiceError(400004, f"top must be 1 to {_MAX_DEVICES}")
    devices = [device.document() for device in call.hub.registry.devices()]
    return json_response(devices[: int(top)])


async def get_twin(call: Call) -> web.Response:
    return _twin_response(call)


async def patch_twin(call: Call) -> web.Response:
    call.hub.update_twin(_identity(call), call.json(), call.request.headers.get("If-Match"))
    return _twin_response(call)


async def put_twin(call: Call) -> web.Response:
    call.hub.replace_twin(_identity(call), call.json(), call.request.headers.get("If-Match"))
    return _twin_response(call)


def _twin_response(call: Call) -> web.Response:
    identity = _identity(call)
    return json_response(identity.twin_document(), etag=identity.twin.etag)


async def get_digital_twin(call: Call) -> web.Response:
    device = call.hub.registry.get(call.ids["id"])
    return json_response(view(device.device_id, device.twin), etag=device.twin.etag)


async def patch_digital_twin(call: Call) -> web.Response:
    device = call.hub.registry.get(call.ids["id"])
    desired = patch_to_desired(device.twin, call.json())
    body = {"properties": {"desired": desired}}
    call.hub.update_twin(device, body, call.request.headers.get("If-Match"))
    headers = {
        "ETag": f'"{device.twin.etag}"',
        "Location": f"https://{host(call.request)}{call.request.rel_url.raw_path}",
    }
    return web.Response(status=202, headers=headers)


async def invoke_method(call: Call) -> web.Response:
    request = call.json()
    if not isinstance(request, dict) or not isinstance(request.get("methodName"), str):
        raise ServiceError(400004, "the body must be an object with methodName")
    # Without the member the device gets an empty payload; null is a payload.
    payload = jsontext.dump(request["payload"]) if "payload" in request else b""
    result = await _invoke(
        call,
        request["methodName"],
        payload,
        _number(request, "responseTimeoutInSeconds"),
        _number(request, "connectTimeoutInSeconds"),
    )
    body = b'{"status":%d,"payload":%s}' % (result.status, _as_json(result.payload))
    return web.Response(body=body, content_type="application/json")


async def invoke_command(call: Call) -> web.Response:
    component, command = call.ids.get("component"), call.ids["command"]
    name = command if component is None else f"{component}*{command}"
    if call.body.strip():
        call.json()
    response, connect = call.seconds("responseTimeoutInSeconds"), call.seconds("connectTimeoutInSeconds")
    result = await _invoke(call, name, call.body.strip(), response, connect)
    headers = {"x-ms-command-statuscode": str(result.status), "x-ms-request-id": new_guid()}
    return web.Response(body=_as_json(result.payload), content_type="application/json", headers=headers)


async def _invoke(call: Call, name: str, payload: bytes, response: float | None, connect: float | None) -> MethodResult:
    outcome: asyncio.Future[MethodResult | ServiceError] = asyncio.get_running_loop().create_future()

    def done(result: MethodResult | ServiceError) -> None:
        if not outcome.done():
            outcome.set_result(result)

    withdraw = call.hub.methods.invoke(
        _identity(call), name, payload, done, response_seconds=response or None, connect_seconds=connect or 0
    )
    try:
        result = await outcome
    except asyncio.CancelledError:
        withdraw()
        raise
    if isinstance(result, ServiceError):
        raise result
    return result


def _as_json(payload: bytes) -> bytes:
    """The device's payload as it came, so that 1.0 stays 1.0; null for none; a string if it is not JSON."""
    if not payload.strip():
        return b"null"
    try:
        jsontext.load(payload)
    except jsontext.InvalidJson:
        return jsontext.dump(payload.decode(errors="replace"))
    return payload


def _number(request: dict[str, Any], name: str) -> float | None:
    value = request.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > _MAX_SECONDS:
        raise ServiceError(400004, f"{name} must be a number of seconds")
    return float(value)


def routes() -> list[Route]:
    """Return the calls of this module."""
    read, write, service = (
        Permission.REGISTRY_READ,
        Permission.REGISTRY_WRITE,
        Permission.SERVICE_CONNECT,
    )
    table: list[tuple[str, str, Permission, Callable[[Call], Awaitable[web.Response]]]] = [
        ("GET", "/devices", read, list_devices),
        ("POST", "/devices", write, change_many),
        ("GET", "/devices/{id}", read, get_identity),
        ("PUT", "/devices/{id}", write, put_identity),
        ("DELETE", "/devices/{id}", write, delete_identity),
        ("GET", "/devices/{id}/modules", read, list_modules),
        ("GET", "/devices/{id}/modules/{module}", read, get_identity),
        ("PUT", "/devices/{id}/modules/{module}", write, put_identity),
        ("DELETE", "/devices/{id}/modules/{module}", write, delete_identity),
        ("GET", "/twins/{id}", service, get_twin),
        ("PATCH", "/twins/{id}", service, patch_twin),
        ("PUT", "/twins/{id}", service, put_twin),
        ("GET", "/twins/{id}/modules/{module}", service, get_twin),
        ("PATCH", "/twins/{id}/modules/{module}", service, patch_twin),
        ("PUT", "/twins/{id}/modules/{module}", service, put_twin),
        ("POST", "/twins/{id}/methods", service, invoke_method),
        ("POST", "/twins/{id}/modules/{module}/methods", service, invoke_method),
        ("GET", "/digitaltwins/{id}", service, get_digital_twin),
        ("PATCH", "/digitaltwins/{id}", service, patch_digital_twin),
        ("POST", "/digitaltwins/{id}/commands/{command}", service, invoke_command),
        ("POST", "/digitaltwins/{id}/components/{component}/commands/{command}", service, invoke_command),
    ]
    return [Route(*row) for row in table]

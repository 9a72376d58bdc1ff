"""Service calls about many devices: queries and statistics; and those that this emulator only declines."""

from __future__ import annotations

from aiohttp import web

from harness.emulator.errors import ServiceError
from harness.emulator.hub import queries
from harness.emulator.hub.access import Permission
from harness.emulator.shell.rest import Call, Route, json_response


async def query(call: Call) -> web.Response:
    request, headers = call.json(), call.request.headers
    size = headers.get("x-ms-max-item-count") or str(queries.DEFAULT_PAGE)
    if not (size.isascii() and size.isdigit() and len(size) < 9):
        raise ServiceError(400004, "x-ms-max-item-count must be a whole number")
    text = request.get("query") if isinstance(request, dict) else None
    page = queries.run(call.hub.registry, text, size=int(size), continuation=headers.get("x-ms-continuation"))
    response = json_response(page.rows)
    response.headers["x-ms-item-type"] = page.kind
    if page.continuation is not None:
        response.headers["x-ms-continuation"] = page.continuation
    return response


async def device_statistics(call: Call) -> web.Response:
    states = [device.enabled for device in call.hub.registry.devices()]
    return json_response(
        {
            "totalDeviceCount": len(states),
            "enabledDeviceCount": sum(states),
            "disabledDeviceCount": len(states) - sum(states),
        }
    )


async def service_statistics(call: Call) -> web.Response:
    connected = sum(device.connection is not None for device in call.hub.registry.devices())
    return json_response({"connectedDeviceCount": connected})


async def decline(call: Call) -> web.Response:
    what = call.request.path.split("/")[1]
    raise ServiceError(501000, f"{what}: the emulator has no jobs, configurations and Edge deployments")


def routes() -> list[Route]:
    """Return the calls of this module."""
    read, service = Permission.REGISTRY_READ, Permission.SERVICE_CONNECT
    return [
        Route("POST", "/devices/query", service, query),
        Route("GET", "/statistics/devices", read, device_statistics),
        Route("GET", "/statistics/service", service, service_statistics),
        Route("POST", "/devices/{id}/applyConfigurationContent", service, decline),
        *(
            Route("*", path, service, decline)
            for place in ("jobs", "configurations")
            for path in (f"/{place}", f"/{place}/{{rest:.*}}")
        ),
    ]

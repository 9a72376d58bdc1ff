"""Everything that the hub answers over HTTPS, on the service host's port and on the devices'."""

from __future__ import annotations

from aiohttp import web

from harness.emulator.context import Context
from harness.emulator.hub.core import IotHub
from harness.emulator.shell import rest, rest_devices, rest_messages, rest_queries
from harness.emulator.shell.rest_for_devices import DeviceRoute, routes_for_devices


def routes(hub: IotHub) -> list[rest.MountedRoute | DeviceRoute]:
    """Return the hub's service API, and what devices ask over HTTPS."""
    api = [*rest_devices.routes(), *rest_messages.routes(), *rest_queries.routes()]
    return [*rest.mounted(hub, api), *routes_for_devices(hub)]


def application(context: Context, hub: IotHub) -> web.Application:
    """Return the application of the service host."""
    app = rest.application(context)
    for route in routes(hub):
        app.router.add_route(route.method, route.path, route.handler)
    return app

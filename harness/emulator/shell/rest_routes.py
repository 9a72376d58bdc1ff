"""Everything that the hub answers on the service host's listener."""

from __future__ import annotations

from aiohttp import web

from harness.emulator.context import Context
from harness.emulator.hub.core import IotHub
from harness.emulator.shell import rest, rest_devices, rest_messages, rest_queries
from harness.emulator.shell.rest_for_devices import routes_for_devices


def application(context: Context, hub: IotHub) -> web.Application:
    """Return the hub's service API, with what devices ask over HTTPS beside it."""
    app = rest.application(context, hub, [*rest_devices.routes(), *rest_messages.routes(), *rest_queries.routes()])
    for route in routes_for_devices(hub):
        app.router.add_route(route.method, route.path, route.handler)
    return app

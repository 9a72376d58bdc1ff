"""The HTTPS port of DPS and hub, 443 on Azure: one listener for WebSockets and for all device APIs.

    server = HttpsServer(context, tls)
    server.mount(routes)                # anything with method, path and handler
    server.mount_websockets(application)
    await server.start(socket)

Handlers find the client's certificates with `peers.peer_chain`. They answer their own errors; what no route
takes gets 404.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol

from aiohttp import web

from harness.emulator.context import Context
from harness.emulator.shell.http_log import logger
from harness.emulator.shell.https_connection import HttpsConnection, HttpsListener
from harness.emulator.shell.tls import TlsSource
from harness.emulator.shell.websocket import PATH, WebSockets
from harness.mqtt import Application

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_KEEP_ALIVE_SECONDS = 75.0
_MAX_BODY = 1024 * 1024


class HttpRoute(Protocol):
    """A row of a table of routes."""

    @property
    def method(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def handler(self) -> Handler: ...


class HttpsServer:
    """One HTTPS port."""

    websockets: WebSockets | None = None

    def __init__(self, context: Context, tls: TlsSource) -> None:
        self._context = context
        self._tls = tls
        self._app = web.Application(client_max_size=_MAX_BODY, middlewares=[_in_good_time])

    def mount(self, routes: Iterable[HttpRoute]) -> None:
        """Add routes. To be called before `start`."""
        for route in routes:
            self._app.router.add_route(route.method, route.path, route.handler)

    def mount_websockets(self, application: Application) -> None:
        """Serve MQTT over WebSockets. To be called before `start`."""
        self.websockets = WebSockets(self._context, application)
        self._app.router.add_get(PATH, self.websockets.handle)

    async def start(self, listening: socket.socket) -> None:
        """Serve a socket that listens."""
        self._runner = web.AppRunner(
            self._app, access_log=None, logger=logger, keepalive_timeout=_KEEP_ALIVE_SECONDS, shutdown_timeout=0.05
        )
        await self._runner.setup()
        serve = self._runner.server
        assert serve is not None
        self._listener = HttpsListener(self._context, self._tls, lambda: serve())
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._listener.new_connection, sock=listening, backlog=1024)

    def drop(self, reason: str) -> None:
        """Cut every connection."""
        if self.websockets is not None:
            for wire in list(self.websockets.connections):
                wire.shut(reason)
        self._listener.close()

    async def stop(self) -> None:
        """Stop listening and cut every connection."""
        self._server.close()
        self.drop("the emulator was stopped")
        await self._runner.cleanup()


@web.middleware
async def _in_good_time(request: web.Request, handler: Handler) -> web.StreamResponse:
    connection = getattr(request.transport, "connection", None)
    if isinstance(connection, HttpsConnection):
        connection.served()
    return await handler(request)

"""The hub's service API over HTTPS: authentication, errors, and one table of routes.

Handlers translate requests into calls of `IotHub` and back; they decide nothing. A further group of calls
(modules, queries, cloud-to-device messages) is another module like `rest_devices` with its own `routes`.
"""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from harness.emulator import jsontext
from harness.emulator.context import Context, log_failure
from harness.emulator.errors import ServiceError, old_service_body, service_body
from harness.emulator.hub.access import Permission
from harness.emulator.hub.core import IotHub
from harness.emulator.shell.http_log import logger
from harness.emulator.shell.reading import read_body

MAX_BODY = 1024 * 1024
"""Bytes; the largest legal request is far below."""
JSON = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Call:
    """One authorised request. `ids` are the decoded parts of the path."""

    hub: IotHub
    request: web.Request
    ids: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Raises ServiceError 400006 for a body that is not JSON."""
        try:
            return jsontext.load(self.body)
        except jsontext.InvalidJson as error:
            raise ServiceError(400006, f"the body is not JSON: {error}") from None

    def seconds(self, name: str) -> float | None:
        """Return a query parameter in seconds. Raises ServiceError 400004."""
        text = self.request.query.get(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit() and len(text) < 10):
            raise ServiceError(400004, f"{name} must be a whole number")
        return float(text)


Handler = Callable[[Call], Awaitable[web.Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """A method and path, what the caller's policy must permit, and what answers."""

    method: str
    path: str
    permission: Permission
    handler: Handler


@dataclass(frozen=True, slots=True)
class MountedRoute:
    """A `Route` of one hub that authenticates and answers its own errors, for any aiohttp application."""

    method: str
    path: str
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]


def json_response(document: Any, *, status: int = 200, etag: str | None = None) -> web.Response:
    headers = {"ETag": f'"{etag}"'} if etag is not None else {}
    return web.Response(body=jsontext.dump(document), status=status, headers={"Content-Type": JSON, **headers})


def mounted(hub: IotHub, routes: Iterable[Route]) -> list[MountedRoute]:
    return [MountedRoute(route.method, route.path, _guarded(hub, route)) for route in routes]


def application(context: Context) -> web.Application:
    """Return an aiohttp application without routes: what it has not, it refuses as a hub does."""
    return web.Application(client_max_size=MAX_BODY, middlewares=[_errors(context)])


async def serve(app: web.Application, address: str, port: int, tls: ssl.SSLContext) -> tuple[web.AppRunner, int]:
    """Start serving. Returns the runner, to clean up, and the port. Raises OSError."""
    # Kept connections make the service SDK several times faster; a stop does not wait for them.
    runner = web.AppRunner(app, access_log=None, logger=logger, keepalive_timeout=300, shutdown_timeout=0.05)
    await runner.setup()
    site = web.TCPSite(runner, address, port, ssl_context=tls)
    await site.start()
    return runner, int(runner.addresses[0][1])


def drop_connections(runner: web.AppRunner) -> None:
    """Cut every kept connection: a polite close would wait for the peer, and outlive the loop."""
    for handler in runner.server.connections if runner.server else ():
        if handler.transport is not None:
            handler.transport.abort()


def _guarded(hub: IotHub, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        hub.access.service(request.headers.get("Authorization"), request.path, route.permission)
        if not request.query.get("api-version"):
            raise ServiceError(400001, "the request has no api-version")
        return await route.handler(Call(hub, request, dict(request.match_info), await read_body(request, MAX_BODY)))

    async def answer(request: web.Request) -> web.StreamResponse:
        return await _answered(hub.context, request, handle)

    return answer


async def _answered(
    context: Context, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    try:
        return await handler(request)
    except ServiceError as error:
        return _error_response(error, context)
    except web.HTTPException as error:
        code = {404: 404000, 405: 405000, 413: 413001}.get(error.status, error.status * 1000)
        message = f"{request.method} {request.path}: {error.reason}"
        return _error_response(ServiceError(code, message, status=error.status), context)
    except Exception as error:
        log_failure(f"{request.method} {request.path}", error)
        return _error_response(ServiceError(500001, "the emulator failed; its log says why"), context)


def _errors(context: Context) -> Any:
    @web.middleware
    async def middleware(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        return await _answered(context, request, handler)

    return middleware


def _error_response(error: ServiceError, context: Context) -> web.Response:
    # Azure answers 404 and time-outs in the newer shape, the rest in the older one.
    shape = service_body if error.status in (404, 504) else old_service_body
    return web.Response(
        body=shape(error, context.wall()),
        status=error.status,
        headers={"Content-Type": JSON, "iothub-errorcode": error.name},
    )

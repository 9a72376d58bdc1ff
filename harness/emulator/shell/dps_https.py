"""The device API of DPS over HTTPS: register, operation status, look-up.

    for route in routes(dps):
        app.router.add_route(route.method, route.path, route.handler)

Devices come to port 443 for this. Each handler answers its own errors, so that any aiohttp application may mount
them. A request carries its own credentials, a token or the client's certificate in TLS; a device with a TPM comes
without any first, and gets a 401 with a key for its TPM.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from harness.emulator.context import log_failure, new_guid
from harness.emulator.dps.core import ProvisioningService, Reply
from harness.emulator.dps.enrollments import Credentials
from harness.emulator.dps.exchange import Exchange, Send
from harness.emulator.dps.monitor import Caller
from harness.emulator.dps.requests import MAX_BODY
from harness.emulator.errors import ServiceError, device_body
from harness.emulator.shell.http_gate import PATIENCE
from harness.emulator.shell.peers import peer_chain
from harness.emulator.shell.reading import header, host, read_body
from harness.emulator.tokens import TokenError, parse_token
from harness.record.events import ProvisioningConnected

JSON = "application/json; charset=utf-8"
_BASE = "/{scope:0[nN][eE][^/]*}/registrations"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class DpsRoute:
    method: str
    path: str
    handler: Handler


def routes(dps: ProvisioningService) -> list[DpsRoute]:
    api = DeviceApi(dps)
    found = [
        DpsRoute("PUT", f"{_BASE}/{{id}}/register{{tail:/?}}", api.register),
        DpsRoute("GET", f"{_BASE}/{{id}}/operations/{{operation}}{{tail:/?}}", api.poll),
        DpsRoute("POST", f"{_BASE}/{{id}}{{tail:/?}}", api.look_up),
        DpsRoute("*", f"{_BASE}{{tail:.*}}", api.elsewhere),
    ]
    return [DpsRoute(one.method, one.path, _answering(dps, one.handler)) for one in found]


class DeviceApi:
    """The handlers. Each translates a request into one call of an `Exchange`."""

    def __init__(self, dps: ProvisioningService) -> None:
        self._dps = dps

    async def register(self, request: web.Request) -> web.StreamResponse:
        body = await read_body(request, MAX_BODY)
        exchange, identified = self._exchange(request, body)
        request_id = new_guid()
        if not identified:
            challenge = _Answer()
            if exchange.challenge(request_id, body, challenge.take):
                return self._response(request, await challenge.wait(), request_id)
        exchange = exchange.attested()
        self._record(request, exchange)
        answer = _Answer()
        exchange.register(request_id, body, answer.take)
        return self._response(request, await answer.wait(), request_id)

    async def poll(self, request: web.Request) -> web.StreamResponse:
        exchange, _ = self._exchange(request, await read_body(request, MAX_BODY))  # Node sends `{}` with its GET
        request_id, answer = new_guid(), _Answer()
        exchange.poll(request_id, request.match_info["operation"], answer.take)
        return self._response(request, await answer.wait(), request_id)

    async def look_up(self, request: web.Request) -> web.StreamResponse:
        exchange, _ = self._exchange(request, await read_body(request, MAX_BODY))
        reply = self._dps.look_up(exchange.registration_id, exchange.credentials)
        return self._response(request, (reply, None), new_guid())

    async def elsewhere(self, request: web.Request) -> web.StreamResponse:
        await read_body(request, MAX_BODY)
        raise ServiceError(405000, f"{request.method} {request.path} is not of the device API, or lacks an id")

    # --- inside --------------------------------------------------------------------------------------

    def _exchange(self, request: web.Request, body: bytes) -> tuple[Exchange, bool]:
        """Return who asks, and whether credentials came with it. Raises ServiceError 400, 401, 404, 415."""
        version = request.query.get("api-version")
        if not version:
            raise ServiceError(400001, "the request has no api-version")
        self._dps.check_scope(request.match_info["scope"])
        if body.strip() and "Content-Type" in request.headers and request.content_type != "application/json":
            raise ServiceError(415000, f"the media type {request.content_type} is not supported; use application/json")
        credentials = self._credentials(request)
        caller = Caller(request.remote or "", "Http", version)
        exchange = Exchange(self._dps, request.match_info["id"], credentials, caller)
        return exchange, credentials.token is not None or bool(credentials.chain)

    def _credentials(self, request: web.Request) -> Credentials:
        authorization = header(request, "Authorization")
        if not authorization:
            return Credentials(chain=peer_chain(request))
        try:
            return Credentials(token=parse_token(authorization))
        except TokenError as error:
            code = self._dps.context.options.dps_unauthorized_code
            raise ServiceError(code, "Unauthorized", status=401, cause=str(error)) from None

    def _record(self, request: web.Request, exchange: Exchange) -> None:
        refusal = exchange.refusal
        self._dps.context.emit(
            ProvisioningConnected(
                registration_id=exchange.registration_id,
                id_scope=request.match_info["scope"],
                api_version=exchange.caller.api_version,
                client_version=header(request, "User-Agent") or header(request, "UserAgent") or "",
                protocol="https",
                keep_alive=0,
                return_code=0,
                reason=refusal.cause if refusal is not None else "",
            )
        )

    def _response(
        self, request: web.Request, answered: tuple[Reply, int | None], request_id: str
    ) -> web.StreamResponse:
        reply, code = answered
        headers = {"Content-Type": JSON, "x-ms-request-id": request_id}
        if code is not None:
            headers["x-ms-error-code"] = str(code)
        if reply.retry_after is not None:
            headers["Retry-After"] = str(reply.retry_after)
        if reply.status == 202:
            operation = self._dps.registrations.find(request.match_info["id"])
            base = f"/{request.match_info['scope']}/registrations/{request.match_info['id']}"
            path = f"{base}/operations/{operation.operation_id if operation else ''}"
            headers["Location"] = f"https://{host(request)}{path}?api-version={request.query['api-version']}"
        return web.Response(body=reply.body, status=reply.status, headers=headers)


class _Answer:
    """What an `Exchange` sends, awaited. `take` is its `Send`."""

    def __init__(self) -> None:
        self._future: asyncio.Future[tuple[Reply, int | None]] = asyncio.get_running_loop().create_future()
        self.take: Send = self._take

    def _take(self, reply: Reply, code: int | None) -> None:
        if not self._future.done():  # twice is once in HTTP
            self._future.set_result((reply, code))

    async def wait(self) -> tuple[Reply, int | None]:
        """Raises TimeoutError."""
        return await asyncio.wait_for(self._future, PATIENCE)


def _answering(dps: ProvisioningService, handler: Handler) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except ServiceError as failure:
            error = failure
        except (asyncio.TimeoutError, TimeoutError):
            if request.transport is not None:
                request.transport.abort()
            error = ServiceError(504000, "no answer, by order of the fault plan", status=504)
        except (asyncio.CancelledError, ConnectionError):
            raise
        except Exception as failure:
            log_failure(f"{request.method} {request.path}", failure)
            error = ServiceError(500000, "the emulator failed; its log says why")
        return web.Response(
            body=device_body(error, dps.context.wall()),
            status=error.status,
            headers={"Content-Type": JSON, "x-ms-error-code": str(error.code), "x-ms-request-id": new_guid()},
        )

    return handle

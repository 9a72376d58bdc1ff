"""The service API of DPS over HTTPS (2021-10-01), on the service host beside the hub's.

    for route in routes(dps, access):
        app.router.add_route(route.method, route.path, route.handler)

What the front door refuses (tokens, api-version) has the older error body, what the service itself refuses the one
devices get, as was seen of Azure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from aiohttp import web

from harness.emulator import jsontext
from harness.emulator.context import log_failure, new_guid
from harness.emulator.dps.access import Right, ServiceAccess
from harness.emulator.dps.core import ProvisioningService
from harness.emulator.dps.documents import GROUP, INDIVIDUAL, Kind
from harness.emulator.dps.monitor import Caller
from harness.emulator.dps.service import Page, ServiceApi
from harness.emulator.errors import ServiceError, device_body, old_service_body
from harness.emulator.shell.dps_https import JSON, DpsRoute, Handler
from harness.emulator.shell.reading import read_body

_MAX_BODY = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Call:
    """One authorised call. `id` is empty where the address has none."""

    request: web.Request
    id: str
    body: bytes

    def json(self) -> Any:
        """Raises ServiceError 400004, 415000."""
        if "Content-Type" in self.request.headers and self.request.content_type != "application/json":
            raise ServiceError(415000, f"the media type {self.request.content_type} is not supported")
        try:
            return jsontext.load(self.body)
        except jsontext.InvalidJson as error:
            raise ServiceError(400004, f"the body is not JSON: {error}") from None

    def header(self, name: str) -> str | None:
        return self.request.headers.get(name)


Action = Callable[[Call], web.Response]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A method and path, the right it takes, what the resource log calls it and its subject, and what answers."""

    method: str
    path: str
    right: Right
    operation: str
    kind: str
    action: Action


def routes(dps: ProvisioningService, access: ServiceAccess) -> list[DpsRoute]:
    api = ServiceApi(dps)
    entries = [*_of_enrollments(api, INDIVIDUAL), *_of_enrollments(api, GROUP), *_of_registrations(api)]
    return [DpsRoute(one.method, one.path, _guarded(dps, access, one)) for one in entries]


def _of_enrollments(api: ServiceApi, kind: Kind) -> list[_Entry]:
    read, write, base = Right.ENROLLMENT_READ, Right.ENROLLMENT_WRITE, f"/{kind.items}"

    def entry(method: str, path: str, right: Right, operation: str, action: Callable[..., web.Response]) -> _Entry:
        return _Entry(method, base + path, right, operation, kind.log_type, partial(action, api, kind))

    return [
        # Before the paths with an id, which would take these words for one.
        entry("POST", "/query", read, "Query", _query),
        entry("POST", "", write, "BulkOperation", _bulk),
        entry("POST", "/{id}/attestationmechanism", write, "GetAttestationMechanism", _mechanism),
        entry("PUT", "/{id}", write, "Upsert", _put),
        entry("GET", "/{id}", read, "Get", _get),
        entry("DELETE", "/{id}", write, "Delete", _delete),
    ]


def _of_registrations(api: ServiceApi) -> list[_Entry]:
    read, write, kind = Right.REGISTRATION_READ, Right.REGISTRATION_WRITE, "Registration"
    base = "/registrations/{id}"
    return [
        _Entry("POST", f"{base}/query", read, "Query", kind, partial(_query_registrations, api)),
        _Entry("GET", base, read, "Get", kind, partial(_get_registration, api)),
        _Entry("DELETE", base, write, "Delete", kind, partial(_delete_registration, api)),
    ]


# --- the calls ---------------------------------------------------------------------------------------


def _get(api: ServiceApi, kind: Kind, call: Call) -> web.Response:
    return _json(api.get(kind, call.id))


def _put(api: ServiceApi, kind: Kind, call: Call) -> web.Response:
    return _json(api.put(kind, call.id, call.json(), call.header("If-Match")))


def _delete(api: ServiceApi, kind: Kind, call: Call) -> web.Response:
    api.delete(kind, call.id, call.header("If-Match"))
    return web.Response(status=204)


def _mechanism(api: ServiceApi, kind: Kind, call: Call) -> web.Response:
    return _json(api.mechanism(kind, call.id))


def _query(api: ServiceApi, kind: Kind, call: Call) -> web.Response:
    return _page(api.query(kind, call.json(), call.header("x-ms-max-item-count"), call.header("x-ms-continuation")))


def _bulk(api: ServiceApi, kind: Kind, call: Call) -> web.Response:
    return _json(api.bulk(kind, call.json()))


def _get_registration(api: ServiceApi, call: Call) -> web.Response:
    return _json(api.registration(call.id))


def _delete_registration(api: ServiceApi, call: Call) -> web.Response:
    api.delete_registration(call.id, call.header("If-Match"))
    return web.Response(status=204)


def _query_registrations(api: ServiceApi, call: Call) -> web.Response:
    size, continuation = call.header("x-ms-max-item-count"), call.header("x-ms-continuation")
    return _page(api.query_registrations(call.id, size, continuation))


def _page(page: Page) -> web.Response:
    response = _json(page.items)
    response.headers["x-ms-item-type"] = page.item_type
    response.headers["x-ms-max-item-count"] = str(len(page.items))
    if page.continuation is not None:
        response.headers["x-ms-continuation"] = page.continuation
    return response


def _json(document: Any) -> web.Response:
    headers = {"Content-Type": JSON}
    if isinstance(document, dict) and "etag" in document:
        headers["ETag"] = f'"{document["etag"]}"'
    return web.Response(body=jsontext.dump(document), headers=headers)


# --- around them -------------------------------------------------------------------------------------


def _guarded(dps: ProvisioningService, access: ServiceAccess, entry: _Entry) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        version = request.query.get("api-version", "")
        caller = Caller(request.remote or "", "Http", version)
        began = dps.context.timers.time()
        response, error = await _respond(request)
        seconds = dps.context.timers.time() - began
        subject = request.match_info.get("id", "")
        dps.monitor.served(caller, entry.operation, entry.kind, subject, response.status, error, seconds)
        response.headers["x-ms-request-id"] = new_guid()
        return response

    async def _respond(request: web.Request) -> tuple[web.Response, str]:
        try:
            body = await read_body(request, _MAX_BODY)
            access.check(request.headers.get("Authorization"), request.path, entry.right)
            if not request.query.get("api-version"):
                raise ServiceError(400004, f"Unknown api version; uri: {request.path_qs}")
        except ServiceError as refused:
            return _refusal(old_service_body(refused, dps.context.wall()), refused), refused.message
        try:
            return entry.action(Call(request, request.match_info.get("id", ""), body)), ""
        except ServiceError as failure:
            error = failure
        except Exception as failure:
            log_failure(f"{request.method} {request.path}", failure)
            error = ServiceError(500000, "the emulator failed; its log says why")
        return _refusal(device_body(error, dps.context.wall()), error), error.message

    return handle


def _refusal(body: bytes, error: ServiceError) -> web.Response:
    headers = {"Content-Type": JSON, "x-ms-error-code": str(error.code)}
    return web.Response(body=body, status=error.status, headers=headers)

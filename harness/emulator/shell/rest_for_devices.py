"""What devices ask of the hub over HTTPS: file upload, telemetry, messages to them; and the blobs themselves.

    for route in routes_for_devices(hub):
        app.router.add_route(route.method, route.path, route.handler)

Real SDKs come to port 443 for this. Each handler answers its own errors, so that any aiohttp application may
mount them. The SDKs spell the addresses in several ways: with a slash at the end (C), with the correlation id
in the path (Node) or in the body (Python).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import unquote_plus

from aiohttp import web

from harness.emulator import jsontext
from harness.emulator.context import log_failure, utc_text
from harness.emulator.errors import ServiceError, old_service_body
from harness.emulator.faults import Point
from harness.emulator.hub import messages
from harness.emulator.hub.blobs import CONTAINER
from harness.emulator.hub.c2d import ACK, Delivery, Queue
from harness.emulator.hub.core import IotHub
from harness.emulator.hub.registry import Identity
from harness.emulator.shell import blobs, http_gate
from harness.emulator.shell.peers import peer_chain
from harness.emulator.shell.reading import header, read_body
from harness.emulator.shell.rest import JSON
from harness.emulator.shell.rest_messages import APPLICATION, SYSTEM_HEADERS, read_headers
from harness.record.events import DeviceRequestRefused, TelemetryReceived

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_MAX_BODY = 512 * 1024


@dataclass(frozen=True, slots=True)
class DeviceRoute:
    method: str
    path: str
    handler: Handler


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of a device or module that has proved itself."""

    hub: IotHub
    identity: Identity
    request: web.Request
    body: bytes

    def json(self) -> object:
        """Raises ServiceError 400006."""
        try:
            return jsontext.load(self.body)
        except jsontext.InvalidJson as error:
            raise ServiceError(400006, f"the body is not JSON: {error}") from None

    async def through_gate(self, point: Point, act: Callable[[], web.Response]) -> web.Response:
        """Raises ServiceError."""
        return await http_gate.through(self.hub.context.faults, point, self.identity.name, self.request, act)

    @property
    def queue(self) -> Queue:
        return self.hub.c2d.queue(self.identity)


# --- file upload -------------------------------------------------------------------------------------


async def start_upload(ask: Ask) -> web.Response:
    def start() -> web.Response:
        host = ask.request.host
        if not ask.hub.access.knows(host):
            host = ask.hub.host
        ask.hub.uploads.blobs.host = host
        document = ask.hub.uploads.start(ask.identity.device_id, ask.json(), host)
        return web.Response(body=jsontext.dump(document), headers={"Content-Type": JSON})

    return await ask.through_gate(Point.FILE_UPLOAD, start)


async def finish_upload(ask: Ask) -> web.Response:
    def finish() -> web.Response:
        body = ask.json()
        in_path = ask.request.match_info.get("correlation", "")
        correlation_id = in_path or ask.hub.uploads.correlation_of(body)
        ask.hub.uploads.finish(ask.identity.device_id, correlation_id, body)
        return web.Response(status=204)

    return await ask.through_gate(Point.FILE_NOTIFICATION, finish)


# --- messages ----------------------------------------------------------------------------------------


async def send_telemetry(ask: Ask) -> web.Response:
    request, identity = ask.request, ask.identity
    system: dict[str, str | None] = {}
    found, properties = read_headers(request.headers)
    system.update(found)
    system.setdefault("ct", header(request, "Content-Type"))
    system = {name: value for name, value in system.items() if value is not None}
    limit = ask.hub.context.options.max_telemetry
    if messages.size_of(ask.body, system, properties) > limit:
        raise ServiceError(413001, f"a message may have {limit} bytes, properties included")
    messages.check(system, properties)
    if not ask.hub.throttles.telemetry(identity):
        raise ServiceError(429001, "the device's limit of messages a second is exceeded")
    ask.hub.telemetry(
        TelemetryReceived(
            identity.device_id,
            identity.module_id,
            system.get("sub"),
            ask.body,
            system.get("ct"),
            system.get("ce"),
            None,
            system,
            properties,
        )
    )
    return web.Response(status=204)


async def take_message(ask: Ask) -> web.Response:
    lent = ask.queue.take()
    if lent is None:
        return web.Response(status=204)
    ask.hub.c2d.delivered(ask.identity, lent, "https")
    return web.Response(body=lent.item.payload, headers=_headers(lent))


def _headers(lent: Delivery) -> dict[str, str]:
    message, names = lent.item, {own: header for header, own in SYSTEM_HEADERS.items()}
    kind = message.system.get("ct")
    headers = {names[name]: value for name, value in message.system.items() if name in names}
    headers |= {APPLICATION + name: value or "" for name, value in message.properties.items()}
    if message.ack != "none":
        headers[ACK] = message.ack
    return {
        **{name: value for name, value in headers.items() if _fits(name, value)},
        "ETag": f'"{lent.token}"',
        "iothub-to": message.system["to"],
        "iothub-sequencenumber": str(lent.sequence),
        "iothub-enqueuedtime": utc_text(lent.enqueued),
        "iothub-deliverycount": str(lent.deliveries - 1),
        "Content-Type": kind if kind and _fits("", kind) else "application/octet-stream",
    }


def _fits(name: str, value: str) -> bool:
    return all(c.isprintable() for c in value) and all(c.isalnum() or c in "!#$%&'*+-.^_`|~" for c in name)


async def settle_message(ask: Ask) -> web.Response:
    token = ask.request.match_info["token"].strip('"')
    if "reject" in ask.request.query:
        ask.queue.reject(token)
    else:
        ask.queue.complete(token)
    return web.Response(status=204)


async def abandon_message(ask: Ask) -> web.Response:
    ask.queue.abandon(ask.request.match_info["token"].strip('"'))
    return web.Response(status=204)


# --- the table ---------------------------------------------------------------------------------------


def routes_for_devices(hub: IotHub) -> list[DeviceRoute]:
    """Return every call a device makes over HTTPS, the blob endpoint's among them, for any aiohttp router."""
    device, bound = "/devices/{id}", "/messages/{_:(?i:deviceBound)}"
    table: list[tuple[str, str, Callable[[Ask], Awaitable[web.Response]]]] = [
        ("POST", f"{device}/files{{slash:/?}}", start_upload),
        ("POST", f"{device}/files/notifications{{slash:/?}}", finish_upload),
        ("POST", f"{device}/files/notifications/{{correlation:[^/]+}}{{slash:/?}}", finish_upload),
        ("POST", f"{device}/messages/events{{slash:/?}}", send_telemetry),
        ("POST", f"{device}/modules/{{module}}/messages/events{{slash:/?}}", send_telemetry),
        ("GET", f"{device}{bound}", take_message),
        ("DELETE", f"{device}{bound}/{{token}}", settle_message),
        ("POST", f"{device}{bound}/{{token}}/abandon", abandon_message),
    ]
    storage = [
        DeviceRoute(method, f"/{CONTAINER}/{{blob:.+}}", blobs.handler(hub.uploads.blobs, hub.context))
        for method in ("PUT", "GET", "HEAD")
    ]
    return [*(DeviceRoute(method, path, _guarded(hub, handler)) for method, path, handler in table), *storage]


def _guarded(hub: IotHub, handler: Callable[[Ask], Awaitable[web.Response]]) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        # Python's SDK writes a space in the id as `+`; no id has a space.
        device_id, module_id = request.match_info["id"], request.match_info.get("module")
        try:
            identity = _authenticate(hub, request, device_id, module_id)
            if not request.query.get("api-version"):
                raise ServiceError(400001, "the request has no api-version")
            return await handler(Ask(hub, identity, request, await read_body(request, _MAX_BODY)))
        except ServiceError as refusal:
            error = refusal
            refused = DeviceRequestRefused(
                device_id, request.method, request.path, error.status, error.code, error.cause
            )
            hub.context.emit(refused)
        except Exception as failure:
            log_failure(f"{request.method} {request.path}", failure)
            error = ServiceError(500001, "the emulator failed; its log says why")
        return web.Response(
            body=old_service_body(error, hub.context.wall()),
            status=error.status,
            headers={"Content-Type": JSON, "iothub-errorcode": error.name},
        )

    return handle


def _authenticate(hub: IotHub, request: web.Request, device_id: str, module_id: str | None) -> Identity:
    identity = hub.registry.find(device_id, module_id)
    if identity is None and "+" in device_id:
        identity = hub.registry.find(unquote_plus(device_id), module_id)
    if identity is None:
        raise ServiceError(401003, "no such device or module")
    token = header(request, "Authorization")
    hub.access.device(token.encode() if token else None, identity, peer_chain(request))
    hub.check_enabled(identity)
    return identity

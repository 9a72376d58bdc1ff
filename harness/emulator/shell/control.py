"""The control endpoint: HTTP on loopback for whoever runs the emulator, never for a device.

    GET  /status                   what runs, where, and which faults were played
    GET  /events[?after=N]         the live stream, one JSON object a line; with `after` also what is held
    GET  /twins                    the twins of all devices and modules, as the service API writes them
    GET  /registrations            what DPS knows of devices: registrations and individual enrollments, without keys
    GET, PUT, DELETE /faults       the fault plan; POST adds to it. TOML or JSON
    POST /enrollments              {"registrationId": …, "deviceId": …}: a device that may provision itself
    POST /reset                    forget devices, enrollments, twins and faults; keep certificates and keys
    GET  /metrics, /logs           what DPS counts and logs, as Azure Monitor names it

It is the one path without authentication. So it listens on loopback whatever the rest does, and it refuses peers
from elsewhere, a Host header that is not loopback's (another site's name resolved to this machine) and an Origin
from the web (a page that posts to localhost).
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aiohttp import web

from harness.emulator import jsontext, managing
from harness.emulator.context import log_failure
from harness.emulator.faults import Plan, PlanError, from_document, from_toml
from harness.emulator.options import EmulatorError
from harness.emulator.policies import without_port
from harness.emulator.shell.http_log import logger
from harness.emulator.stream import HELD_BYTES, weight
from harness.record.events import Entry
from harness.record.journal import encode_safely
from harness.record.redact import Redactor

if TYPE_CHECKING:
    from harness.emulator.services import Services

LOOPBACK = "127.0.0.1"
_MAX_BODY = 1024 * 1024
_WAITING = 20_000
_WAITING_BYTES = 2 * HELD_BYTES
"""Events a reader may be behind before it is dropped, and what they may weigh."""
_BATCH, _BATCH_BYTES = 500, 2**20

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Refused(Exception):
    """A request that cannot be served; the text is a sentence for a person."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


async def serve(services: Services, port: int) -> tuple[web.AppRunner, int]:
    """Start. Returns the runner, to clean up, and the port. Raises OSError."""
    runner = web.AppRunner(application(services), access_log=None, logger=logger, shutdown_timeout=0.05)
    await runner.setup()
    site = web.TCPSite(runner, LOOPBACK, port)
    try:
        await site.start()
    except OSError:
        await runner.cleanup()
        raise
    return runner, int(runner.addresses[0][1])


def application(services: Services) -> web.Application:
    control = Control(services)
    app = web.Application(client_max_size=_MAX_BODY, middlewares=[_guard()])
    app.router.add_get("/status", control.status)
    app.router.add_get("/events", control.events)
    app.router.add_get("/twins", control.twins)
    app.router.add_get("/registrations", control.registrations)
    app.router.add_get("/faults", control.get_faults)
    app.router.add_put("/faults", control.put_faults)
    app.router.add_post("/faults", control.post_faults)
    app.router.add_delete("/faults", control.delete_faults)
    app.router.add_post("/enrollments", control.enroll)
    app.router.add_post("/reset", control.reset)
    app.router.add_get("/metrics", control.metrics)
    app.router.add_get("/logs", control.logs)
    return app


class Control:
    """The handlers. All run on the emulator's loop, where its state lives."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def status(self, request: web.Request) -> web.Response:
        return _json(managing.status(self._services))

    async def twins(self, request: web.Request) -> web.Response:
        return _json(managing.twins(self._services))

    async def registrations(self, request: web.Request) -> web.Response:
        return _json(managing.registrations(self._services))

    async def get_faults(self, request: web.Request) -> web.Response:
        return _json(self._services.faults.plan.document())

    async def put_faults(self, request: web.Request) -> web.Response:
        self._services.order(await _plan(request))
        return _json(self._services.faults.plan.document())

    async def post_faults(self, request: web.Request) -> web.Response:
        self._services.order_more((await _plan(request)).faults)
        return _json(self._services.faults.plan.document())

    async def delete_faults(self, request: web.Request) -> web.Response:
        self._services.order(Plan())
        return web.Response(status=204)

    async def enroll(self, request: web.Request) -> web.Response:
        body = _load(await request.read())
        registration_id = body.get("registrationId") if isinstance(body, dict) else None
        device_id = body.get("deviceId") if isinstance(body, dict) else None
        if not isinstance(registration_id, str) or not isinstance(device_id, (str, type(None))):
            raise Refused(400, 'Send {"registrationId": "…"}, and "deviceId" if it is another.')
        try:
            return _json(managing.enroll(self._services, registration_id, device_id), status=201)
        except EmulatorError as error:
            raise Refused(400, str(error)) from None

    async def reset(self, request: web.Request) -> web.Response:
        managing.reset(self._services)
        return web.Response(status=204)

    async def metrics(self, request: web.Request) -> web.Response:
        return _json(self._services.dps.monitor.metrics())

    async def logs(self, request: web.Request) -> web.Response:
        return _json(self._services.dps.monitor.logs())

    async def events(self, request: web.Request) -> web.StreamResponse:
        after = _after(request)
        backlog = _Backlog()

        def take(entry: Entry) -> None:
            if not backlog.add(entry):
                end()

        stream = self._services.stream
        assert stream is not None
        response = web.StreamResponse(headers={"Content-Type": "application/x-ndjson", "Cache-Control": "no-store"})
        # Before the headers go out: whoever has them misses nothing.
        end = stream.listen(take, after)
        try:
            await response.prepare(request)
            await _pass_on(backlog, response, self._services)
        finally:
            end()
        return response


class _Backlog:
    """What a reader has yet to get."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Entry, int]] = deque()
        self._bytes = 0
        self._wake = asyncio.Event()
        self.lost = False
        """Whether there was too much, and nothing more comes."""

    def add(self, entry: Entry) -> bool:
        """Whether there was room; if not, it was the last."""
        size = weight(entry.event)
        if len(self._waiting) >= _WAITING or self._bytes + size > _WAITING_BYTES:
            self.lost = True
        else:
            self._waiting.append((entry, size))
            self._bytes += size
        self._wake.set()
        return not self.lost

    async def take(self) -> list[Entry]:
        """Return what waits, in moderate lots, as soon as there is something; nothing when it was `lost`."""
        await self._wake.wait()
        taken: list[Entry] = []
        rest = self._bytes - _BATCH_BYTES
        while self._waiting and len(taken) < _BATCH and (self._bytes > rest or not taken):
            entry, size = self._waiting.popleft()
            self._bytes -= size
            taken.append(entry)
        if not self._waiting and not self.lost:
            self._wake.clear()
        return taken


async def _pass_on(backlog: _Backlog, response: web.StreamResponse, services: Services) -> None:
    """Write what comes until the reader is gone, or too far behind."""
    redactor = Redactor()
    redactor.add(*(policy.primary_key for policy in services.hub.access.policies.values()))
    with contextlib.suppress(ConnectionError):
        while entries := await backlog.take():
            lines = [_line(entry, redactor, services) for entry in entries]
            # What cannot be written is replaced, as in a journal: one event must not cost a reader all that follow.
            await response.write("".join(f"{line}\n" for line in lines).encode(errors="replace"))
        await response.write(b'{"kind": "too_slow", "message": "events were lost: read faster"}\n')


def _line(entry: Entry, redactor: Redactor, services: Services) -> str:
    """The entry without secrets, the keys of its device among them, should that give them away."""
    line, safe = encode_safely(entry, redactor)
    event: Any = entry.event
    device_id = str(getattr(event, "device_id", None) or getattr(event, "registration_id", None) or "")
    module_id = getattr(event, "module_id", None)
    hubs = services.hubs if device_id else ()
    found = next((one for hub in hubs if (one := hub.registry.find(device_id, module_id))), None)
    if found is None or not any(key in line or '": {"base64": ' in line for key in found.keys):
        return line
    own = Redactor()
    own.add(*found.keys)
    return encode_safely(safe, own)[0]


def _after(request: web.Request) -> int | None:
    text = request.query.get("after")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise Refused(400, "`after` is the number of an event: 0 for all that are held.")
    return int(text)


async def _plan(request: web.Request) -> Plan:
    body = await request.read()
    try:
        # A TOML document cannot begin with a brace, a JSON object must: no header needs to say which it is.
        if body.lstrip().startswith(b"{"):
            return from_document(_load(body))
        return from_toml(body.decode())
    except UnicodeDecodeError:
        raise Refused(400, "The plan is not UTF-8 text.") from None
    except PlanError as error:
        raise Refused(400, str(error)) from None


def _load(body: bytes) -> Any:
    try:
        return jsontext.load(body)
    except jsontext.InvalidJson as error:
        raise Refused(400, f"The body is not JSON: {error}.") from None


def _json(document: Any, *, status: int = 200) -> web.Response:
    return web.Response(body=jsontext.dump(document) + b"\n", status=status, content_type="application/json")


def _guard() -> Any:
    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            _check_peer(request)
            return await handler(request)
        except Refused as error:
            return _json({"error": str(error)}, status=error.status)
        except web.HTTPException as error:
            return _json({"error": f"{request.method} {request.path}: {error.reason}."}, status=error.status)
        except Exception as error:
            log_failure(f"{request.method} {request.path}", error)
            return _json({"error": "The emulator failed; its log says why."}, status=500)

    return middleware


def _check_peer(request: web.Request) -> None:
    """Raises Refused for whatever does not come from this machine, meaning this machine."""
    if not is_loopback(request.remote or ""):
        raise Refused(403, "The control endpoint serves this machine only.")
    if not is_loopback(without_port(request.host or "")):
        raise Refused(403, "The Host header names another host: use 127.0.0.1 or localhost.")
    origin = request.headers.get("Origin")
    if origin is not None and not is_loopback(urlsplit(origin).hostname or ""):
        raise Refused(403, "Pages of other origins may not use the control endpoint.")


def is_loopback(host: str) -> bool:
    """Whether a bare host name or address is this machine's own."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

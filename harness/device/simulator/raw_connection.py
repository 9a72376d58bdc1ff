"""One connection of a raw device to the hub, and what of the device outlives it."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from typing import NoReturn
from urllib.parse import quote

from harness.mqtt import Packet, Publish

from .backoff import Backoff
from .behavior import ACCEPTED, MARKER, Behavior, Message, Patch, envelope, version_of
from .conduct import Conduct
from .limits import encode
from .running import Say, SessionError, shown
from .settings import Settings
from .wire import Down, Line

_METHOD = re.compile(r"\$iothub/methods/POST/([^/]+)/\?\$rid=(.+)")
_TWIN_ANSWER = re.compile(r"\$iothub/twin/res/(\d+)/\?\$rid=([^&]+).*")
_DESIRED = "$iothub/twin/PATCH/properties/desired/?"
_TRANSIENT = 429
"""The status from which on a twin operation may be tried again."""


class RawLife:
    """What a device is across its connections."""

    def __init__(self, device: Behavior, settings: Settings, conduct: Conduct, say: Say) -> None:
        self.device = device
        self.settings = settings
        self.conduct = conduct
        self.say = say
        self.connections = 0
        self.version: int | None = None
        """Of the desired properties last dealt with; None until the twin was read."""
        self.told: Patch = {}
        """What it has reported, the last of each member."""
        self.sent: Message | None = None
        """The last message."""
        self.token: bytes | None = None
        self.tokens = 0
        self.starts = 0
        self.rivals: list[Line] = []
        """Further connections of a device that has several."""


class RawConnection:
    """A connected line and the life it serves."""

    def __init__(self, line: Line, device_id: str, life: RawLife) -> None:
        self._line = line
        self._device_id = device_id
        self._events = f"devices/{device_id}/messages/events/"
        self._life = life
        self._device = life.device
        self._conduct = life.conduct
        self._say = life.say
        self._request = 0
        self._waiting: dict[str, tuple[Callable[[bytes], None], Callable[[], None]]] = {}
        """Requests about the twin: what their answers are for, and how they are repeated."""
        self._backoff = Backoff(life.settings.retry)
        self._later: list[tuple[float, Callable[[], None]]] = []

    def serve(self) -> NoReturn:
        """Send, report and answer until something raises: Down, SessionError, or a signal."""
        life = self._life
        first = life.connections == 0
        life.connections += 1
        self._say("connected" if first else "connected again")
        if first or self._conduct.persistent:
            filters = (f for f in self._conduct.filters if first or f != self._conduct.forgets)
            for early in self._line.subscribe(*(f.replace("{}", self._device_id) for f in filters)):
                self._take(early)
        if not first and self._conduct.tells_again:
            self._report(life.told)
        if first or self._conduct.rereads_twin:
            self._read_twin()
        sends = first or self._conduct.sends_again
        if not first and self._conduct.repeats_last and life.sent is not None:
            self._send(life.sent)
        due = time.monotonic()
        while True:
            if sends and time.monotonic() >= due:
                for message in self._device.telemetry():
                    self._send(message)
                due = time.monotonic() + life.settings.interval
            self._again()
            self._ping()
            packet = self._line.receive(self._until(due if sends else None))
            if packet is not None:
                self._take(packet)

    def _until(self, due: float | None) -> float:
        moments = [when for when, _ in self._later]
        moments += [] if due is None else [due]
        if self._conduct.pings and self._conduct.keep_alive:
            moments.append(self._line.spoke + self._conduct.keep_alive / 2)
        return max(0.0, min(moments, default=time.monotonic() + 60) - time.monotonic())

    def _again(self) -> None:
        now = time.monotonic()
        for item in [item for item in self._later if item[0] <= now]:
            self._later.remove(item)
            item[1]()

    def _ping(self) -> None:
        if (
            self._conduct.pings
            and self._conduct.keep_alive
            and time.monotonic() - self._line.spoke >= self._conduct.keep_alive / 2
        ):
            self._line.ping()

    # --- what comes ----------------------------------------------------------------------------------

    def _take(self, packet: Packet) -> None:
        if not isinstance(packet, Publish):
            return
        if method := _METHOD.fullmatch(packet.topic):
            self._answer(method[1], method[2], packet.payload)
        elif answer := _TWIN_ANSWER.fullmatch(packet.topic):
            self._answered(int(answer[1]), answer[2], packet.payload)
        elif packet.topic.startswith(_DESIRED):
            self._desired(_json(packet.payload))

    def _answer(self, name: str, request_id: str, payload: bytes) -> None:
        reply = self._device.on_command(name, _json(payload))
        if reply is None:
            self._say(f"fault: no answer to {name}")
            return
        self._say(f"command {name} {shown(_json(payload))} -> {reply.status} {shown(reply.payload)}")
        body = b"" if reply.payload is None else encode(reply.payload)
        self._publish(f"$iothub/methods/res/{reply.status}/?$rid={request_id}", body)

    # --- the twin ------------------------------------------------------------------------------------

    def _read_twin(self) -> None:
        self._ask("$iothub/twin/GET/?$rid={}", b"", self._twin, self._read_twin)

    def _ask(self, topic: str, payload: bytes, then: Callable[[bytes], None], again: Callable[[], None]) -> None:
        self._request += 1
        rid = str(self._request)
        self._waiting[rid] = then, again
        self._publish(topic.format(rid), payload)

    def _answered(self, status: int, request_id: str, payload: bytes) -> None:
        then, again = self._waiting.pop(request_id, (None, None))
        if then is None or again is None:
            return
        if status < 300:
            then(payload)
            return
        self._say(f"a twin operation was answered with status {status}")
        if not self._conduct.survives_twin_errors:
            raise SessionError("fault: does not survive that")
        if status >= _TRANSIENT or self._conduct.refused_patch is not None:
            self._later.append((time.monotonic() + self._backoff.next(), again))

    def _twin(self, payload: bytes) -> None:
        twin = _json(payload)
        desired = twin.get("desired") if isinstance(twin, Mapping) else None
        if not isinstance(desired, Mapping):
            return
        version = version_of(desired)
        if self._life.version is None:
            self._life.version = version or 0
            self._report(self._device.initial_report(desired))
            self._report(dict(self._conduct.refused_patch or {}))
        elif version is not None and version > self._life.version:
            self._desired(desired)

    def _desired(self, patch: object) -> None:
        self._say(f"desired {shown(patch)}")
        version = version_of(patch)
        if version is not None and self._life.version is not None:
            if version <= self._life.version and not self._conduct.survives_old_patches:
                raise SessionError("fault: does not survive an old patch")
            if version <= self._life.version and not self._conduct.compares_versions and isinstance(patch, Mapping):
                self._report(_obedient(patch, version))
                return
            self._life.version = max(version, self._life.version)
        self._report(self._device.on_desired(patch))

    def _report(self, patch: Patch) -> None:
        if not patch:
            return
        self._say(f"reported {shown(patch)}")
        self._life.told = {**self._life.told, **patch}
        topic = "$iothub/twin/PATCH/properties/reported/?$rid={}"
        self._ask(topic, encode(patch), lambda _: self._backoff.reset(), lambda: self._report(patch))

    def _publish(self, topic: str, payload: bytes) -> None:
        self._line.publish(*self._conduct.edit_publish(Publish(topic, payload, 1)))

    def _send(self, message: Message) -> None:
        self._life.sent = message
        component = f"&%24.sub={quote(message.component, safe='')}" if message.component else ""
        kind = quote(message.content_type, safe="")
        self._say(f"sent {message.component or 'root'} {shown(message.values)}")
        topic = f"{self._events}%24.ct={kind}&%24.ce={message.content_encoding}{component}"
        self._publish(topic, message.payload)


def _obedient(patch: Mapping[str, object], version: int) -> Patch:
    """What a device reports that does whatever it is told last."""
    report: Patch = {}
    for name, value in patch.items():
        if name.startswith("$"):
            continue
        if isinstance(value, Mapping) and value.get(MARKER) == "c":
            inner = {n: envelope(v, ACCEPTED, version, "done") for n, v in value.items() if n != MARKER}
            report[name] = {MARKER: "c", **inner}
        else:
            report[name] = envelope(value, ACCEPTED, version, "done")
    return report


def _json(payload: bytes) -> object:
    try:
        return json.loads(payload) if payload.strip() else None
    except ValueError as e:
        raise Down(f"the hub sent what is not JSON: {e}") from None

"""Ways to go wrong in the bytes: bodies that are no JSON, properties of messages, floods.

What would spoil every message comes beside the right ones, so that it is found by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from harness.mqtt import Publish

from .conduct import Change, conduct_with

Sent = Iterable[Publish]

_TYPE, _ENCODING = "%24.ct=application%2Fjson", "%24.ce=utf-8"


def is_telemetry(packet: Publish) -> bool:
    return packet.topic.startswith("devices/")


def is_report(packet: Publish) -> bool:
    return packet.topic.startswith("$iothub/twin/PATCH/properties/reported/")


def is_answer(packet: Publish) -> bool:
    return packet.topic.startswith("$iothub/methods/res/")


def publishing(kind: Callable[[Publish], bool], edit: Callable[[Publish], Sent]) -> Change:
    """Edits one kind of messages to the hub."""
    return conduct_with(edit_publish=lambda packet: edit(packet) if kind(packet) else (packet,))


def topic(edit: Callable[[str], str]) -> Change:
    """Telemetry with other properties."""
    return publishing(is_telemetry, lambda packet: (replace(packet, topic=edit(packet.topic)),))


def _beside(body: bytes) -> Change:
    """Telemetry with a wrong message after each right one."""
    return publishing(is_telemetry, lambda packet: (packet, replace(packet, payload=body)))


def _broken(edit: Callable[[bytes], bytes]) -> Change:
    return publishing(is_telemetry, lambda packet: (packet, replace(packet, payload=edit(packet.payload))))


def _reports(edit: Callable[[Publish], Sent]) -> Change:
    return publishing(is_report, edit)


def _is_long(packet: Publish) -> bool:
    """As the first patch is, in which all properties are."""
    return len(packet.payload) > 250


def _many(times: int) -> Callable[[Publish], Sent]:
    return lambda packet: (packet,) * times


def _without(part: str) -> Callable[[str], str]:
    return lambda name: name.replace(f"&{part}", "").replace(f"{part}&", "")


WIRE_FAULTS: Mapping[str, tuple[str, Change]] = {
    # bodies
    "body-latin-1": ("sends a text in Latin-1", _beside(b'{"note":"\xb0C"}')),
    "body-with-mark": ("sends a byte order mark", _broken(lambda body: b"\xef\xbb\xbf" + body)),
    "body-utf-16": ("sends UTF-16", _broken(lambda body: body.decode().encode("utf-16-le"))),
    "body-empty": ("sends an empty body", _beside(b"")),
    "body-nan": ("sends NaN", _beside(b'{"temperature":NaN}')),
    "body-infinity": ("sends -Infinity", _beside(b'{"temperature":-Infinity}')),
    "body-name-twice": ("sends a name twice in one object", _beside(b'{"temperature":1,"temperature":2}')),
    "body-number": ("sends a bare number", _beside(b"21.5")),
    "body-cut": ("sends half an object", _broken(lambda body: body[: len(body) // 2])),
    "body-comma": ("leaves a comma behind the last member", _broken(lambda body: body[:-1] + b",}")),
    "body-single-quotes": ("writes texts in single quotes", _broken(lambda body: body.replace(b'"', b"'"))),
    "body-with-nul": ("sends the NUL behind its text", _broken(lambda body: body + b"\0")),
    "body-array": ("sends objects in an array", _broken(lambda body: b"[" + body + b"]")),
    "report-cut": (
        "reports half an object beside its first values",
        _reports(lambda p: (p, replace(p, payload=p.payload[: len(p.payload) // 2])) if _is_long(p) else (p,)),
    ),
    "report-refused": (
        "reports hours beyond what a twin takes, and repeats it",
        conduct_with(refused_patch={"hours": 2**60}),
    ),
    "response-no-json": (
        "answers commands with what is no JSON",
        publishing(is_answer, lambda p: (replace(p, payload=b"ok"),)),
    ),
    "answers-twice": ("answers each command twice", publishing(is_answer, _many(2))),
    # properties
    "no-content-type": ("names no content type", topic(_without(_TYPE))),
    "no-content-encoding": ("names no content encoding", topic(_without(_ENCODING))),
    "other-content-type": (
        "names the content type text/plain",
        topic(lambda t: t.replace(_TYPE, "%24.ct=text%2Fplain")),
    ),
    "other-content-encoding": (
        "names the content encoding utf-16",
        topic(lambda t: t.replace(_ENCODING, "%24.ce=utf-16")),
    ),
    "content-encoding-utf8": (
        "names the content encoding utf8, as the C SDK does",
        topic(lambda t: t.replace(_ENCODING, "%24.ce=utf8")),
    ),
    # pace
    "flood": ("sends each message 150 times", publishing(is_telemetry, _many(150))),
    "torrent": ("sends each message 1500 times", publishing(is_telemetry, _many(1500))),
}

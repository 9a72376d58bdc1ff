"""What is right though unusual: devices in the field do it, and no check may mind. Turned on like faults."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from urllib.parse import quote

from harness.mqtt import Connect, Publish
from harness.mqtt.packets import Will

from .behavior import Patch, Reply
from .conduct import FILTERS, Change, conduct_with
from .settings import Settings
from .telemetry_faults import BehaviorFault
from .wire_faults import is_answer, is_report, is_telemetry, publishing, topic
from .wrapping import OMIT, command, edit_patch, first_report, is_envelope, telemetry_value


def _encoded_model(packet: Connect, settings: Settings) -> Connect:
    before, key, model_id = (packet.user_name or "").partition("&model-id=")
    return replace(packet, user_name=f"{before}{key}{quote(model_id, safe='')}")


def _own_will(packet: Connect, settings: Settings) -> Connect:
    events = f"devices/{packet.client_id}/messages/events/"
    return replace(packet, will=Will(events + "%24.ct=application%2Fjson&%24.ce=utf-8", b'{"gone":true}'))


def _each_alone(packet: Publish) -> Iterable[Publish]:
    body = json.loads(packet.payload)
    return [replace(packet, payload=json.dumps({name: value}).encode()) for name, value in body.items()]


def _patches(packet: Publish) -> Iterable[Publish]:
    """Each member of the root alone; components stay as they are."""
    found = list(_each_alone(packet))
    return [replace(p, topic=f"{packet.topic}-{n}") if n else p for n, p in enumerate(reversed(found))][::-1]


def _body(edit: Callable[[bytes], bytes]) -> Change:
    return publishing(is_telemetry, lambda packet: (replace(packet, payload=edit(packet.payload)),))


def _in_progress_first(packet: Publish) -> Iterable[Publish]:
    """An acknowledgement with ac 202 before each one with ac 200."""
    if b'"ac":200' not in packet.payload:
        return (packet,)
    body = packet.payload.replace(b'"ac":200', b'"ac":202')
    return replace(packet, topic=f"{packet.topic}-202", payload=body), packet


def _result_later(packet: Publish) -> Iterable[Publish]:
    """What has no response is answered with 202, and its result comes as a property with the command's name."""
    if packet.payload or "/res/200/" not in packet.topic:
        return (packet,)
    result = Publish("$iothub/twin/PATCH/properties/reported/?$rid=late", b'{"sync":{"value":"done"}}', 1)
    return replace(packet, topic=packet.topic.replace("/200/", "/202/")), result


def _without_writable(patch: Patch) -> Patch:
    return edit_patch(patch, lambda key, value: OMIT if is_envelope(value) else value)


def _empty_object(payload: object, good: Callable[[], Reply | None]) -> Reply | None:
    reply = good()
    return Reply(200, {}) if reply == Reply(200) else reply


ODD_BEHAVIOR: Mapping[str, BehaviorFault] = {
    "odd-no-duration": BehaviorFault("sends PT0S for PATH", ("telemetry",), telemetry_value(lambda v: "PT0S")),
    "odd-backslashes": BehaviorFault(
        "sends backslashes before n and r for PATH", ("telemetry",), telemetry_value(lambda v: "C:\\network\\reports\n")
    ),
    "odd-offset": BehaviorFault(
        "sends PATH with an offset and many digits",
        ("telemetry",),
        telemetry_value(lambda v: "2020-02-29T23:59:59.123456789+05:30"),
    ),
    "odd-quiet-start": BehaviorFault(
        "reports no writable property before it is set", (), first_report(_without_writable)
    ),
    "odd-empty-response": BehaviorFault("answers {} where there is no response", (), command(_empty_object)),
}

ODDITIES: Mapping[str, tuple[str, Change]] = {
    "odd-model-encoded": ("URL-encodes its model id in the user name", conduct_with(edit_connect=_encoded_model)),
    "odd-clean-session": (
        "begins each connection with a clean session",
        lambda conduct: replace(conduct, persistent=False),
    ),
    "odd-own-will": ("leaves a will for its own events", conduct_with(edit_connect=_own_will)),
    "odd-c2d": (
        "takes messages of the cloud",
        conduct_with(filters=(*FILTERS, "devices/{}/messages/devicebound/#")),
    ),
    "odd-one-value-a-message": ("sends each value in a message of its own", publishing(is_telemetry, _each_alone)),
    "odd-one-value-a-patch": ("reports each property of a patch in one of its own", publishing(is_report, _patches)),
    "odd-in-progress-first": (
        "acknowledges with ac 202 before it does so with 200",
        publishing(is_report, _in_progress_first),
    ),
    "odd-result-later": (
        "answers commands without a response with 202, and reports a property `sync`",
        publishing(is_answer, _result_later),
    ),
    "odd-probe": ("looks whether the port is open before it connects", conduct_with(probes=True)),
    "odd-reconnects": ("lets its first connection go", conduct_with(false_starts=1)),
    "odd-qos-0": (
        "sends telemetry with QoS 0",
        publishing(is_telemetry, lambda p: (replace(p, qos=0, packet_id=0),)),
    ),
    "odd-retain": ("sets RETAIN", publishing(is_telemetry, lambda p: (replace(p, retain=True),))),
    "odd-twice": ("sends each message twice", publishing(is_telemetry, lambda p: (p, p))),
    "odd-more-properties": ("adds properties of its own to messages", topic(lambda t: t + "&batch=7&site=%C3%A9")),
    "odd-charset": (
        "names the encoding in the content type",
        topic(lambda t: t.replace("%24.ct=application%2Fjson", "%24.ct=application%2Fjson%3B%20charset%3Dutf-8")),
    ),
    "odd-raw-topic": (
        "does not URL-encode `$` and `/` in properties of messages",
        topic(lambda t: t.replace("%24", "$").replace("%2F", "/")),
    ),
    "odd-blanks": (
        "writes blanks and line ends into its JSON",
        _body(lambda b: json.dumps(json.loads(b), indent=2).encode()),
    ),
    "odd-escapes": (
        "escapes every character of a text that is not ASCII",
        _body(lambda b: json.dumps(json.loads(b), ensure_ascii=True).encode()),
    ),
}

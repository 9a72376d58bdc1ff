"""Ways to go wrong before a device has its hub: TLS, CONNECT, credentials, and the conversation with DPS."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from .conduct import Change, conduct_with
from .settings import Settings

_TWO_DAYS = 48 * 3600.0
_FOREIGN = "0ne00FFFFFF"
"""An ID scope of somebody else."""


def _register(edit: Callable[[dict[str, Any]], dict[str, Any]]) -> Change:
    return conduct_with(edit_registration=edit)


def _settings(**changes: Any) -> Change:
    return conduct_with(edit_settings=lambda settings: replace(settings, **changes))


def _other_key(settings: Settings) -> Settings:
    return replace(settings, proof=base64.b64encode(b"another device's key, 32 bytes..").decode())


def _model_id_outside(body: dict[str, Any]) -> dict[str, Any]:
    payload = body.get("payload")
    outside = payload if isinstance(payload, Mapping) else {}
    return {**{n: v for n, v in body.items() if n != "payload"}, **outside}


def _mqtt_5(data: bytes) -> bytes:
    """The protocol level of MQTT 5 behind the protocol's name."""
    at = data.index(b"MQTT") + 4
    return data[:at] + b"\x05" + data[at + 1 :]


REGISTRATION_FAULTS: Mapping[str, tuple[str, Change]] = {
    "plain-tcp": ("speaks MQTT without TLS", conduct_with(speaks_tls=False)),
    "no-ca": ("trusts no CA", conduct_with(trusts=False)),
    "mqtt-5": ("speaks MQTT 5", conduct_with(edit_bytes=_mqtt_5)),
    "http-on-mqtt": (
        "speaks HTTP on the port of MQTT",
        conduct_with(edit_bytes=lambda data: b"GET / HTTP/1.1\r\n\r\n"),
    ),
    "amqp": (
        "speaks AMQP",
        conduct_with(port=5671, edit_bytes=lambda data: b"AMQP\x03\x01\x00\x00"),
    ),
    "foreign-scope": ("uses an ID scope of somebody else", _settings(id_scope=_FOREIGN)),
    "foreign-registration-id": ("uses a registration id that is not enrolled", _settings(registration_id="somebody")),
    "wrong-key": ("proves itself with another key", conduct_with(edit_settings=_other_key)),
    "clock-behind": ("has a clock that is two days behind", conduct_with(clock=-_TWO_DAYS)),
    "no-register": ("connects to DPS and asks for nothing", conduct_with(asks=False)),
    "no-poll": ("never asks DPS how its registration went on", conduct_with(polls=False)),
    "no-dps": ("goes to a hub that it knows, without DPS", conduct_with(uses_dps=False)),
    "model-id-outside": ("sends modelId beside the payload in place of within", _register(_model_id_outside)),
    "model-id-old-key": (
        "sends the model id as iotcModelId",
        _register(lambda body: {**body, "payload": {"iotcModelId": body["payload"]["modelId"]}}),
    ),
    "model-id-as-urn": (
        "registers with a model id of the preview, urn:...",
        _register(lambda body: {**body, "payload": {"modelId": "urn:test:seed:Station:1"}}),
    ),
}

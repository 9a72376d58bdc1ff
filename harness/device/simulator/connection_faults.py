"""Ways to go wrong in connecting to the hub, and in what is said and subscribed to there first."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import quote

from harness.mqtt import Connect, Publish, Subscribe
from harness.mqtt.packets import Will

from .conduct import FILTERS, Change, conduct_with
from .settings import Settings
from .wire import token

_USER_AGENT = "&DeviceClientType=preflight/1.0 (raw; device)"
_LARGE = 300 * 1024
"""Bytes, more than a message may have."""
_C2D = "devices/{}/messages/devicebound/#"


def _connect(edit: Callable[[Connect], Connect]) -> Change:
    return conduct_with(edit_connect=lambda packet, settings: edit(packet))


def _user(edit: Callable[[str], str]) -> Change:
    return _connect(lambda packet: replace(packet, user_name=edit(packet.user_name or "")))


def _announcing(model_id: str) -> Change:
    return _user(lambda name: f"{name.partition('&model-id=')[0]}&model-id={model_id}")


def _token_of(resource: Callable[[str], str], seconds: float = 3600.0) -> Change:
    """Another token: `resource` is made of `{hub}/devices/{device id}`."""

    def edit(packet: Connect, settings: Settings) -> Connect:
        host, _, rest = (packet.user_name or "").partition("/")
        right = f"{host}/devices/{rest.partition('/')[0]}"
        return replace(packet, password=token(resource(right), str(settings.proof), seconds))

    return conduct_with(edit_connect=edit)


def _of_another(packet: Connect) -> str:
    host, _, rest = (packet.user_name or "").partition("/")
    return f"{host}/another/{rest.partition('/')[2]}"


def _key_itself(packet: Connect, settings: Settings) -> Connect:
    return replace(packet, password=str(settings.proof).encode())


def _words(topic: str, payload: bytes = b"{}", qos: int = 1) -> Change:
    """One message at the beginning; `{}` in the topic stands for the device id."""
    return conduct_with(first_words=lambda device: (Publish(topic.format(device), payload, qos, 0xFFF0),))


def _subscribes(*filters: tuple[str, int]) -> Change:
    return conduct_with(
        first_words=lambda device: (Subscribe(0xFFF0, tuple((f.format(device), q) for f, q in filters)),)
    )


_EVENTS = "devices/{}/messages/events/"

CONNECTION_FAULTS: Mapping[str, tuple[str, Change]] = {
    # the user name
    "user-name-raw": ("does not URL-encode its user agent", _user(lambda name: name + _USER_AGENT)),
    "old-api-version": (
        "announces its model with an api-version that knows none",
        _user(lambda name: name.replace("api-version=2021-04-12", "api-version=2018-06-30")),
    ),
    "model-once": ("announces its model in its first connection only", conduct_with(announces_again=False)),
    "preview-model-key": (
        "announces its model as digital-twin-model-id",
        _user(lambda n: n.partition("model-id=")[0] + "digital-twin-model-id=" + quote(n.partition("model-id=")[2])),
    ),
    "other-model": ("announces the next version of its model to the hub", _user(lambda name: name[:-1] + "2")),
    "upper-case-model": (
        "announces its model in capitals",
        _user(lambda n: n.partition("model-id=")[0] + "model-id=" + n.partition("model-id=")[2].upper()),
    ),
    "hub-model-as-urn": ("announces a model id of the preview, urn:...", _announcing("urn:test:seed:Station:1")),
    "other-hub": (
        "comes with the name of another hub",
        _user(lambda name: "somewhere.azure-devices.net/" + name.partition("/")[2]),
    ),
    "other-device-id": (
        "comes to the hub with the id of another device",
        _connect(lambda p: replace(p, client_id="another", user_name=_of_another(p))),
    ),
    # the password
    "hub-token-of-another": ("shows the hub a token for another device", _token_of(lambda right: right + "x")),
    "hub-token-of-all": (
        "shows the hub a token for all devices, signed with its own key",
        _token_of(lambda right: right.partition("/")[0]),
    ),
    "hub-token-expired": ("shows the hub a token that has expired", _token_of(lambda right: right, -7200.0)),
    "key-as-password": ("shows the hub its key in place of a token", conduct_with(edit_connect=_key_itself)),
    # the connection
    "keep-alive-none": ("promises no keep-alive", conduct_with(keep_alive=0)),
    "foreign-will": (
        "leaves a will for a topic of its own",
        _connect(lambda packet: replace(packet, will=Will("status/gone", b"1"))),
    ),
    "restless": ("closes its first three connections at once", conduct_with(false_starts=3)),
    "second-client": ("comes with four clients of one identity", conduct_with(rivals=3)),
    # the first words
    "qos-2": ("publishes with QoS 2", _words(_EVENTS, qos=2)),
    "foreign-topic": ("publishes to a topic of its own", _words("status/{}")),
    "too-large": ("sends a message of 300 KB", _words(_EVENTS, b'{"x":"' + b"x" * _LARGE + b'"}')),
    "no-request-id": ("asks for its twin without $rid", _words("$iothub/twin/GET/?")),
    "unknown-answer": ("answers a command that nobody sent", _words("$iothub/methods/res/200/?$rid=4711")),
    "bad-properties": (
        "sends a creation time that is no time",
        _words(_EVENTS + "%24.ctime=yesterday"),
    ),
    "foreign-filter": ("subscribes to everything", _subscribes(("#", 1))),
    "wildcard-filter": ("subscribes to commands with a filter of its own", _subscribes(("$iothub/methods/+/#", 1))),
    # subscriptions
    "no-methods": ("does not subscribe to commands", conduct_with(filters=FILTERS[1:])),
    "no-desired": ("does not subscribe to desired properties", conduct_with(filters=FILTERS[:2])),
    "no-c2d-ack": (
        "subscribes to messages and does not acknowledge them",
        conduct_with(filters=(*FILTERS, _C2D), acknowledges=False),
    ),
}

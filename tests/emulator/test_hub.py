from __future__ import annotations

import json
from dataclasses import replace

import pytest

from harness.emulator.errors import ServiceError
from harness.emulator.hub.filters import DESIRED, METHODS, TWIN_ANSWERS
from harness.emulator.options import EmulatorOptions
from harness.emulator.tokens import new_key, sign
from harness.mqtt import Acknowledgement, Connack, Connect, Disconnect, Publish, Suback, Subscribe, Unsubscribe, Will
from harness.mqtt.packets import PUBACK
from harness.record.events import (
    DesiredChanged,
    HubConnected,
    HubDisconnected,
    ProtocolViolation,
    ReportedPatched,
    Subscribed,
    TelemetryReceived,
    TwinRequested,
)
from tests.emulator.fakes import HOST, MODEL, WALL, World, publish

PATCH = "$iothub/twin/PATCH/properties/reported/?$rid={}"
EVENTS = "devices/dev-1/messages/events/"


@pytest.fixture
def world() -> World:
    return World()


# --- connecting --------------------------------------------------------------------------------------


def test_connect_says_who_and_how(world: World) -> None:
    device = world.add_device()
    assert world.client().one(world.hub_connect(device)) == Connack(0)
    event = world.last(HubConnected)
    assert (event.device_id, event.model_id, event.api_version) == ("dev-1", MODEL, "2020-09-30")
    assert (event.return_code, event.authentication, event.transport) == (0, "sas", "mqtt")
    assert (event.token_expires, event.tls_version) == (int(WALL) + 3600, "TLSv1.2")
    assert device.twin.model_id == MODEL


def test_a_module_connects_as_itself(world: World) -> None:
    world.add_device()
    module = world.add_device("dev-1", "mod")
    client = world.at_hub(module)
    publish(client, "devices/dev-1/modules/mod/messages/events/a=b", b"1")
    assert world.last(TelemetryReceived).module_id == "mod"


@pytest.mark.parametrize(
    ("scope", "module", "welcome"),
    [
        ("/devices/dev-1", None, True),
        ("/devices/dev-1/", None, True),
        ("", None, False),
        ("/", None, False),
        ("/devices", None, False),
        ("/devices/dev-1/modules/mod", "mod", True),
        ("/devices/dev-1/modules", "mod", False),
        ("/devices/dev-1", "mod", False),
        ("", "mod", False),
    ],
)
def test_without_a_policy_the_scope_is_the_identity(
    world: World, scope: str, module: str | None, welcome: bool
) -> None:
    """Its key is looked up by what `sr` names; a policy's token may be for the whole hub."""
    device = world.add_device()
    identity = world.add_device("dev-1", module) if module else device
    packet = world.hub_connect(identity)
    later = int(world.wall) + 60
    packet.password = sign(HOST + scope, identity.primary_key, later).encode()
    world.client().send(packet)
    event = world.last(HubConnected)
    if welcome:
        assert event.return_code == 0
    else:
        assert (event.return_code, event.error_code) == (5, 401002)
        assert "sr does not cover" in event.reason
    packet.password = sign(HOST + scope, world.hub.access.policies["device"].primary_key, later, "device").encode()
    world.client().send(packet)
    assert world.last(HubConnected).return_code == 0


@pytest.mark.parametrize(
    ("case", "code", "reason"),
    [
        ("key", 401003, "signature"),
        ("expired", 401003, "expired"),
        ("unknown", 401003, "no such device"),
        ("host", 401002, "not this hub"),
        ("resource", 401002, "does not cover"),
        ("policy-unknown", 401002, "no policy"),
        ("no-token", 401002, "neither a token nor"),
        ("not-a-token", 401002, "not a token"),
        ("user-name", 401002, "user name"),
        ("disabled", 403012, "disabled"),
    ],
)
def test_refused_connects(world: World, case: str, code: int, reason: str) -> None:
    device = world.add_device()
    expiry = int(world.wall) - 301 if case == "expired" else None
    packet = world.hub_connect(device, key=new_key() if case == "key" else None, expiry=expiry)
    later = int(world.wall) + 60
    match case:
        case "unknown":
            packet.client_id = "dev-2"
            packet.user_name = f"{HOST}/dev-2/?api-version=2020-09-30"
        case "host":
            packet.user_name = "other.example.net/dev-1/?api-version=2020-09-30"
        case "resource":
            packet.password = sign(f"{HOST}/devices/dev-11", device.primary_key, later).encode()
        case "policy-unknown":
            packet.password = sign(HOST, device.primary_key, later, "nobody").encode()
        case "no-token":
            packet.password = None
        case "not-a-token":
            packet.password = b"\xff"
        case "user-name":
            packet.user_name = "nonsense"
        case "disabled":
            device.enabled = False
    client = world.client()
    assert client.one(packet) == Connack(5)
    assert client.closed
    event = world.last(HubConnected)
    assert (event.return_code, event.error_code) == (5, code)
    assert reason in event.reason


def test_a_policy_with_device_connect_may_speak_for_a_device(world: World) -> None:
    device = world.add_device()
    for policy, code in (("device", 0), ("service", 5)):
        packet = world.hub_connect(device)
        key = world.hub.access.policies[policy].secondary_key
        packet.password = sign(f"{HOST}/devices", key, int(world.wall) + 60, policy).encode()
        assert world.client().one(packet) == Connack(code)


def test_a_newer_connection_evicts_the_older(world: World) -> None:
    device = world.add_device()
    first, second = world.at_hub(device), world.at_hub(device)
    assert first.closed
    assert not second.closed
    assert world.last(HubDisconnected).error_code == 400027
    assert world.last(HubDisconnected).by == "hub"
    assert device.connection is not None
    assert device.connection.session is second.session


def test_keep_alive_ends_with_404104(world: World) -> None:
    client = world.at_hub(world.add_device())
    world.advance(90.1)
    assert client.closed
    assert world.last(HubDisconnected).error_code == 404104


def test_the_connection_ends_with_its_token_and_grace(world: World) -> None:
    device = world.add_device()
    client = world.client()
    client.send(world.hub_connect(device, expiry=int(world.wall) + 60, keep_alive=0))
    world.advance(359)
    assert not client.closed
    world.advance(2)
    assert client.closed
    assert world.last(HubDisconnected).error_code == 401003


def test_ends_by_device_and_by_network(world: World) -> None:
    device = world.add_device()
    world.at_hub(device).send(Disconnect())
    world.at_hub(device).session.lost("reset")
    assert [(event.by, event.reason) for event in world.seen(HubDisconnected)] == [
        ("device", "DISCONNECT"),
        ("network", "reset"),
    ]
    assert device.connection is None
    assert world.timers.pending == 0


def test_model_id_is_kept_or_forgotten() -> None:
    for keep in (True, False):
        world = World(EmulatorOptions(keep_model_id=keep))
        device = world.add_device()
        world.at_hub(device)
        world.client().send(world.hub_connect(device, query="api-version=2020-09-30"))
        assert device.twin.model_id == (MODEL if keep else None)
        assert world.last(HubConnected).model_id is None


def test_what_arrives_before_connect_is_recorded(world: World) -> None:
    client = world.client()
    client.session.receive(b"GET / HTTP/1.1\r\n\r\n")
    assert client.closed
    assert world.last(ProtocolViolation).device_id == ""


# --- subscriptions -----------------------------------------------------------------------------------


def test_several_filters_in_one_subscribe(world: World) -> None:
    client = world.at_hub(world.add_device())
    wanted = ((METHODS, 0), (DESIRED, 1), ("devices/+/messages/devicebound/#", 2))
    assert client.one(Subscribe(9, wanted)) == Suback(9, (0, 1, 1))
    assert world.last(Subscribed).filters == ((METHODS, 0, 0), (DESIRED, 1, 1), (wanted[2][0], 2, 1))


@pytest.mark.parametrize(
    "foreign",
    ["#", "$iothub/#", "devices/dev-2/messages/devicebound/#", "devices/dev-1/modules/m/#", "$iothub/methods/POST/+"],
)
def test_foreign_filters_close(world: World, foreign: str) -> None:
    client = world.at_hub(world.add_device())
    assert client.send(Subscribe(1, ((METHODS, 1), (foreign, 1)))) == []
    assert client.closed
    assert world.last(ProtocolViolation).rule == "foreign-filter"
    assert world.last(Subscribed).filters[1][2] == 128


def test_switch_foreign_filters_fail() -> None:
    world = World(EmulatorOptions(foreign_filter="failure", max_filters=2))
    client = world.at_hub(world.add_device())
    assert client.one(Subscribe(1, ((METHODS, 1), ("#", 1)))) == Suback(1, (1, 128))
    client.send(Subscribe(2, ((DESIRED, 1), (TWIN_ANSWERS, 1))))
    assert client.closed
    assert world.last(ProtocolViolation).rule == "too-many-filters"


def test_a_session_keeps_its_subscriptions(world: World) -> None:
    device = world.add_device()
    world.at_hub(device, DESIRED, METHODS).send(Unsubscribe(2, (METHODS,)), Disconnect())
    client = world.client()
    assert client.one(world.hub_connect(device)) == Connack(0, session_present=True)
    world.hub.update_twin(device, {"properties": {"desired": {"a": 1}}})
    assert [packet.topic for packet in client.received() if isinstance(packet, Publish)] == [
        "$iothub/twin/PATCH/properties/desired/?$version=2"
    ]
    assert device.connection is not None
    assert not device.connection.takes_methods


def test_a_clean_session_forgets(world: World) -> None:
    device = world.add_device()
    world.at_hub(device, DESIRED)
    assert world.client().one(world.hub_connect(device, clean=True)) == Connack(0)
    assert world.client().one(world.hub_connect(device)) == Connack(0)
    assert device.subscriptions == {}


# --- telemetry ---------------------------------------------------------------------------------------


def test_telemetry_with_its_property_bag(world: World) -> None:
    client = world.at_hub(world.add_device())
    answer = client.one(
        Publish(EVENTS + "%24.sub=t1&%24.ct=application%2Fjson&%24.ce=utf-8&%24.mid=7&colour=red&x", b"{}", 1, 3)
    )
    assert answer == Acknowledgement(PUBACK, 3)
    event = world.last(TelemetryReceived)
    assert (event.component, event.content_type, event.content_encoding) == ("t1", "application/json", "utf-8")
    assert (event.payload, event.model_id, event.qos) == (b"{}", MODEL, 1)
    assert dict(event.system) == {"sub": "t1", "ct": "application/json", "ce": "utf-8", "mid": "7"}
    assert dict(event.properties) == {"colour": "red", "x": None}


@pytest.mark.parametrize("topic", [EVENTS, EVENTS[:-1], EVENTS + "?"])
def test_telemetry_topics(world: World, topic: str) -> None:
    publish(world.at_hub(world.add_device()), topic, b"1")
    assert world.last(TelemetryReceived).component is None


def test_retain_becomes_a_property(world: World) -> None:
    world.at_hub(world.add_device()).send(Publish(EVENTS, b"1", retain=True))
    assert dict(world.last(TelemetryReceived).properties) == {"mqtt-retain": "true"}


def test_a_will_is_telemetry_unless_the_device_said_goodbye(world: World) -> None:
    device = world.add_device()
    packet = replace(world.hub_connect(device), will=Will(EVENTS + "a=1", b"bye"))
    for last, expected in ((Disconnect(), 0), (None, 1)):
        client = world.client()
        client.send(packet)
        if last:
            client.send(last)
        client.session.lost("gone")
        assert len(world.seen(TelemetryReceived)) == expected
    assert dict(world.last(TelemetryReceived).properties) == {"a": "1", "iothub-MessageType": "Will"}


@pytest.mark.parametrize(
    ("packet", "rule"),
    [
        (Publish("devices/dev-2/messages/events/", b""), "unknown-topic"),
        (Publish("devices/dev-1/messages/eventsX", b""), "unknown-topic"),
        (Publish("devices/dev-1/modules/m/messages/events/", b""), "unknown-topic"),
        (Publish("elsewhere", b""), "unknown-topic"),
        (Publish(EVENTS, b"", 2, 1), "qos-2"),
        (Publish(EVENTS, bytes(256 * 1024 + 1)), "message-too-large"),
        (Publish("$iothub/twin/GET/", b""), "unknown-topic"),
        (Publish("$iothub/twin/GET/?", b""), "no-request-id"),
        (Publish("$iothub/methods/res/ok/?$rid=1", b""), "unknown-topic"),
    ],
)
def test_breaches_close(world: World, packet: Publish, rule: str) -> None:
    client = world.at_hub(world.add_device())
    client.send(packet)
    assert client.closed
    assert world.last(ProtocolViolation).rule == rule
    assert world.last(HubDisconnected).by == "hub"
    assert world.seen(TelemetryReceived) == []


def test_switch_qos_2_is_acknowledged() -> None:
    world = World(EmulatorOptions(qos2_publish="puback"))
    assert world.at_hub(world.add_device()).one(Publish(EVENTS, b"", 2, 4)) == Acknowledgement(PUBACK, 4)


# --- twins -------------------------------------------------------------------------------------------


def test_twin_get_is_answered_even_before_the_subscription(world: World) -> None:
    client = world.at_hub(world.add_device())
    (answer,) = publish(client, "$iothub/twin/GET/?$rid=abc-1", b" ")
    assert (answer.topic, answer.qos) == ("$iothub/twin/res/200/?$rid=abc-1", 0)
    assert json.loads(answer.payload) == {"desired": {"$version": 1}, "reported": {"$version": 1}}
    assert world.last(TwinRequested) == TwinRequested("dev-1", None, "abc-1", 200)


def test_reported_patch(world: World) -> None:
    device = world.add_device()
    client = world.at_hub(device, TWIN_ANSWERS)
    (answer,) = publish(client, PATCH.format(5), b'{"a":{"b":1}}', 1)
    assert (answer.topic, answer.payload, answer.qos) == ("$iothub/twin/res/204/?$rid=5&$version=2", b"", 1)
    assert device.twin.reported.values == {"a": {"b": 1}}
    assert world.last(ReportedPatched) == ReportedPatched("dev-1", None, "5", b'{"a":{"b":1}}', 204, 2)


@pytest.mark.parametrize(
    ("payload", "status", "code"),
    [
        (b"{", 400, 400004),
        (b'{"a":1}\0\0', 400, 400004),
        (b"", 400, 400004),
        (b"[]", 400, 400004),
        (b'{"a":NaN}', 400, 400004),
        (b'{"a":"\\ud800"}', 400, 400004),
        (b'{"a":' * 50_000, 400, 400004),
        (b'{"a.b":1}', 400, 400004),
        (b'{"a":' + b"9" * 5000 + b"}", 400, 400004),
        (json.dumps({str(n): "x" * 4000 for n in range(9)}).encode(), 403, 403100),
    ],
)
def test_bad_patches_are_answered_and_cost_nothing(world: World, payload: bytes, status: int, code: int) -> None:
    client = world.at_hub(world.add_device(), TWIN_ANSWERS)
    (answer,) = publish(client, PATCH.format("r"), payload)
    assert answer.topic == f"$iothub/twin/res/{status}/?$rid=r"
    assert json.loads(answer.payload)["errorCode"] == code
    event = world.last(ReportedPatched)
    assert (event.status, event.error_code, event.version) == (status, code, None)
    assert event.message
    assert not client.closed


def test_without_api_version_patches_are_refused(world: World) -> None:
    client = world.client()
    client.send(world.hub_connect(world.add_device(), query=""))
    (answer,) = publish(client, PATCH.format(1), b"{}")
    assert "/400/" in answer.topic


def test_desired_changes_reach_a_subscribed_device(world: World) -> None:
    device = world.add_device()
    client = world.at_hub(device)
    world.hub.update_twin(device, {"properties": {"desired": {"a": 1}}})
    assert client.received() == []
    client.send(Subscribe(3, ((DESIRED, 0),)))
    world.hub.update_twin(device, {"properties": {"desired": {"a": None, "b": 2}}})
    (packet,) = client.received()
    assert isinstance(packet, Publish)
    assert json.loads(packet.payload) == {"a": None, "b": 2, "$version": 3}
    assert (packet.topic, packet.qos) == ("$iothub/twin/PATCH/properties/desired/?$version=3", 0)
    assert [(event.version, event.delivered) for event in world.seen(DesiredChanged)] == [(2, False), (3, True)]


def test_replacing_sends_the_whole_document_and_tags_send_nothing(world: World) -> None:
    device = world.add_device()
    client = world.at_hub(device, DESIRED)
    world.hub.replace_twin(device, {"properties": {"desired": {"a": 1, "b": None}}})
    world.hub.update_twin(device, {"tags": {"x": 1}})
    (packet,) = client.received()
    assert isinstance(packet, Publish)
    assert json.loads(packet.payload) == {"a": 1, "$version": 2}


def test_etags_are_checked(world: World) -> None:
    device = world.add_device()
    for good in (None, "*", '"*"'):
        world.hub.update_twin(device, {"tags": {}}, good)
    world.hub.update_twin(device, {"tags": {}}, f'"{device.twin.etag}"')
    with pytest.raises(ServiceError) as caught:
        world.hub.update_twin(device, {"tags": {}}, '"AAAA"')
    assert caught.value.status == 412


# --- the registry ------------------------------------------------------------------------------------


def test_disabling_and_deleting_drop_the_connection(world: World) -> None:
    device = world.add_device()
    for change, code in (
        (lambda: world.hub.put_device("dev-1", {"status": "disabled"}, "*"), 403012),
        (lambda: world.hub.delete_device("dev-1", None), 404001),
    ):
        device.enabled = True
        client = world.at_hub(device)
        change()
        assert client.closed
        assert world.last(HubDisconnected).error_code == code
    with pytest.raises(ServiceError):
        world.hub.registry.get("dev-1")


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"deviceId": "other"},
        {"status": "asleep"},
        {"authentication": "x"},
        {"authentication": {"type": "guess"}},
        {"authentication": {"symmetricKey": {"primaryKey": "short"}}},
        {"authentication": {"symmetricKey": "x"}},
    ],
)
def test_device_bodies_that_are_refused(world: World, body: object) -> None:
    with pytest.raises(ServiceError) as caught:
        world.hub.put_device("new", body, None)
    assert caught.value.status == 400
    assert world.hub.registry.find("new") is None


def test_keys_are_generated_or_taken(world: World) -> None:
    key = new_key()
    body = {"authentication": {"symmetricKey": {"primaryKey": key, "secondaryKey": ""}}}
    device = world.hub.put_device("new", body, None)
    assert device.primary_key == key
    assert device.secondary_key
    with pytest.raises(ServiceError) as caught:
        world.hub.put_device("new", {}, None)
    assert caught.value.code == 409001


def test_connect_of_a_client_id_with_too_many_parts(world: World) -> None:
    assert world.client().one(Connect("a/b/c", f"{HOST}/a/b/c/?x", b"t")) == Connack(5)

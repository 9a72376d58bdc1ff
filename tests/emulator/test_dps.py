from __future__ import annotations

import json
from typing import Any

import pytest

from harness.emulator.dps.enrollments import Enrolled, GroupSymmetricKey, SymmetricKey
from harness.emulator.options import EmulatorOptions
from harness.emulator.tokens import derive_key, new_key, sign
from harness.mqtt import Connack, Connect, Publish, Suback, Subscribe
from harness.record.events import (
    DeviceAssigned,
    ProtocolViolation,
    ProvisioningConnected,
    ProvisioningDisconnected,
    RegistrationAnswered,
    RegistrationPolled,
    RegistrationRequested,
)
from tests.emulator.fakes import HOST, SCOPE, World, publish
from tests.mqtt.fakes import Client

REGISTER = "$dps/registrations/PUT/iotdps-register/?$rid={}"
POLL = "$dps/registrations/GET/iotdps-get-operationstatus/?$rid={}&operationId={}"


@pytest.fixture
def world() -> World:
    return World()


def register(client: Client, body: bytes = b'{"registrationId":"reg-1"}', rid: str = "r1") -> tuple[str, Any]:
    (answer,) = publish(client, REGISTER.format(rid), body, 1)
    return answer.topic, json.loads(answer.payload)


def poll(client: Client, operation_id: str, rid: str = "p1") -> tuple[str, Any]:
    (answer,) = publish(client, POLL.format(rid, operation_id), b" ")
    return answer.topic, json.loads(answer.payload)


def test_register_poll_assigned(world: World) -> None:
    key = world.enroll(device_id="dev-9", payload={"hello": 1})
    client = world.at_dps(key.primary)
    body = b'{"registrationId":"reg-1","payload":{"modelId":"dtmi:a;1"}}'

    topic, accepted = register(client, body)
    assert topic == "$dps/registrations/res/202/?$rid=r1&retry-after=1"
    assert accepted == {"operationId": accepted["operationId"], "status": "assigning"}

    topic, done = poll(client, accepted["operationId"])
    assert topic == "$dps/registrations/res/200/?$rid=p1"
    state = done["registrationState"]
    assert done["status"] == state["status"] == "assigned"
    assert (state["assignedHub"], state["deviceId"], state["substatus"]) == (HOST, "dev-9", "initialAssignment")
    assert state["payload"] == {"hello": 1}
    assert world.hub.registry.get("dev-9").primary_key == key.primary

    assert world.last(RegistrationRequested) == RegistrationRequested("reg-1", "r1", body)
    assert world.last(RegistrationPolled).operation_id == accepted["operationId"]
    assert [(a.status, a.retry_after) for a in world.seen(RegistrationAnswered)] == [(202, 1), (200, None)]
    assert world.seen(DeviceAssigned) == [DeviceAssigned("reg-1", HOST, "dev-9")]


def test_connect_is_recorded_and_so_is_the_end(world: World) -> None:
    client = world.at_dps(world.enroll().primary)
    client.session.lost("gone")
    connected = world.last(ProvisioningConnected)
    assert (connected.return_code, connected.client_version, connected.keep_alive) == (0, "test/1", 60)
    assert world.last(ProvisioningDisconnected) == ProvisioningDisconnected("reg-1", "network", "gone")


def test_the_secondary_key_is_as_good(world: World) -> None:
    assert register(world.at_dps(world.enroll().secondary))[1]["status"] == "assigning"


def test_polls_answered_assigning_before(world: World) -> None:
    world = World(EmulatorOptions(polls_before_assigned=2, retry_after=3))
    client = world.at_dps(world.enroll().primary)
    operation = register(client)[1]["operationId"]
    statuses = [poll(client, operation) for _ in range(3)]
    assert [topic.split("/")[3] for topic, _ in statuses] == ["202", "202", "200"]
    assert statuses[0][0].endswith("&retry-after=3")
    assert len(world.seen(DeviceAssigned)) == 1


@pytest.mark.parametrize("body", [b"", b" ", b"{}", b'{"payload":null}', b'{"registrationId":"REG-1","payload":[1]}'])
def test_bodies_that_are_accepted(world: World, body: bytes) -> None:
    assert "/202/" in register(world.at_dps(world.enroll().primary), body)[0]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", 400012),
        (b"[]", 400012),
        (b"{}\0", 400012),
        (b"\xff", 400012),
        (b'{"payload":NaN}', 400012),
        (b"[" * 90_000, 400012),
        (b'{"modelId":"dtmi:a;1"}', 400012),
        (b'{"registrationId":"other"}', 400004),
        (b'{"registrationId":1}', 400004),
        (b'"' + b"x" * 99_000 + b'"', 413001),
    ],
)
def test_bodies_that_are_not(world: World, body: bytes, code: int) -> None:
    client = world.at_dps(world.enroll().primary)
    topic, error = register(client, body)
    assert topic == "$dps/registrations/res/400/?$rid=r1"
    assert error["errorCode"] == code
    assert set(error) == {"errorCode", "trackingId", "message", "timestampUtc"}
    assert world.last(RegistrationAnswered).error_code == code
    assert "/202/" in register(client)[0]


def test_a_wrong_key_is_answered_401(world: World) -> None:
    world.enroll()
    topic, error = register(world.at_dps(new_key()))
    assert topic == "$dps/registrations/res/401/?$rid=r1"
    assert error["errorCode"] == 401002
    assert "signature" in world.last(ProvisioningConnected).reason
    assert "signature" not in error["message"]


@pytest.mark.parametrize("case", ["resource", "expired", "none"])
def test_other_wrong_credentials_are_answered_401_too(world: World, case: str) -> None:
    key = world.enroll().primary
    packet = world.dps_connect(key)
    if case == "resource":
        packet.password = sign(f"{SCOPE}/registrations/other", key, int(world.wall) + 60).encode()
    elif case == "expired":
        packet.password = sign(f"{SCOPE}/registrations/reg-1", key, int(world.wall) - 301).encode()
    else:
        packet.password = None
    client = world.client()
    assert client.send(packet, Subscribe(1, (("$dps/registrations/res/#", 1),)))[0] == Connack(0)
    assert "/401/" in register(client)[0]


def test_a_slow_clock_is_forgiven_for_five_minutes(world: World) -> None:
    key = world.enroll().primary
    packet = world.dps_connect(key)
    packet.password = sign(f"{SCOPE}/registrations/REG-1", key, int(world.wall) - 299).encode()
    client = world.client()
    client.send(packet, Subscribe(1, (("$dps/registrations/res/#", 1),)))
    assert "/202/" in register(client)[0]


def test_switch_refuse_wrong_credentials_at_connect() -> None:
    world = World(EmulatorOptions(dps_wrong_credential="connack-5"))
    world.enroll()
    assert world.client().one(world.dps_connect(new_key())) == Connack(5)


def test_nobody_enrolled_it(world: World) -> None:
    topic, error = register(world.at_dps(new_key()))
    assert topic == "$dps/registrations/res/404/?$rid=r1"
    assert error["errorCode"] == 404201


@pytest.mark.parametrize(
    ("user_name", "password"),
    [
        (f"{SCOPE}/registrations/reg-1", None),
        (f"{SCOPE}/registrations/reg-2/api-version=2019-03-31", None),
        ("0neOTHER/registrations/reg-1/api-version=2019-03-31", None),
        (f"{SCOPE}/registrations/reg-1/api-version=2019-03-31", b"no token"),
        (f"{SCOPE}/registrations/reg-1/api-version=2019-03-31", b"\xff\xfe"),
    ],
)
def test_what_cannot_be_read_is_refused_at_connect(world: World, user_name: str, password: bytes | None) -> None:
    world.enroll()
    client = world.client()
    assert client.one(Connect("reg-1", user_name, password)) == Connack(5)
    assert client.closed
    assert world.last(ProvisioningConnected).return_code == 5
    assert world.last(ProvisioningConnected).reason


def test_a_disabled_enrollment_ends_as_disabled(world: World) -> None:
    client = world.at_dps(world.enroll(enabled=False).primary)
    _, done = poll(client, register(client)[1]["operationId"])
    assert done["status"] == done["registrationState"]["status"] == "disabled"
    assert world.seen(DeviceAssigned) == []


def test_a_group_takes_derived_keys_and_refuses_its_own(world: World) -> None:
    group = GroupSymmetricKey()
    world.enrollments.add(Enrolled(group, group_id="fleet"))
    derived = derive_key(group.primary, "any-1")
    client = world.at_dps(derived, "any-1")
    _, done = poll(client, register(client, b"")[1]["operationId"])
    assert done["registrationState"]["symmetricKey"] == {"enrollmentGroupId": "fleet"}
    assert world.hub.registry.get("any-1").primary_key == derived
    assert "/401/" in register(world.at_dps(group.primary, "any-1"), b"")[0]


def test_polls_for_what_is_not_there(world: World) -> None:
    client = world.at_dps(world.enroll().primary)
    assert poll(client, "4.x")[1]["errorCode"] == 404202
    assert poll(client, "")[1]["errorCode"] == 400004


def test_a_new_enrollment_replaces_the_devices_keys(world: World) -> None:
    for _ in range(2):
        key = world.enroll()
        client = world.at_dps(key.primary)
        poll(client, register(client)[1]["operationId"])
    assert world.hub.registry.get("reg-1").keys == (key.primary, key.secondary)


def test_no_answer_without_a_subscription(world: World) -> None:
    client = world.client()
    client.send(world.dps_connect(world.enroll().primary))
    assert publish(client, REGISTER.format(1)) == []
    assert world.last(RegistrationAnswered).status == 202


@pytest.mark.parametrize(
    ("topic", "qos", "rule"),
    [
        ("devices/reg-1/messages/events/", 0, "unknown-topic"),
        ("$dps/registrations/PUT/iotdps-register/", 0, "unknown-topic"),
        ("$dps/registrations/PUT/iotdps-register/?x=1", 0, "no-request-id"),
        (REGISTER.format("x" * 65_000), 0, "no-request-id"),
        (REGISTER.format(1), 2, "qos-2"),
    ],
)
def test_breaches_close_the_connection(world: World, topic: str, qos: int, rule: str) -> None:
    client = world.at_dps(world.enroll().primary)
    client.send(Publish(topic, b"", qos, 1 if qos else 0))
    assert client.closed
    assert world.last(ProtocolViolation).rule == rule
    assert world.last(ProvisioningDisconnected).by == "dps"


def test_foreign_filters_close_or_fail() -> None:
    for option, closed in (("close", True), ("failure", False)):
        world = World(EmulatorOptions(foreign_filter=option))
        client = world.at_dps(world.enroll().primary)
        answers = client.send(Subscribe(2, (("$dps/registrations/res/#", 2), ("#", 0))))
        assert client.closed is closed
        assert answers == ([] if closed else [Suback(2, (1, 128))])


def test_no_secret_is_recorded(world: World) -> None:
    key: SymmetricKey = world.enroll()
    packet = world.dps_connect(key.primary)
    client = world.client()
    client.send(packet, Subscribe(1, (("$dps/registrations/res/#", 1),)))
    poll(client, register(client)[1]["operationId"])
    record = repr(world.events)
    assert key.primary not in record
    assert (packet.password or b"?").decode() not in record
    assert "sig=" not in record

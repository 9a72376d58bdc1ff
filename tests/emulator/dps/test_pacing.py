"""Polling faster than allowed is recorded; registrations of the whole instance may be throttled."""

from __future__ import annotations

import json

import pytest

from harness.emulator.options import EmulatorOptions
from harness.record.events import ProtocolViolation, RegistrationAnswered
from tests.emulator.fakes import World, publish
from tests.mqtt.fakes import Client

REGISTER = "$dps/registrations/PUT/iotdps-register/?$rid={}"
POLL = "$dps/registrations/GET/iotdps-get-operationstatus/?$rid={}&operationId={}"


class Device:
    """Registers and polls when it is told to."""

    def __init__(self, options: EmulatorOptions, registration_id: str = "reg-1", world: World | None = None) -> None:
        self.world = world or World(options)
        self.client: Client = self.world.at_dps(self.world.enroll(registration_id).primary, registration_id)
        self.operation = ""

    def register(self) -> int:
        (answer,) = publish(self.client, REGISTER.format("r"), b"{}")
        self.operation = json.loads(answer.payload).get("operationId", "")
        return int(answer.topic.split("/")[3])

    def poll_after(self, seconds: float) -> None:
        self.world.advance(seconds)
        publish(self.client, POLL.format("p", self.operation), b" ")

    @property
    def breaches(self) -> list[str]:
        assert not self.client.closed
        return [event.rule for event in self.world.seen(ProtocolViolation) if not event.closed]


def test_heeding_retry_after_is_fast_enough() -> None:
    device = Device(EmulatorOptions(retry_after=1, polls_before_assigned=30))
    device.register()
    for _ in range(20):
        device.poll_after(1.0)
    assert device.breaches == []


def test_the_first_poll_may_come_at_once_and_the_second_not() -> None:
    device = Device(EmulatorOptions(retry_after=10, polls_before_assigned=9))
    device.register()
    device.poll_after(2.0)
    assert device.breaches == []
    device.poll_after(9.4)
    assert device.breaches == ["dps-poll-too-early"]
    violation = device.world.last(ProtocolViolation)
    assert (violation.device_id, violation.closed) == ("reg-1", False)
    assert violation.detail == "9.4 s after an answer with retry-after=10"
    device.poll_after(9.6)
    assert len(device.breaches) == 1
    assert [a.status for a in device.world.seen(RegistrationAnswered)] == [202, 202, 202, 202]


def test_a_new_registration_begins_anew() -> None:
    device = Device(EmulatorOptions(retry_after=10, polls_before_assigned=9))
    for _ in range(2):
        device.register()
        device.poll_after(0.1)
    assert device.breaches == []


def test_more_than_five_polls_in_ten_seconds() -> None:
    """After the result there is no retry-after to heed, and still a limit."""
    device = Device(EmulatorOptions())
    device.register()
    device.poll_after(2.0)
    for _ in range(4):
        device.poll_after(1.0)
    assert device.breaches == []
    device.poll_after(1.0)
    assert device.breaches == ["dps-poll-rate"]
    device.poll_after(20.0)
    assert len(device.breaches) == 1


@pytest.mark.parametrize(("retry_after", "topic"), [(7, "&retry-after=7"), (None, "$rid=r")])
def test_registrations_are_throttled(retry_after: int | None, topic: str) -> None:
    options = EmulatorOptions(dps_registrations_per_minute=2, dps_throttled_retry_after=retry_after)
    first = Device(options)
    second = Device(options, "reg-2", first.world)
    assert [first.register(), second.register(), first.register()] == [202, 202, 429]
    answer = first.world.last(RegistrationAnswered)
    assert (answer.error_code, answer.retry_after) == (429001, retry_after)
    (again,) = publish(first.client, REGISTER.format("r"), b"{}")
    assert again.topic.endswith(topic)
    assert first.breaches == ([] if retry_after is None else ["dps-register-too-early"])
    first.world.advance(60)
    assert first.register() == 202


def test_refused_credentials_do_not_count_for_the_throttle() -> None:
    device = Device(EmulatorOptions(dps_registrations_per_minute=1))
    intruder = device.world.at_dps(device.world.add_device("x").primary_key)
    (answer,) = publish(intruder, REGISTER.format("r"), b"{}")
    assert "/401/" in answer.topic
    assert device.register() == 202

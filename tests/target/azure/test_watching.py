"""What a watch of registration and twin records, and what it makes of services that fail."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from harness.azure.provisioning import ProvisioningError
from harness.record import events as ev
from harness.record.recorder import Recorder
from harness.target.azure import watching
from harness.target.azure.watching import Watch
from harness.target.service import ServiceError

HUB = "hub.azure-devices.net"
DATE = "2026-01-01T00:00:0{}Z"


def twin(reported: Mapping[str, Any], n: int, *, connected: bool = True, desired: int = 1) -> dict[str, Any]:
    dates = {name: {"$lastUpdated": DATE.format(n)} for name in reported}
    return {
        "connectionState": "Connected" if connected else "Disconnected",
        "modelId": "dtmi:x;1",
        "authenticationType": "sas",
        "properties": {
            "reported": {**reported, "$version": n, "$metadata": {"$lastUpdated": DATE.format(n), **dates}},
            "desired": {"$version": desired, "$metadata": {}},
        },
    }


class Services:
    """What DPS and hub say, one answer after the other; the last one from then on."""

    def __init__(self, registrations: list[Any], twins: list[Any]) -> None:
        self._answers = {"registration": registrations, "twin": twins}
        self._lock = threading.Lock()

    def registration(self) -> Any:
        return self._next("registration")

    def twin(self) -> Any:
        return self._next("twin")

    def _next(self, what: str) -> Any:
        with self._lock:
            answers = self._answers[what]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


ASSIGNED = {"status": "assigned", "assignedHub": HUB, "deviceId": "dev", "substatus": "initialAssignment"}
Watching = Callable[..., Recorder]


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Watching]:
    for name in ("_SOON", "_OFTEN", "_SELDOM", "_LONGEST"):
        monkeypatch.setattr(watching, name, 0.001)
    started: list[Watch] = []

    def begin(registrations: list[Any], twins: list[Any], **options: Any) -> Recorder:
        recorder, services = Recorder(), Services(registrations, twins)
        one = Watch(
            lambda event: (recorder.emit(event), None)[1],
            registration_id="reg",
            device_id="dev",
            hub=HUB,
            registration=services.registration,
            twin=services.twin,
            **options,
        )
        started.append(one)
        one.start()
        return recorder

    yield begin
    for one in started:
        one.stop()


def told(recorder: Recorder, kind: type[ev.Event], count: int = 1) -> Any:
    seen = 0

    def match(entry: ev.Entry) -> Any:
        nonlocal seen
        seen += isinstance(entry.event, kind)
        return entry.event if isinstance(entry.event, kind) and seen == count else None

    found = recorder.wait(match, 30.0)
    assert found is not None, [e.event for e in recorder.entries]
    return found


def test_a_device_registers_connects_and_reports(watch: Watching) -> None:
    recorder = watch(
        [None, {"status": "unassigned"}, {"status": "assigning"}, ASSIGNED],
        [ServiceError("404001: no such device", 404, 404001), twin({}, 1, connected=False), twin({"a": 1}, 2)],
    )
    connected = told(recorder, ev.HubConnected)
    assert (connected.device_id, connected.model_id, connected.authentication) == ("dev", "dtmi:x;1", "sas")
    assert (connected.transport, connected.raw_user_name, connected.tls_version) == ("", "", "")
    reported = told(recorder, ev.ReportedPatched)
    assert json.loads(reported.payload) == {"a": 1}
    assert (reported.status, reported.version) == (204, 2)
    kinds = [entry.event.kind for entry in recorder.entries]
    assert kinds[:4] == ["registration_read", "registration_read", "device_assigned", "hub_connected"]
    assert "watch_broken" not in kinds  # a hub that does not know the device yet is none


def test_a_registration_that_fails_is_told_with_its_state(watch: Watching) -> None:
    failed = {"status": "failed", "errorCode": 400209, "errorMessage": "unauthorized"}
    recorder = watch([failed], [twin({}, 1)])
    assert told(recorder, ev.RegistrationRead).state == failed


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"assignedHub": "other.azure-devices.net"}, "assigned the device to the hub other.azure-devices.net"),
        ({"deviceId": "Dev"}, "--device-id Dev"),
    ],
)
def test_a_device_that_is_sent_elsewhere_cannot_be_tested_here(
    watch: Watching, change: dict[str, str], says: str
) -> None:
    recorder = watch([{**ASSIGNED, **change}], [twin({}, 1)])
    assert says in told(recorder, ev.TargetFailed).message


def test_what_cannot_be_read_is_told_once_and_that_it_can_again(watch: Watching) -> None:
    gone = ServiceError("the hub could not be reached: no answer came in time.")
    recorder = watch(
        [ProvisioningError("429: busy", 429), ASSIGNED], [twin({}, 1), gone, gone, gone, twin({"a": 1}, 2)]
    )
    told(recorder, ev.ReportedPatched)
    broken = [e.event for e in recorder.entries if isinstance(e.event, (ev.WatchBroken, ev.WatchResumed))]
    assert [(e.kind, e.what) for e in broken] == [
        ("watch_broken", "registration"),
        ("watch_resumed", "registration"),
        ("watch_broken", "twin"),
        ("watch_resumed", "twin"),
    ]


def test_a_lost_connection_and_a_new_one(watch: Watching) -> None:
    recorder = watch([ASSIGNED], [twin({}, 1), twin({}, 1, connected=False), twin({}, 1)])
    told(recorder, ev.HubConnected, 2)
    assert told(recorder, ev.HubDisconnected).by == ""


def test_an_old_connection_of_a_device_that_is_started_here_is_no_news(watch: Watching) -> None:
    stale = {**twin({"a": 1}, 5), "lastActivityTime": DATE.format(1)}
    again = {**twin({"a": 1}, 5), "lastActivityTime": DATE.format(2)}
    old = {**ASSIGNED, "lastUpdatedDateTimeUtc": "2025"}
    recorder = watch([old], [stale, stale, stale, again], existing=True, ours=True)
    told(recorder, ev.HubConnected)
    # What the twin held before counts as reported: certification read it from there.
    assert json.loads(told(recorder, ev.ReportedPatched).payload) == {"a": 1}
    assert not [e for e in recorder.entries if isinstance(e.event, ev.DeviceAssigned)]


def test_a_change_by_somebody_else_is_told_apart_from_ones_own(watch: Watching) -> None:
    others = twin({}, 1, desired=3)
    others["properties"]["desired"]["speed"] = 7
    recorder = watch([ASSIGNED], [twin({}, 1), twin({}, 1), others])
    changed = told(recorder, ev.DesiredChanged)
    assert (changed.version, changed.patch) == (3, {"speed": 7})

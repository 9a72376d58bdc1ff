"""What a target without the wire cannot show is not judged, and what a service kept from being seen is not missing."""

from __future__ import annotations

from typing import Any

import pytest

from harness.checks import CHECKS, Judgement, judge
from harness.checks.evidence import Evidence
from harness.checks.seeing import service_failed, unseen_reason
from harness.record import events as ev
from harness.record.events import Entry, Event
from harness.verdict import Finding, Outcome, Severity

OPENED = ev.TargetOpened(
    "azure", {"dps": "dps.net", "id-scope": "0ne1"}, ("registration", "telemetry", "twin", "commands")
)
CONNECTED = ev.HubConnected("dev", None, 0, "dtmi:x;1", "", "", 0, False, False, "", "sas", "")


def evidence(*events: Event, every: float = 10.0) -> Evidence:
    return Evidence("dtmi:x;1").extend(Entry(n, n * every, event) for n, event in enumerate(events, 1))


@pytest.mark.parametrize(
    "check",
    [
        "transport_is_mqtt",
        "user_name_is_encoded",
        "api_version_knows_models",
        "keeps_mqtt_rules",
        "one_connection_for_an_identity",
        "connection_holds",
        "model_id_announced_to_hub",
        "model_id_in_dps_payload",
        "refused_patches_are_read",
        "edge_tls",
        "keeps_alive",
    ],
)
def test_an_empty_field_is_not_judged(check: str) -> None:
    result = judge(Judgement(CHECKS[check]), evidence(OPENED, CONNECTED))
    assert result.outcome is Outcome.NOT_OBSERVABLE, result
    assert "local" in result.reason


def test_a_device_that_never_registered_is_not_said_to_be_silent() -> None:
    result = judge(Judgement(CHECKS["registers_through_dps"]), evidence(OPENED))
    (found,) = result.findings
    assert "as far as Azure shows" in found.message
    assert "0ne1 is the ID scope" in found.remedy


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ({"status": "disabled"}, "enrollment-disabled"),
        ({"status": "failed", "errorCode": 400209, "errorMessage": "no"}, "registration-failed"),
    ],
)
def test_a_registration_that_ended_badly_is_the_cause(state: dict[str, Any], code: str) -> None:
    held = evidence(OPENED, ev.RegistrationRead("reg", state))
    (found,) = judge(Judgement(CHECKS["registers_through_dps"]), held).findings
    assert (found.code, found.events) == (code, (2,))


def test_without_access_to_dps_nothing_is_said_of_it() -> None:
    opened = ev.TargetOpened("azure", {}, ("telemetry", "twin", "commands"))
    result = judge(Judgement(CHECKS["registers_through_dps"]), evidence(opened, CONNECTED))
    assert result.outcome is Outcome.NOT_OBSERVABLE


def _finding(code: str) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, requirement="r", message="m", element="")


BROKEN, RESUMED = ev.WatchBroken("twin", "no network"), ev.WatchResumed("twin", 9.0)


def test_what_is_missing_while_the_services_were_out_of_sight_is_no_fault() -> None:
    absent, wrong = _finding("property-not-reported"), _finding("property-invalid")
    assert "no network" in unseen_reason(evidence(OPENED, BROKEN), [absent])
    assert "no network" in unseen_reason(evidence(OPENED, BROKEN, RESUMED), [absent])
    assert unseen_reason(evidence(OPENED, BROKEN, RESUMED, every=1.0), [absent]) == ""
    assert unseen_reason(evidence(OPENED), [absent]) == ""
    assert unseen_reason(evidence(OPENED, BROKEN), [absent, wrong]) == ""
    assert unseen_reason(evidence(OPENED, BROKEN), []) == ""


@pytest.mark.parametrize(
    ("error", "code", "failed"),
    [
        ("403002: quota", 403002, True),
        ("429001: throttled", None, True),
        ("401002: unauthorized", None, True),
        ("503: busy", None, True),
        ("the hub could not be reached: no answer", None, True),
        ("404103: not connected", 404103, False),
        ("504101: timed out", 504101, False),
        ("400004: bad value", None, False),
        ("403012: disabled", 403012, False),
        ("", None, False),
    ],
)
def test_a_service_that_fails_is_told_from_a_device_that_does(error: str, code: int | None, failed: bool) -> None:
    assert service_failed(error, code) is failed


def test_messages_are_timed_by_the_hub() -> None:
    def message(enqueued: float) -> ev.TelemetryReceived:
        return ev.TelemetryReceived("dev", None, None, b"{}", enqueued=enqueued)

    held = evidence(OPENED, message(1000.0), message(1005.0), message(1010.0), every=0.001)
    first, *others = held.times(ev.TelemetryReceived)
    assert [round(t - first) for t in others] == [5, 10]

"""Causes that need no socket to be told apart, and what is shown of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.checks.tls_causes import tls_cause
from harness.emulator.shell.hello import offered_suites
from harness.emulator.shell.tls import in_words
from harness.record import events as ev
from harness.report.text import case_text
from harness.verdict import Outcome
from tests.checks.story import DEVICE, Story

HOST = "10.0.0.7"


def begun(pid: int | None = 7) -> Story:
    story = Story()
    story.tell(ev.TargetOpened("local", {"dps": HOST}, ("wire", "dps-payload")))
    story.tell(ev.DeviceEnrolled(DEVICE, "symmetric-key", "0ne1"), ev.DeviceStarted("x", pid))
    return story


def waited(story: Story) -> Story:
    story.tell(ev.WaitEnded("the device to register with DPS", False, 60, 60))
    return story


def code_of(story: Story) -> str:
    (found,) = story.judge("registers_through_dps").findings
    return found.code


def test_a_blocked_port_tells_what_to_try() -> None:
    story = waited(begun(None))
    (found,) = story.judge("registers_through_dps").findings
    assert found.code == "nothing-arrived"
    assert "within 60 s" in found.message
    assert f"openssl s_client -connect {HOST}:8883" in found.remedy
    assert "WebSockets on 443" in found.remedy
    blocked = story.judge("telemetry", "flow")
    assert blocked.outcome is Outcome.BLOCKED
    assert found.message in blocked.reason
    assert found.remedy in blocked.reason


def test_a_silent_process_is_another_thing() -> None:
    story = waited(begun())
    assert code_of(story) == "device-silent"
    assert "IOTHUB_DEVICE_DPS_ENDPOINT" in story.judge("registers_through_dps").findings[0].remedy


def test_a_process_that_ended() -> None:
    story = begun()
    story.tell(ev.DeviceExited(3, False, ("no network",)))
    assert code_of(story) == "device-ended"


def body(**state: Any) -> bytes:
    return json.dumps({"operationId": "4.x", "status": state["status"], "registrationState": state}).encode()


def answer(status: int, payload: bytes = b"{}", code: int | None = None) -> ev.RegistrationAnswered:
    return ev.RegistrationAnswered(DEVICE, "1", status, payload, error_code=code)


@pytest.mark.parametrize(
    ("event", "code", "says"),
    [
        (answer(200, body(status="failed", errorCode=400209)), "registration-failed", "(error 400209)"),
        (answer(200, body(status="disabled")), "enrollment-disabled", "An operator disabled"),
        (answer(400, code=400012), "not-registered", "could not make sense of the register request's JSON"),
        (answer(429, code=429001), "dps-unavailable", "asked too often"),
        (answer(503), "dps-unavailable", "503"),
        (answer(404, code=404201), "not-registered", "404 (404201)"),
        (answer(401, code=401002), "not-registered", "401 (401002)"),
    ],
)
def test_what_dps_answered(event: ev.Event, code: str, says: str) -> None:
    story = begun()
    story.tell(ev.ProvisioningConnected(DEVICE, "0ne1", "", "", "mqtt", 60, 0), event)
    assert code_of(story) == code
    assert says in story.judge("registers_through_dps").findings[0].message


def test_a_blocked_case_names_what_explains_it() -> None:
    story = begun()
    story.tell(answer(200, body(status="failed", errorCode=400209)))
    text = case_text(story.judge("telemetry", "flow"))
    assert text.endswith("\n  explain:   preflight explain 400209")
    assert "Whoever chooses the hub did not let the device in" in text


def test_a_finding_without_a_remedy_takes_the_catalogues() -> None:
    story = Story().opened().registered().connected(return_code=3, reason="")
    (found,) = story.judge("connects_to_hub").findings
    assert found.code == "hub-refused"
    assert "The service cannot take the connection for the moment" in found.message
    assert "See whether the device is enabled" in found.remedy


def test_a_disabled_device() -> None:
    story = Story().opened().registered().connected(return_code=5, error_code=403012, reason="the device is disabled")
    (found,) = story.judge("connects_to_hub").findings
    assert found.code == "device-disabled"


def test_the_furthest_station_is_the_cause() -> None:
    story = begun()
    story.tell(ev.HandshakeFailed("a", in_words("TLSV1_ALERT_UNKNOWN_CA")))
    assert code_of(story) == "ca-not-trusted"
    story.tell(ev.ProvisioningConnected(DEVICE, "0ne2", "", "", "mqtt", 60, 5, "unknown id scope 0ne2"))
    assert code_of(story) == "wrong-id-scope"
    story.tell(ev.ProvisioningConnected(DEVICE, "0ne1", "", "", "mqtt", 60, 0), answer(401, code=401002))
    assert code_of(story) == "not-registered"


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("SSLV3_ALERT_CERTIFICATE_EXPIRED", "certificate-expired"),
        ("SSLV3_ALERT_BAD_CERTIFICATE", "certificate-refused"),
        ("SSLV3_ALERT_CERTIFICATE_UNKNOWN", "certificate-refused"),
        ("TLSV1_ALERT_UNKNOWN_CA", "ca-not-trusted"),
        ("UNSUPPORTED_PROTOCOL", "tls-version"),
        ("NO_SHARED_CIPHER", "tls-parameters"),
        ("HTTP_REQUEST", "tls-not-used"),
        ("SOMETHING_ELSE", "tls-failed"),
    ],
)
def test_each_way_that_tls_fails(reason: str, code: str) -> None:
    cause = tls_cause([(1, ev.HandshakeFailed("a", in_words(reason)))])
    assert (cause.code, cause.events) == (code, (1,))
    assert reason in cause.text
    assert cause.remedy


def test_a_probe_of_the_port_hides_no_other_failure() -> None:
    probe = ev.HandshakeFailed("a", "the client closed the connection without a word, before TLS was agreed")
    other = ev.HandshakeFailed("a", in_words("TLSV1_ALERT_UNKNOWN_CA"))
    assert tls_cause([(1, other), (2, probe)]).code == "ca-not-trusted"
    assert tls_cause([(1, probe)]).code == "tls-not-begun"


HELLO = bytes.fromhex("1603010035010000310303") + bytes(32)


@pytest.mark.parametrize(
    ("data", "offered"),
    [
        (HELLO + bytes.fromhex("000006c02bc02f13010100"), "c02b c02f 1301"),
        (HELLO + bytes.fromhex("0000040a0ac02b0100"), "c02b"),
        (HELLO + b"\x04abcd" + bytes.fromhex("0002009c0100"), "009c"),
        (HELLO + bytes.fromhex("000006c02b"), ""),
        (HELLO + b"\xff", ""),
        (HELLO, ""),
        (b"", ""),
        (b"\x10\x10\x00\x04MQTT" + bytes(60), ""),
    ],
)
def test_the_suites_of_a_hello(data: bytes, offered: str) -> None:
    assert offered_suites(data) == offered


def test_a_hello_of_any_length_is_taken() -> None:
    whole = HELLO + bytes.fromhex("000006c02bc02f13010100")
    assert {offered_suites(whole[:n]) for n in range(len(whole))} <= {"", "c02b c02f 1301"}

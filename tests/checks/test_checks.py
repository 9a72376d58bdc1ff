"""For every check a record that passes it and records that do not."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from harness.record import events as ev
from harness.verdict import CaseResult, Outcome, Severity
from tests.checks.story import DEVICE, ROOT, Story, at_work


def codes(result: CaseResult) -> list[str]:
    return [f.code for f in result.findings]


def test_a_device_that_does_everything_right_passes_every_check() -> None:
    story = at_work()
    story.tell(ev.DigitalTwinRead(DEVICE, {"$dtId": DEVICE, "$metadata": {"$model": ROOT}}))
    story.tell(ev.ModelResolved(ROOT, "here", {}))
    story.telemetry({"flow": 1.5})
    story.telemetry({"heat": 30}, "part1")
    story.reported({"hours": 12, "part1": {"__t": "c", "serial": "x"}})
    story.over("complete", 0.4)
    story.wrote("speed", 5, 2)
    story.reported({"speed": {"value": 5, "ac": 200, "av": 2}})
    story.answered("prime", 200, True)
    story.answered("stop", 200, None)
    results = story.judge_all("smoke")
    assert {r.case: r.outcome for r in results} == {r.case: Outcome.PASSED for r in results}
    assert len(results) > 18
    assert [f for r in results for f in r.findings] == []


# --- provisioning and announcement -------------------------------------------------------------------


def test_nothing_registered_is_one_failure_and_the_rest_is_blocked_by_it() -> None:
    story = Story().opened()
    story.tell(ev.WaitEnded("the device to register with DPS", False, 60, 60))
    results = story.judge_all()
    failed = [r for r in results if r.outcome is Outcome.FAILED]
    assert [r.case for r in failed] == ["registers_through_dps"]
    assert "within 60 s" in failed[0].findings[0].message
    blocked = [r for r in results if r.outcome is Outcome.BLOCKED]
    assert len(blocked) == len(results) - 1
    assert len({r.reason for r in blocked}) == 1


def test_registered_but_never_connected_says_what_aics_said() -> None:
    story = Story().opened().registered()
    story.tell(ev.WaitEnded("the device to connect to the hub", False, 60, 60))
    result = story.judge("connects_to_hub")
    assert codes(result) == ["device-not-connected"]
    assert "DeviceNotConnected" in result.findings[0].message
    assert "Reboot the device and restart provisioning" in result.findings[0].remedy
    assert "within 60 s" in result.findings[0].message
    assert story.judge("telemetry", "flow").outcome is Outcome.BLOCKED


@pytest.mark.parametrize(
    ("tell", "says"),
    [
        (lambda s: s.tell(ev.RegistrationAnswered(DEVICE, "1", 401, b"{}", error_code=401002)), "401 (401002)"),
        (lambda s: s.tell(ev.RegistrationAnswered(DEVICE, "1", 400, b"{}", error_code=400012)), "400 (400012)"),
        (lambda s: s.tell(ev.ProvisioningConnected(DEVICE, "0ne", "", "", "mqtt", 60, 5, "wrong scope")), "CONNACK 5"),
        (lambda s: s.tell(ev.HandshakeFailed("127.0.0.1", "unknown ca")), "trust the CA"),
        (lambda s: s.tell(ev.DeviceExited(1, False, ("boom",))), "exit code 1.\nIts last lines were:\n    boom"),
        (lambda s: s.tell(ev.DeviceFailedToStart("x", "The device command was not found: x.")), "was not found: x"),
    ],
)
def test_the_cause_of_no_registration_is_named(tell: Callable[[Story], int], says: str) -> None:
    story = Story().opened()
    tell(story)
    assert says in story.judge("registers_through_dps").findings[0].message


def test_a_target_that_failed_blocks_everything() -> None:
    story = Story()
    story.tell(ev.TargetFailed("local", "Port 8883 is taken."))
    assert {r.outcome for r in story.judge_all()} == {Outcome.BLOCKED}
    assert {r.reason for r in story.judge_all()} == {"Port 8883 is taken."}


def test_a_refused_hub_connection_is_the_cause() -> None:
    story = Story().opened().registered().connected(return_code=5, reason="the token has expired")
    assert "CONNACK 5: the token has expired" in story.judge("connects_to_hub").findings[0].message


def test_a_direct_connection_is_no_registration() -> None:
    assert codes(Story().opened().connected().judge("registers_through_dps")) == ["dps-not-used"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"", ["dps-payload-without-model-id"]),
        (b"\x00", ["dps-payload-without-model-id"]),
        (json.dumps({"registrationId": "d", "payload": None}).encode(), ["dps-payload-without-model-id"]),
        (json.dumps({"modelId": ROOT}).encode(), ["dps-payload-without-model-id"]),
        (json.dumps({"payload": {"modelId": "urn:a:b:1"}}).encode(), ["model-id-malformed"]),
        (json.dumps({"payload": {"modelId": ROOT, "more": 1}}).encode(), []),
    ],
)
def test_the_model_id_in_the_dps_payload(body: bytes, found: list[str]) -> None:
    assert codes(Story().opened().registered(body).connected().judge("model_id_in_dps_payload")) == found


def test_a_target_that_does_not_show_the_dps_payload_fails_nobody() -> None:
    story = Story().opened("telemetry", "twin").connected(None)
    assert story.judge("model_id_in_dps_payload").outcome is Outcome.NOT_OBSERVABLE
    assert story.judge("model_id_announced_to_hub").outcome is Outcome.NOT_OBSERVABLE


@pytest.mark.parametrize(
    ("announced", "found"),
    [(None, ["connect-without-model-id"]), ("dtmi:x", ["model-id-malformed"]), (ROOT, [])],
)
def test_the_model_id_in_the_connect(announced: str | None, found: list[str]) -> None:
    story = Story().opened().registered().connected(announced)
    assert codes(story.judge("model_id_announced_to_hub")) == found


def test_model_ids_must_agree_to_the_letter() -> None:
    story = Story().opened().registered().connected(ROOT.lower())
    result = story.judge("model_ids_agree")
    assert codes(result) == ["model-ids-differ"]
    assert ROOT.lower() in result.findings[0].actual


@pytest.mark.parametrize(
    ("twin", "found"),
    [
        ({"$metadata": {"$model": "dtmi:other;1"}}, ["digital-twin-model-id"]),
        ({"$metadata": {}}, ["digital-twin-model-id"]),
        ({}, ["digital-twin-model-id"]),
        (None, ["digital-twin-unreadable"]),
    ],
)
def test_the_digital_twin_must_name_the_model(twin: dict[str, object] | None, found: list[str]) -> None:
    story = at_work()
    story.tell(ev.DigitalTwinRead(DEVICE, twin, "" if twin is not None else "404103: not online"))
    assert codes(story.judge("digital_twin_names_model")) == found


# --- the model ---------------------------------------------------------------------------------------


def test_without_a_model_nothing_counts_as_undeclared() -> None:
    story = Story(known=False).opened().registered().connected()
    story.telemetry({"anything": 1})
    result = story.judge("no_undeclared_telemetry")
    assert result.outcome is Outcome.BLOCKED
    assert "No model is known" in result.reason


@pytest.mark.parametrize(
    ("reason", "failing", "blocked"),
    [
        ("not-found", "model_is_found", "model_is_valid"),
        ("invalid", "model_is_valid", "model_is_found"),
        ("not-an-interface", "model_is_valid", "model_is_found"),
    ],
)
def test_a_rejected_model_fails_the_check_it_breaks(reason: str, failing: str, blocked: str) -> None:
    story = Story(known=False)
    story.opened().registered().connected()
    story.tell(ev.ModelRejected(ROOT, reason, ("one", "two")))
    assert [f.message for f in story.judge(failing).findings] == ["one", "two"]
    assert story.judge(blocked).outcome is Outcome.BLOCKED


# --- telemetry ---------------------------------------------------------------------------------------


def test_telemetry_not_seen_is_a_warning() -> None:
    result = at_work().over().judge("telemetry", "flow")
    assert result.outcome is Outcome.WARNING
    assert codes(result) == ["telemetry-not-seen"]


def test_telemetry_not_seen_in_an_interrupted_run_is_nobodys_fault() -> None:
    assert at_work().over("interrupted", 3).judge("telemetry", "flow").outcome is Outcome.BLOCKED


@pytest.mark.parametrize("value", ["1.5", None, True, {"value": 1.5}, [1.5]])
def test_one_wrong_value_among_right_ones_fails(value: object) -> None:
    story = at_work()
    story.telemetry({"flow": 1.0})
    wrong = story.telemetry({"flow": value})
    result = story.judge("telemetry", "flow")
    assert codes(result) == ["telemetry-invalid"]
    assert result.findings[0].events == (wrong,)
    assert "1 of 2 values" in result.findings[0].message


@pytest.mark.parametrize(
    ("body", "component", "hint"),
    [({"Flow": 1.0}, None, "case-sensitive"), ({"heat": 1.0}, None, "without its component part1")],
)
def test_telemetry_under_a_wrong_name_fails_with_the_hint(body: object, component: str | None, hint: str) -> None:
    story = at_work()
    story.telemetry(body, component)
    path = "flow" if "Flow" in str(body) else "part1.heat"
    result = story.over().judge("telemetry", path)
    assert codes(result) == ["telemetry-misnamed"]
    assert hint in result.findings[0].message
    assert codes(story.judge("no_undeclared_telemetry")) == ["telemetry-undeclared"]


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b"[1]", b'{"flow": NaN}', b'{"flow": 1, "flow": 2}', b'{"flow": 1}\x00']
)
def test_a_payload_that_is_no_json_object_fails(body: bytes) -> None:
    story = at_work()
    n = story.telemetry(body)
    result = story.judge("payloads_are_json_objects")
    assert codes(result)[0].startswith("payload-")
    assert result.findings[0].events == (n,)
    assert result.outcome is Outcome.FAILED


# --- properties --------------------------------------------------------------------------------------


def test_a_read_only_property_never_reported_fails() -> None:
    assert codes(at_work().over().judge("read_only_property", "hours")) == ["property-not-reported"]


def test_a_component_property_needs_its_marker() -> None:
    story = at_work()
    story.reported({"part1": {"serial": "x"}})
    result = story.judge("read_only_property", "part1.serial")
    assert codes(result) == ["component-not-marked"]
    assert result.findings[0].requirement == "Preflight.Conventions"


def test_a_marker_stays_as_patches_merge() -> None:
    story = at_work()
    story.reported({"part1": {"__t": "c"}})
    story.reported({"part1": {"serial": "x"}})
    assert codes(story.judge("read_only_property", "part1.serial")) == []


def test_a_patch_that_the_hub_refused_fails() -> None:
    story = at_work()
    story.reported({"hours": 12}, status=400)
    assert codes(story.judge("read_only_property", "hours")) == ["property-patch-refused"]


def test_an_undeclared_property_is_a_warning() -> None:
    story = at_work()
    story.reported({"Hours": 12})
    result = story.judge("no_undeclared_properties")
    assert (result.outcome, codes(result)) == (Outcome.WARNING, ["property-undeclared"])


def test_a_device_that_is_a_version_behind_is_not_saved_by_its_next_answer() -> None:
    story = at_work()
    story.wrote("speed", 5, 2)
    story.reported({"speed": {"value": 5, "ac": 200, "av": 1}})
    story.wrote("speed", 6, 3, purpose="together")
    story.reported({"speed": {"value": 6, "ac": 200, "av": 2}})
    assert codes(story.judge("writable_property", "speed")) == ["ack-version"]


def test_an_answer_after_the_next_write_counts() -> None:
    story = at_work()
    story.wrote("speed", 4, 1, purpose="restore")
    story.wrote("speed", 5, 2)
    story.reported({"speed": {"value": 4, "ac": 200, "av": 1}})
    story.reported({"speed": {"value": 0, "ac": 203, "av": 0}})
    story.wrote("speed", 6, 3, purpose="together")
    story.reported({"speed": {"value": 5, "ac": 200, "av": 2}})
    assert codes(story.judge("writable_property", "speed")) == []


def test_a_property_in_other_letters_is_hinted_at() -> None:
    story = at_work()
    story.reported({"Hours": 12})
    story.tell(ev.ObservationEnded("window-elapsed", 5.0, ("hours",)))
    found = story.judge("read_only_property", "hours").findings
    assert "But Hours was reported" in found[0].message


def test_a_reported_key_with_the_name_of_a_command_is_tolerated() -> None:
    story = at_work()
    story.reported({"prime": {"value": True}})
    assert codes(story.judge("no_undeclared_properties")) == []


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ([], ["property-not-acknowledged"]),
        ([5], ["ack-incomplete"]),
        ([{"value": 5}], ["ack-incomplete"]),
        ([{"value": 5, "ac": 200}], ["ack-incomplete"]),
        ([{"value": 5, "ac": 200, "av": 1}], ["ack-version"]),
        ([{"value": 5, "ac": 200, "av": "2"}], ["ack-version"]),
        ([{"value": "5", "ac": 200, "av": 2}], ["property-invalid"]),
        ([{"value": 6, "ac": 200, "av": 2}], ["ack-value"]),
        ([{"value": 5, "ac": 202, "av": 2}], ["ack-code"]),
        ([{"value": 5, "ac": 500, "av": 2}], ["ack-code"]),
        ([{"value": 5, "ac": "200", "av": 2}], ["ack-code"]),
        ([{"value": 0, "ac": 400, "av": 2, "ad": "too fast"}], ["ack-code"]),
        ([{"value": 5, "ac": 200, "av": 2}], []),
        ([{"value": 5, "ac": 200, "av": 2, "ad": "done"}], []),
        ([{"value": 0, "ac": 203, "av": 0}, {"value": 5, "ac": 200, "av": 2}], []),
        ([{"value": 5, "ac": 202, "av": 2}, {"value": 5, "ac": 200, "av": 2}], []),
    ],
)
def test_acknowledgements(answers: list[object], found: list[str]) -> None:
    story = at_work()
    story.wrote("speed", 5, 2)
    for answer in answers:
        story.reported({"speed": answer})
    assert codes(story.judge("writable_property", "speed")) == found


def test_the_answer_to_a_later_write_is_not_taken_for_the_answer_to_this_one() -> None:
    story = at_work()
    story.wrote("speed", 5, 2)
    story.wrote("speed", 1, 4, "restore")
    story.reported({"speed": {"value": 1, "ac": 200, "av": 4}})
    assert codes(story.judge("writable_property", "speed")) == ["property-not-acknowledged"]


def test_a_refused_valid_value_is_a_warning_and_a_failed_one_is_a_failure() -> None:
    for code, severity in ((400, Severity.WARNING), (500, Severity.ERROR)):
        story = at_work()
        story.wrote("speed", 5, 2)
        story.reported({"speed": {"value": 0, "ac": code, "av": 2}})
        assert story.judge("writable_property", "speed").findings[0].severity is severity


def test_a_property_that_was_never_set_is_blocked() -> None:
    assert at_work().judge("writable_property", "speed").outcome is Outcome.BLOCKED


# --- commands ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "status", "payload", "found"),
    [
        ("prime", 200, True, []),
        ("prime", 200, "true", ["command-response-invalid"]),
        ("prime", 200, None, ["command-response-invalid"]),
        ("prime", 500, None, ["command-status"]),
        ("prime", 404, None, ["command-status"]),
        ("stop", 200, None, []),
        ("stop", 204, {}, []),
        ("stop", 200, {"done": True}, ["command-response-undeclared"]),
    ],
)
def test_command_answers(name: str, status: int, payload: object, found: list[str]) -> None:
    story = at_work()
    story.answered(name, status, payload)
    assert codes(story.judge("command", name)) == found


@pytest.mark.parametrize(("code", "remedy"), [(404103, "Subscribe to direct methods"), (504101, "within its time-out")])
def test_a_command_without_an_answer_says_what_to_do(code: int, remedy: str) -> None:
    story = at_work()
    story.answered("prime", None, error_code=code, error="no answer")
    result = story.judge("command", "prime")
    assert codes(result) == ["command-no-handler" if code == 404103 else "command-timed-out"]
    assert remedy in result.findings[0].remedy


def test_every_failure_says_what_to_do_next() -> None:
    story = at_work().over()
    story.telemetry(b"{")
    story.wrote("speed", 5, 2)
    story.answered("prime", 500, None)
    for result in story.judge_all():
        for finding in result.findings:
            assert finding.remedy, finding.code
            assert finding.clause
            assert finding.message.rstrip().endswith((".", "…")) or "\n" in finding.message or ":" in finding.message


def test_every_connection_announces_the_model() -> None:
    story = at_work().gone().connected(None)
    (found,) = story.judge("model_id_announced_to_hub").findings
    assert (found.code, found.message[:6]) == ("connect-without-model-id", "1 of 2")
    story = at_work()
    story.tell(ev.TrialBegan("restart"))
    story.connected(None).tell(ev.TrialEnded("restart", "what was awaited", 1.0))
    assert codes(story.judge("model_id_announced_to_hub")) == ["connect-without-model-id"]
    assert codes(at_work().connected(None, module_id="m").judge("model_id_announced_to_hub")) == []


def test_every_connection_announces_the_same_model() -> None:
    story = at_work().gone().connected("dtmi:test:Other;1")
    assert codes(story.judge("model_ids_agree")) == ["model-ids-differ"]


def test_every_register_request_names_the_model() -> None:
    story = at_work()
    story.tell(ev.TrialBegan("hub-moved"))
    story.tell(ev.RegistrationRequested(DEVICE, "2", b"{}"), ev.TrialEnded("hub-moved", "what was awaited", 1.0))
    (found,) = story.judge("model_id_in_dps_payload").findings
    assert (found.code, found.message[:6]) == ("dps-payload-without-model-id", "1 of 2")


def test_the_challenge_of_a_tpm_needs_no_model_in_a_trial() -> None:
    story = Story().opened()
    story.tell(ev.DeviceEnrolled(DEVICE, "tpm", "0ne1"))
    story.registered().connected()
    story.tell(ev.TrialBegan("dps-throttled"))
    story.tell(ev.RegistrationRequested(DEVICE, "2", b'{"tpm": {}}'), ev.TrialEnded("dps-throttled", "", 1.0))
    assert codes(story.judge("model_id_in_dps_payload")) == []


def test_ids_that_were_not_seen_are_not_said_to_agree() -> None:
    story = Story().opened("twin").registered(b"{}").connected(None)
    assert story.judge("model_ids_agree").outcome is Outcome.NOT_OBSERVABLE
    story = Story().opened().registered(b"{}").connected(None)
    assert story.judge("model_ids_agree").outcome is Outcome.BLOCKED


@pytest.mark.parametrize("name", ["messages_name_their_content", "central_payloads", "payloads_are_json_objects"])
def test_nothing_is_said_of_messages_that_nobody_saw(name: str) -> None:
    assert at_work().judge(name).outcome is Outcome.NOT_OBSERVABLE
    story = at_work()
    story.telemetry({"flow": 1})
    assert story.judge(name).outcome is Outcome.PASSED


def test_every_reported_value_is_held_against_the_bounds() -> None:
    story = at_work()
    story.tell(ev.ExpectationsStated({"properties": {"hours": {"minimum": 1}}}))
    for value in (5, 0, 5):
        story.reported({"hours": value})
    assert codes(story.judge("read_only_property", "hours")) == ["property-unexpected"]

"""What IoT Central would make of a device: warnings, and none for the example."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from harness.checks import CHECKS, Evidence, Judgement, judge
from harness.dtdl import Repository, parse
from harness.record import Recorder
from harness.record import events as ev
from harness.verdict import CaseResult, Outcome, Severity, Verdict, roll_up
from tests.checks.story import DEVICE, Story, at_work
from tests.paths import REPO

CHECKS_OF_CENTRAL = [name for name in CHECKS if name.startswith("central_")]
DEFAULT = "dtmi:com:example:preflight:ClimateStation;1"


def of_model(contents: list[dict[str, Any]], version: int = 2) -> Story:
    story = Story()
    document = {
        "@context": f"dtmi:dtdl:context;{version}",
        "@id": "dtmi:test:T;1",
        "@type": "Interface",
        "contents": contents,
    }
    story.recorder = Recorder()
    story.evidence = Evidence("dtmi:test:T;1", parse([document]))
    story.recorder.follow(story.evidence.add)
    return story.opened().registered().connected()


def telemetry(name: str, schema: Any = "double") -> dict[str, Any]:
    return {"@type": "Telemetry", "name": name, "schema": schema}


def codes(result: CaseResult) -> list[str]:
    assert {f.severity for f in result.findings} <= {Severity.WARNING}
    assert all(f.remedy and f.message.endswith(".") for f in result.findings)
    return [f.code for f in result.findings]


def test_the_example_gets_no_warning() -> None:
    repository = Repository([str(REPO / "dtdl_models")])
    try:
        model = repository.resolve(DEFAULT).model
    finally:
        repository.close()
    evidence = Evidence(DEFAULT, model)
    recorder = Recorder()
    recorder.follow(evidence.add)
    story = Story()
    story.evidence, story.recorder = evidence, recorder
    story.opened().registered().connected().telemetry({"daylight": 1})
    assert {name: story.judge(name).outcome for name in CHECKS_OF_CENTRAL} == dict.fromkeys(
        CHECKS_OF_CENTRAL, Outcome.PASSED
    )


@pytest.mark.parametrize("name", ["EventEnqueuedUtcTime", "EventProcessedUtcTime", "PartitionId", "EventHub", "User"])
def test_a_reserved_name_in_the_model(name: str) -> None:
    assert codes(of_model([telemetry(name)]).judge("central_names")) == ["central-name-reserved"]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("$metadata", "central-name-reserved"),
        ("$version", "central-name-reserved"),
        ("User", "central-name-reserved"),
        ("_x", "central-name-underscore"),
    ],
)
def test_a_reserved_name_that_is_sent(name: str, code: str) -> None:
    story = at_work()
    n = story.telemetry({name: 1}, "part1")
    result = story.judge("central_names")
    assert codes(result) == [code]
    assert result.findings[0].events == (n,)


def test_names_like_reserved_ones_are_fine() -> None:
    assert codes(of_model([telemetry("user"), telemetry("Users")]).judge("central_names")) == []


@pytest.mark.parametrize(
    ("schema", "unfit"),
    [
        ("double", ""),
        ({"@type": "Enum", "valueSchema": "integer", "enumValues": [{"name": "a", "enumValue": 1}]}, ""),
        ({"@type": "Array", "elementSchema": "double"}, "Array"),
        ("point", "point"),
        ("multiPolygon", "multiPolygon"),
        (
            {"@type": "Object", "fields": [{"name": "a", "schema": {"@type": "Array", "elementSchema": "point"}}]},
            "Array, point",
        ),
        (
            {
                "@type": "Map",
                "mapKey": {"name": "k", "schema": "string"},
                "mapValue": {"name": "v", "schema": "lineString"},
            },
            "lineString",
        ),
    ],
)
def test_schemas_that_are_taken_in_part(schema: Any, unfit: str) -> None:
    result = of_model([telemetry("t", schema)]).judge("central_schemas")
    assert [f.actual for f in result.findings] == ([unfit] if unfit else [])
    assert codes(result) == ["central-schema"] * bool(unfit)


def test_the_schemas_of_commands_count_too() -> None:
    array = {"@type": "Array", "elementSchema": "double"}
    command = {"@type": "Command", "name": "c", "request": {"name": "r", "schema": array}}
    result = of_model([command]).judge("central_schemas")
    assert [(f.code, f.element) for f in result.findings] == [("central-schema", "c")]


def test_a_newer_language_is_told_once() -> None:
    result = of_model([telemetry("a"), telemetry("b")], version=3).judge("central_schemas")
    assert codes(result) == ["central-dtdl-version"]


@pytest.mark.parametrize(("count", "found"), [(300, []), (301, ["central-template-size"])])
def test_the_size_of_a_template(count: int, found: list[str]) -> None:
    story = at_work()
    story.evidence.capabilities = story.evidence.capabilities[:1] * count
    assert codes(story.judge("central_template")) == found


@pytest.mark.parametrize(
    ("kind", "encoding", "found"),
    [
        ("application/json", "utf-8", []),
        ("application/json;charset=utf-8", None, []),
        ("application/JSON", "UTF-8", []),
        (None, "utf-8", ["central-content-type"]),
        ("text/plain", "utf-8", ["central-content-type"]),
        ("application/json", "utf-16", ["central-content-encoding"]),
        (None, None, ["central-content-type", "central-content-encoding"]),
    ],
)
def test_content_type_and_encoding(kind: str | None, encoding: str | None, found: list[str]) -> None:
    story = at_work()
    for _ in range(3):
        story.tell(ev.TelemetryReceived(DEVICE, None, None, b'{"flow": 1}', kind, encoding))
    assert codes(story.judge("central_payloads")) == found


def test_a_name_of_two_components_that_comes_without_one() -> None:
    part = {"@type": "Interface", "@id": "dtmi:test:P;1", "contents": [telemetry("heat")]}
    contents = [{"@type": "Component", "name": n, "schema": part if n == "a" else "dtmi:test:P;1"} for n in ("a", "b")]
    story = of_model(contents)
    story.telemetry({"heat": 1}, "a")
    assert codes(story.judge("central_duplicate_names")) == []
    story.telemetry({"heat": 1})
    assert codes(story.judge("central_duplicate_names")) == ["central-name-ambiguous"]


@pytest.mark.parametrize(("size", "found"), [(4096, []), (4097, ["central-property-size"])])
def test_the_size_of_a_property(size: int, found: list[str]) -> None:
    story = at_work()
    story.reported({"part1": {"__t": "c", "serial": "x" * size}})
    story.reported({"part1": {"__t": "c", "serial": "x" * size}})
    result = story.judge("central_limits")
    assert codes(result) == found
    assert all(f.element == "part1.serial" for f in result.findings)


@pytest.mark.parametrize(("count", "found"), [(100, []), (101, ["central-rate"])])
def test_the_rate_of_messages(count: int, found: list[str]) -> None:
    story = at_work()
    for _ in range(count):
        story.telemetry({"flow": 1})
    assert codes(story.judge("central_limits")) == found


def _failed(error: int) -> bytes:
    return json.dumps({"status": "failed", "registrationState": {"status": "failed", "errorCode": error}}).encode()


@pytest.mark.parametrize(
    ("tell", "found"),
    [
        (lambda s: s.tell(ev.RegistrationAnswered(DEVICE, "1", 200, _failed(400209))), "central-not-approved"),
        (lambda s: s.tell(ev.RegistrationAnswered(DEVICE, "1", 401, b"{}", error_code=400209)), "central-not-approved"),
        (lambda s: s.tell(ev.RegistrationAnswered(DEVICE, "1", 200, b'{"status":"disabled"}')), "central-blocked"),
        (
            lambda s: s.registered().connected(return_code=5, error_code=403012, reason="the device is disabled"),
            "central-device-disabled",
        ),
    ],
)
def test_the_states_that_keep_a_device_out(tell: Callable[[Story], Any], found: str) -> None:
    story = Story().opened()
    tell(story)
    result = story.judge("central_provisioning_state")
    assert codes(result) == [found]


def test_a_device_that_was_never_heard_of_is_blocked_by_that() -> None:
    assert Story().opened().judge("central_provisioning_state").outcome is Outcome.BLOCKED


def test_what_shows_of_edge() -> None:
    story = at_work()
    assert story.judge("edge_tls").outcome is Outcome.NOT_OBSERVABLE
    assert story.judge("edge_runtime").outcome is Outcome.NOT_OBSERVABLE
    assert story.judge("edge_identity").outcome is Outcome.NOT_OBSERVABLE
    results = [story.judge(name) for name in ("edge_tls", "edge_runtime", "edge_identity", "connects_to_hub")]
    assert roll_up(results) is Verdict.PASSED


@pytest.mark.parametrize(
    ("version", "offered", "outcome", "found"),
    [
        ("TLSv1.2", "009c 003c 009e c02b c02f c023 c027 1301", Outcome.PASSED, []),
        ("TLSv1.3", "1301 c02b", Outcome.PASSED, ["tls-suites-missing"]),
        ("TLSv1.1", "009c 003c 009e c02b c02f c023 c027", Outcome.WARNING, ["tls-too-old"]),
        ("TLSv1.2", "", Outcome.NOT_OBSERVABLE, []),
    ],
)
def test_tls_of_edge_secured_core(version: str, offered: str, outcome: Outcome, found: list[str]) -> None:
    story = Story().opened().registered().connected(tls_version=version, tls_offered=offered)
    result = story.judge("edge_tls")
    assert (result.outcome, [f.code for f in result.findings]) == (outcome, found)


def test_the_runtime_and_the_tpm_are_seen() -> None:
    story = Story().opened()
    story.tell(ev.DeviceEnrolled(DEVICE, "tpm", "0ne1"))
    story.registered().connected().connected(module_id="$edgeAgent")
    assert story.judge("edge_runtime").outcome is Outcome.PASSED
    assert story.judge("edge_identity").outcome is Outcome.PASSED


def test_edge_belongs_to_the_full_profile_only() -> None:
    assert all(not CHECKS[n].belongs_to("standard") for n in CHECKS if n.startswith("edge_"))
    assert all(CHECKS[n].belongs_to("standard") and not CHECKS[n].belongs_to("smoke") for n in CHECKS_OF_CENTRAL)
    assert judge(Judgement(CHECKS["central_template"]), Evidence()).outcome is Outcome.BLOCKED

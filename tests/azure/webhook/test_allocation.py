"""What the webhook answers DPS: the hub, the twin, the line of its log; and what the harness reads out of the twin."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.azure.registering import definition, request_in
from harness.azure.webhook.allocation import MARK, MAX_BODY, MAX_TAGS, TAG, respond
from harness.emulator.errors import ServiceError
from harness.emulator.hub.twins import Twin

NOW = "2026-01-02T03:04:05+00:00"
HUBS = ["one.example.net", "two.example.net", "three.example.net"]
MODEL = "dtmi:com:example:Thermostat;1"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)


def asked(registration_id: str = "dev-1", **changes: Any) -> dict[str, Any]:
    context = {"registrationId": registration_id, "symmetricKey": {}, **changes.pop("context", {})}
    return {
        "individualEnrollment": changes.pop("enrollment", {"registrationId": registration_id}),
        "deviceRuntimeContext": context,
        "linkedHubs": HUBS,
        **changes,
    }


def answer(request: Any, mark: str = "") -> dict[str, Any]:
    response = respond(json.dumps(request).encode(), NOW, mark)
    assert response.status == 200, response.body
    document: dict[str, Any] = json.loads(response.body)
    return document


def twin_of(document: dict[str, Any]) -> Twin:
    """The twin as a hub makes it of an answer. Raises ServiceError for one that breaks a rule."""
    twin = Twin()
    twin.update(document["initialTwin"], "2026-01-01T00:00:00Z")
    return twin


def seen(payload: Any, registration_id: str = "dev-1") -> Any:
    """What the harness reads of a payload that went through the webhook and the hub."""
    twin = twin_of(answer(asked(registration_id, context={"payload": payload})))
    body = request_in(twin.for_service(), registration_id)
    assert body is not None
    return json.loads(body)["payload"]


@pytest.mark.parametrize(
    "payload",
    [
        {"modelId": MODEL},
        None,
        [],
        "text\nof two lines",
        {"a.b $c": {"": [1, None, 1e300]}, "umlaut ä \u0007": 2**60},
        {"half": "\ud800"},
    ],
)
def test_a_payload_comes_through_as_it_is(payload: Any) -> None:
    assert seen(payload) == payload


def test_a_device_without_payload() -> None:
    twin = twin_of(answer(asked())).for_service()
    assert request_in(twin, "DEV-1") == b'{"registrationId": "DEV-1", "payload": null}'


def test_a_long_payload_is_reduced_to_its_model_id() -> None:
    assert seen({"modelId": MODEL, "rest": "x" * 90_000}) == {"modelId": MODEL}
    assert seen({"modelId": "m" * 9000, "rest": "x" * 9000}) is None
    assert seen("x" * 90_000) is None
    tag = answer(asked(context={"payload": "x" * 5000}))["initialTwin"]["tags"][TAG]
    assert (tag["whole"], tag["size"]) == (False, 5002)


def test_secrets_of_a_payload_go_nowhere() -> None:
    payload = {"modelId": MODEL, "wifiPassword": "hunter2", "a": [{"sharedAccessKey": "hunter2"}], "key": ""}
    response = respond(json.dumps(asked(context={"payload": payload})).encode(), NOW)
    assert "hunter2" not in response.line + response.body.decode()
    assert seen(payload) == {"modelId": MODEL, "wifiPassword": "***", "a": [{"sharedAccessKey": "***"}], "key": ""}


def test_what_is_logged() -> None:
    payload = {"modelId": MODEL, "evil": "\r\nforged line\u2028"}
    enrollment = {"customAllocationDefinition": {"webhookUrl": "https://x?code=hunter2"}}
    response = respond(json.dumps(asked(context={"payload": payload}, enrollment=enrollment)).encode(), NOW)
    prefix, _, logged = response.line.partition(": ")
    assert prefix == "preflight registration"
    assert len(response.line.splitlines()) == 1
    assert json.loads(json.loads(logged)["payload"]) == payload
    assert "hunter2" not in response.line
    assert len(respond(json.dumps(asked(context={"payload": "x" * 3900})).encode(), NOW).line) < 3000


def test_the_enrollments_own_twin_is_kept_and_the_mark_put_on() -> None:
    own = {
        "tags": {"site": "lab", "$version": 3},
        "properties": {"desired": {"rate": 5, "$metadata": {}, "$version": 1}},
    }
    twin = answer(asked(enrollment={"initialTwin": own}), mark="0123abcd")["initialTwin"]
    assert twin["properties"] == {"desired": {"rate": 5}}
    assert (twin["tags"]["site"], twin["tags"][MARK], TAG in twin["tags"]) == ("lab", "0123abcd", True)
    assert MARK not in answer(asked(), mark="<b>")["initialTwin"]["tags"]


def test_tags_that_leave_no_room() -> None:
    """Twins have 8 KB for tags: what the device needs goes before what the pre-flight would like to know."""
    payload = {"modelId": MODEL, "rest": "x" * 3900}
    for filler, whole in ((1000, True), (6000, False)):
        tags = {f"t{n}": "y" * (filler // 4) for n in range(4)}
        request = asked(enrollment={"initialTwin": {"tags": tags}}, context={"payload": payload})
        assert twin_of(answer(request)).tags[TAG]["whole"] is whole
    full = {f"t{n}": "y" * 2030 for n in range(4)}
    tags = twin_of(answer(asked(enrollment={"initialTwin": {"tags": full}}))).tags
    assert tags == full
    assert sum(len(k) + len(v) for k, v in full.items()) <= MAX_TAGS


def test_a_device_that_registers_again_keeps_its_twin_and_its_hub() -> None:
    again = answer(asked(context={"currentIotHubHostName": HUBS[1].upper(), "currentDeviceId": "dev-1"}))
    assert again == {"iotHubHostName": HUBS[1]}
    assert answer(asked(context={"currentIotHubHostName": "gone.example.net"}))["iotHubHostName"] in HUBS


def test_the_hub() -> None:
    spread = [answer(asked(f"dev-{n}"))["iotHubHostName"] for n in range(90)]
    assert {host: 15 < spread.count(host) < 50 for host in HUBS} == dict.fromkeys(HUBS, True)
    assert spread[7] == answer(asked("DEV-7", linkedHubs=HUBS[::-1]))["iotHubHostName"]
    for enrollment in ({"iotHubs": ["TWO.example.net"]}, {"iotHubHostName": "two.example.net"}):
        assert answer(asked(enrollment=enrollment))["iotHubHostName"] == "two.example.net"
    assert answer(asked(enrollment={"iotHubs": ["gone.example.net", 5]}))["iotHubHostName"] in HUBS
    group = {"enrollmentGroup": {"iotHubs": HUBS[:1]}, "deviceRuntimeContext": {"registrationId": "x"}}
    assert answer({**group, "linkedHubs": HUBS})["iotHubHostName"] == HUBS[0]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'{"deviceRuntimeContext": 1}',
        b'{"deviceRuntimeContext": {}}',
        b'{"deviceRuntimeContext": {"registrationId": "a b"}}',
        b'{"deviceRuntimeContext": {"registrationId": "a"}}',
        b'{"deviceRuntimeContext": {"registrationId": "a"}, "linkedHubs": ["", 5]}',
        b'{"deviceRuntimeContext": {"registrationId": "a", "payload": NaN}, "linkedHubs": ["h"]}',
        b'{"deviceRuntimeContext": {"registrationId": "a"}, "linkedHubs": ["h"], "individualEnrollment": 5}',
        b'{"deviceRuntimeContext": {"registrationId": "a"}, "linkedHubs": ["h"], "individualEnrollment": '
        b'{"initialTwin": {"tags": {"t": 1e999}}}}',
        b"[" * 200_000,
        b" " * (MAX_BODY + 1),
    ],
)
def test_what_is_no_request_of_dps(body: bytes) -> None:
    response = respond(body, NOW)
    assert response.status == 400
    assert json.loads(response.body)["message"]
    assert len(response.line.splitlines()) == 1


def test_deep_payloads() -> None:
    deep = json.dumps(asked(context={"payload": "DEEP"})).replace('"DEEP"', "[" * 500 + "]" * 500)
    assert respond(deep.encode(), NOW).status == 200


@settings(max_examples=60)
@given(JSON, st.dictionaries(st.text(max_size=8), JSON, max_size=3), JSON)
def test_no_payload_makes_a_twin_that_a_hub_refuses(payload: Any, further: dict[str, Any], enrollment: Any) -> None:
    request = {**asked(), **further, "individualEnrollment": enrollment}
    request["deviceRuntimeContext"] = {"registrationId": "dev-1", "payload": payload}
    response = respond(json.dumps(request).encode(), NOW, "ab")
    if response.status == 200 and not (isinstance(enrollment, dict) and enrollment.get("initialTwin")):
        twin = twin_of(json.loads(response.body)).for_service()
        assert request_in(twin, "dev-1") is not None


@settings(max_examples=40)
@given(JSON)
def test_tags_that_others_wrote(tag: Any) -> None:
    for tags in (tag, {TAG: tag}, {TAG: {"registrationId": "dev-1", "payload": tag}}):
        request_in({"tags": tags}, "dev-1")
    assert request_in({"tags": {TAG: {"registrationId": "dev-2", "payload": "null"}}}, "dev-1") is None


def test_where_dps_finds_the_webhook() -> None:
    made = definition("https://app.example.net/api/allocate?code=a%2Fb%3D%3D&preflight=old#x", "0123")
    assert made["webhookUrl"] == "https://app.example.net/api/allocate?code=a%2Fb%3D%3D&preflight=0123"


def test_a_twin_that_breaks_a_rule_is_noticed_here() -> None:
    with pytest.raises(ServiceError):
        twin_of({"initialTwin": {"tags": {"a.b": 1}}})

"""Modules, bulk, queries, messages, feedback, and what devices ask over HTTPS, as any HTTP client sees them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from harness.emulator import EmulatorOptions
from harness.emulator.tokens import new_key, sign
from harness.record.events import (
    BlobWritten,
    C2dSettled,
    DeviceRequestRefused,
    FileUploadEnded,
    FileUploadStarted,
    TelemetryReceived,
)
from tests.emulator.test_rest import VERSION, Api, Response
from tests.emulator.watching import Watcher


class Device(Api):
    """The same connection with the device's own token."""

    def __init__(self, running: Watcher, device_id: str = "dev") -> None:
        super().__init__(running)
        self.device_id = device_id

    def own(self, method: str, path: str, body: Any = None, **headers: str) -> Response:
        key = self.running.emulator.call(lambda s: s.hub.registry.get(self.device_id).primary_key)
        token = sign(f"{self.host}/devices/{self.device_id}", key, 4_000_000_000)
        return self(method, path, body, token=token, **headers)


@pytest.fixture
def api(start: Any) -> Iterator[Device]:
    running = start(EmulatorOptions(feedback_batch=1, max_uploads=2, file_notifications=True))
    api = Device(running)
    assert api("PUT", "/devices/dev", {"deviceId": "dev"}).status == 200
    yield api
    api.close()
    assert running.errors == []


# --- the service -------------------------------------------------------------------------------------


def test_modules(api: Device) -> None:
    created = api("PUT", "/devices/dev/modules/mod", {"deviceId": "dev", "moduleId": "mod", "managedBy": "me"})
    assert (created.status, created.json["managedBy"]) == (200, "me")
    assert created.json["authentication"]["symmetricKey"]["primaryKey"]
    assert api("PUT", "/devices/dev/modules/mod", {}).status == 409
    assert [module["moduleId"] for module in api("GET", "/devices/dev/modules").json] == ["mod"]
    assert [device["deviceId"] for device in api("GET", "/devices").json] == ["dev"]
    patched = api("PATCH", "/twins/dev/modules/mod", {"properties": {"desired": {"a": 1}}})
    assert (patched.json["moduleId"], patched.json["properties"]["desired"]["a"]) == ("mod", 1)
    assert api("GET", "/twins/dev").json["properties"]["desired"]["$version"] == 1
    assert api("POST", "/twins/dev/modules/mod/methods", {"methodName": "x"}).status == 404
    assert api("DELETE", "/devices/dev/modules/mod", If_Match='"nope"').status == 412
    assert api("DELETE", "/devices/dev/modules/mod", If_Match="*").status == 204
    missing = api("GET", "/devices/dev/modules/mod")
    assert json.loads(missing.json["Message"])["errorCode"] == 404010
    assert api("GET", "/devices/none/modules").status == 404


def test_bulk_of_too_many_and_of_nonsense(start: Any) -> None:
    api = Device(start(EmulatorOptions(max_bulk=2)))
    assert api("POST", "/devices", [{"id": "a"}, {"id": "b"}]).status == 200
    assert api("POST", "/devices", [{"id": "a"}, {"id": "b"}, {"id": "c"}]).status == 400
    answer = api("POST", "/devices", [{"id": "a", "importMode": "updateIfMatchETag", "eTag": 1}])
    assert [error["errorStatus"] for error in answer.json["errors"]] == ["an ETag must be a text"]
    api.close()


def test_bulk(api: Device) -> None:
    def many(*items: dict[str, Any]) -> Response:
        return api("POST", "/devices", list(items))

    result = many(
        {"id": "a", "importMode": "create", "tags": {"x": 1}},
        {"id": "b", "status": "disabled"},
        {"id": "a", "moduleId": "m", "importMode": "create"},
    )
    assert (result.status, result.json) == (200, {"isSuccessful": True, "errors": [], "warnings": []})
    assert api("GET", "/twins/a").json["tags"] == {"x": 1}
    result = many(
        {"id": "a", "importMode": "create"},
        {"id": "a", "importMode": "updateIfMatchETag", "eTag": "old"},
        {"id": "b", "importMode": "update", "status": "enabled"},
        {"id": "none", "importMode": "delete"},
        {"id": "a", "importMode": "updateTwin", "tags": {"y": 2}},
        {"id": "a", "moduleId": "m", "importMode": "deleteIfMatchETag", "eTag": "*"},
        {"id": "a", "importMode": "fly"},
        {},
    )
    assert result.status == 400
    found = [(error["deviceId"], error["errorCode"]) for error in result.json["errors"]]
    assert found == [
        ("a", "DeviceAlreadyExists"),
        ("a", "PreconditionFailed"),
        ("none", "DeviceNotFound"),
        ("a", "ArgumentInvalid"),
        (None, "ArgumentInvalid"),
    ]
    assert api("GET", "/twins/a").json["tags"] == {"x": 1, "y": 2}
    assert api("GET", "/devices/b").json["status"] == "enabled"
    assert many(*[{"id": "x"}] * 101).status == 400
    assert api("POST", "/devices", {"id": "x"}).status == 400


def test_queries_come_in_pages(api: Device) -> None:
    for name in ("e1", "e2"):
        api("PUT", f"/devices/{name}", {})
    request = {"query": "SELECT * FROM devices"}
    first = api("POST", "/devices/query", request, x_ms_max_item_count="2")
    assert first.headers["x-ms-item-type"] == "Twin"
    second = api("POST", "/devices/query", request, x_ms_continuation=first.headers["x-ms-continuation"])
    assert [twin["deviceId"] for twin in first.json + second.json] == ["dev", "e1", "e2"]
    assert "x-ms-continuation" not in second.headers
    raw = api("POST", "/devices/query", {"query": "SELECT COUNT() AS n FROM devices"})
    assert (raw.json, raw.headers["x-ms-item-type"]) == ([{"n": 3}], "Raw")
    bad = api("POST", "/devices/query", {"query": "SELECT"})
    assert (bad.status, bad.headers["iothub-errorcode"]) == (400, "ArgumentInvalid")
    assert api("POST", "/devices/query", request, x_ms_max_item_count="many").status == 400
    assert api("POST", "/devices/query", []).status == 400


def test_statistics(api: Device) -> None:
    api("PUT", "/devices/two", {"status": "disabled"})
    counts = {"totalDeviceCount": 2, "enabledDeviceCount": 1, "disabledDeviceCount": 1}
    assert api("GET", "/statistics/devices").json == counts
    assert api("GET", "/statistics/service").json == {"connectedDeviceCount": 0}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/jobs"),
        ("PUT", "/jobs/v2/x"),
        ("GET", "/configurations"),
        ("PUT", "/configurations/c1"),
        ("POST", "/devices/dev/applyConfigurationContent"),
    ],
)
def test_what_is_not_emulated_says_so(api: Device, method: str, path: str) -> None:
    answer = api(method, path, {})
    assert (answer.status, answer.headers["iothub-errorcode"]) == (501, "NotImplemented")
    assert "emulator" in answer.json["Message"]


def test_messages_to_a_device_and_feedback(api: Device) -> None:
    sent = api("POST", "/devices/dev/messages/deviceBound", b"hello", iothub_messageid="m1", iothub_ack="full")
    assert sent.status == 204
    api("POST", "/devices/dev/messages/devicebound", b"two", iothub_app_colour="red", Content_Encoding="utf-8")
    assert api("GET", "/devices/dev").json["cloudToDeviceMessageCount"] == 2

    first = api.own("GET", "/devices/dev/messages/deviceBound")
    assert (first.status, first.body, first.headers["iothub-messageid"]) == (200, b"hello", "m1")
    assert first.headers["iothub-ack"] == "full"
    second = api.own("GET", "/devices/dev/messages/deviceBound")
    assert (second.headers["iothub-app-colour"], second.headers["iothub-contentencoding"]) == ("red", "utf-8")
    assert api.own("GET", "/devices/dev/messages/deviceBound").status == 204
    lock = quote(second.headers["etag"].strip('"'))
    assert api.own("POST", f"/devices/dev/messages/deviceBound/{lock}/abandon").status == 204
    again = api.own("GET", "/devices/dev/messages/deviceBound")
    assert again.headers["iothub-deliverycount"] == "1"
    lock = again.headers["etag"].strip('"')
    assert api.own("DELETE", f"/devices/dev/messages/deviceBound/{lock}?reject&{VERSION}").status == 204
    lock = first.headers["etag"].strip('"')
    assert api.own("DELETE", f"/devices/dev/messages/deviceBound/{lock}").status == 204
    assert api.own("DELETE", f"/devices/dev/messages/deviceBound/{lock}").status == 412
    assert [event.outcome for event in api.running.seen(C2dSettled)] == ["Rejected", "Success"]

    batch = api("GET", "/messages/serviceBound/feedback")
    assert batch.headers["content-type"] == "application/vnd.microsoft.iothub.feedback.json"
    assert [(record["originalMessageId"], record["statusCode"]) for record in batch.json] == [("m1", "Success")]
    lock = batch.headers["etag"].strip('"')
    assert api("POST", f"/messages/serviceBound/feedback/{lock}/abandon").status == 204
    lock = api("GET", "/messages/servicebound/feedback").headers["etag"].strip('"')
    assert api("DELETE", f"/messages/serviceBound/feedback/{lock}").status == 204
    assert api("GET", "/messages/serviceBound/feedback").status == 204
    assert api("DELETE", f"/messages/serviceBound/feedback/{lock}").status == 412


def test_purge(api: Device) -> None:
    api("POST", "/devices/dev/messages/deviceBound", b"x")
    purged = api("DELETE", "/devices/dev/commands")
    assert purged.json == {"totalMessagesPurged": 1, "deviceId": "dev", "moduleId": None}
    assert api("DELETE", "/devices/nobody/commands").status == 404


def test_a_full_queue(api: Device) -> None:
    statuses = [api("POST", "/devices/dev/messages/deviceBound", b"x").status for _ in range(51)]
    assert statuses == [204] * 50 + [403]


# --- devices over HTTPS ------------------------------------------------------------------------------


def test_telemetry(api: Device) -> None:
    sent = api.own(
        "POST",
        "/devices/dev/messages/events",
        b'{"t":1}',
        Content_Type="application/json",
        iothub_app_colour="red",
        iothub_messageid="7",
    )
    assert sent.status == 204
    event = api.running.wait(TelemetryReceived)
    assert (event.payload, event.content_type, dict(event.properties)) == (
        b'{"t":1}',
        "application/json",
        {"colour": "red"},
    )
    assert event.system["mid"] == "7"
    assert api.own("POST", "/devices/dev/messages/events", bytes(256 * 1024 + 1)).status == 413
    assert api.own("POST", "/devices/dev/messages/events", b"", iothub_messageid="a b").status == 400


def test_who_may_ask(api: Device) -> None:
    api("PUT", "/devices/other", {})
    for path in ("/devices/other/messages/events", "/devices/none/files", "/devices/dev/modules/m/messages/events"):
        assert api.own("POST", path, {}).status == 401
    assert api("POST", "/devices/dev/messages/events", b"", token="").status == 401
    wrong = sign(f"{api.host}/devices/dev", new_key(), 4_000_000_000)
    refused = api("POST", "/devices/dev/messages/events", b"", token=wrong)
    assert (refused.status, refused.headers["iothub-errorcode"]) == (401, "IotHubUnauthorized")
    assert "signature" in api.running.seen(DeviceRequestRefused)[-1].reason
    assert api("POST", "/devices/dev/messages/events", b"", token=api.token("device")).status == 204
    assert api("POST", "/devices/dev/messages/events", b"", token=api.token("service")).status == 401
    assert api.own("POST", "/devices/dev/messages/events?x=1", b"").status == 400
    api("PUT", "/devices/dev", {"status": "disabled"}, If_Match="*")
    assert api.own("POST", "/devices/dev/messages/events", b"").status == 403


def put_blob(api: Device, link: dict[str, str], data: bytes, more: str = "", **headers: str) -> Response:
    assert link["hostName"] == api.host
    path = f"/{link['containerName']}/{quote(link['blobName'])}{link['sasToken']}{more}"
    return api("PUT", path, data, token="", **headers)


@pytest.mark.parametrize(
    ("start_path", "end_path"),
    [
        ("/devices/dev/files", "/devices/dev/files/notifications"),
        (f"/devices/dev/files/?{VERSION}", f"/devices/dev/files/notifications/?{VERSION}"),
        ("/devices/dev/files", "/devices/dev/files/notifications/{}"),
    ],
)
def test_file_upload_in_all_spellings(api: Device, start_path: str, end_path: str) -> None:
    link = api.own("POST", start_path, {"blobName": "a b/log.txt"}).json
    assert (link["blobName"], link["sasToken"][0]) == ("dev/a b/log.txt", "?")
    assert put_blob(api, link, b"data", x_ms_blob_type="BlockBlob").status == 201
    assert api.running.seen(BlobWritten)[-1] == BlobWritten("dev", "dev/a b/log.txt", 4)
    done = {"correlationId": link["correlationId"], "isSuccess": True, "statusCode": 200, "statusDescription": "ok"}
    assert api.own("POST", end_path.format(link["correlationId"]), done).status == 204
    ended = api.running.wait(FileUploadEnded)
    assert (ended.success, ended.size, ended.status_code, ended.by) == (True, 4, 200, "device")
    assert api.own("POST", end_path.format(link["correlationId"]), done).status == 400
    told = api.running.emulator.call(lambda s: s.hub.uploads.notifications.take())
    assert told is not None
    notification = json.loads(told.item)
    assert (notification["blobName"], notification["blobSizeInBytes"]) == ("dev/a b/log.txt", 4)
    assert notification["blobUri"] == f"https://{api.host}/device-uploads/dev/a%20b/log.txt"


def test_a_blob_in_blocks(api: Device) -> None:
    link = api.own("POST", "/devices/dev/files", {"blobName": "big"}).json
    for block, data in (("MDE=", b"one"), ("MDI=", b"two"), ("MDM=", b"not used")):
        assert put_blob(api, link, data, f"&comp=block&blockid={quote(block)}").status == 201
    listed = b"<?xml version='1.0'?><BlockList><Latest>MDE=</Latest><Latest>MDI=</Latest></BlockList>"
    assert put_blob(api, link, listed, "&comp=blocklist").status == 201
    path = f"/{link['containerName']}/{link['blobName']}{link['sasToken']}"
    assert api("GET", path, token="").body == b"onetwo"
    assert api("HEAD", path, token="").headers["content-length"] == "6"
    for bad in (b"<BlockList><Latest>MDk=</Latest></BlockList>", b"<", b"<!DOCTYPE x><BlockList/>"):
        assert put_blob(api, link, bad, "&comp=blocklist").status == 400
    assert put_blob(api, link, b"", "&comp=block&blockid=???").status == 400
    assert put_blob(api, link, b"", "&comp=page").status == 400
    assert put_blob(api, link, b"").status == 400


def test_a_blob_needs_its_link(api: Device) -> None:
    link = api.own("POST", "/devices/dev/files", {"blobName": "x"}).json
    for changed in (link | {"sasToken": "?sig=x"}, link | {"blobName": "dev/y"}):
        answer = put_blob(api, changed, b"", x_ms_blob_type="BlockBlob")
        assert (answer.status, answer.headers["x-ms-error-code"]) == (403, "AuthenticationFailed")
        assert answer.body.startswith(b"<?xml")
    missing = f"/{link['containerName']}/{link['blobName']}{link['sasToken']}"
    assert api("GET", missing, token="").status == 404


def test_too_many_open_uploads(api: Device) -> None:
    links = [api.own("POST", "/devices/dev/files", {"blobName": str(n)}) for n in range(3)]
    assert [link.status for link in links] == [200, 200, 403]
    assert links[2].headers["iothub-errorcode"] == "DeviceMaximumActiveFileUploadLimitExceeded"
    assert api.running.seen(FileUploadStarted)[-1].error_code == 403006
    done = {"correlationId": links[0].json["correlationId"], "isSuccess": False}
    assert api.own("POST", "/devices/dev/files/notifications", done).status == 204
    assert api.own("POST", "/devices/dev/files", {"blobName": "3"}).status == 200


@pytest.mark.parametrize("body", [b"", b"{", [], {}, {"blobName": ""}, {"blobName": 1}, {"blobName": "x" * 1025}])
def test_uploads_that_are_refused(api: Device, body: Any) -> None:
    assert api.own("POST", "/devices/dev/files", body).status == 400


@pytest.mark.parametrize(
    "body", [{}, {"isSuccess": True}, {"correlationId": "x"}, {"correlationId": "x", "isSuccess": True}]
)
def test_notifications_that_are_refused(api: Device, body: Any) -> None:
    assert api.own("POST", "/devices/dev/files/notifications", body).status == 400

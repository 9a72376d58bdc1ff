"""The service API as any HTTP client sees it; the SDK's own way is in test_sdk."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from harness.emulator import EmulatorOptions
from harness.emulator.tokens import new_key, sign
from tests.emulator.watching import Watcher

VERSION = "api-version=2021-04-12"


@dataclass
class Response:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Api:
    """A keep-alive HTTPS connection with a token of one policy."""

    def __init__(self, running: Watcher) -> None:
        self.running = running
        self.host = running.endpoints.service_host
        self._connection = http.client.HTTPSConnection(self.host, context=running.tls(), timeout=10)

    def token(self, policy: str = "iothubowner", *, key: str | None = None, expiry: int = 4_000_000_000) -> str:
        key = key or self.running.emulator.call(lambda s: s.hub.access.policies[policy].primary_key)
        return sign(self.host, key, expiry, policy)

    def __call__(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str
    ) -> Response:
        query = "" if "?" in path else f"?{VERSION}"
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent["Authorization"] = self.token() if token is None else token
        self._connection.request(method, path + query, data, {k: v for k, v in sent.items() if v})
        answer = self._connection.getresponse()
        return Response(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def api(running: Watcher) -> Iterator[Api]:
    api = Api(running)
    assert api("PUT", "/devices/dev", {"deviceId": "dev"}).status == 200
    yield api
    api.close()


def test_devices(api: Api) -> None:
    created = api("PUT", "/devices/two", {"deviceId": "two", "status": "disabled"})
    assert created.json["status"] == "disabled"
    assert created.headers["etag"] == f'"{created.json["etag"]}"'
    assert [device["deviceId"] for device in api("GET", "/devices").json] == ["dev", "two"]
    assert len(api("GET", f"/devices?top=1&{VERSION}").json) == 1
    assert api("PUT", "/devices/two", {"deviceId": "two"}, If_Match='"other"').status == 412
    updated = api("PUT", "/devices/two", {"deviceId": "two"}, If_Match=created.headers["etag"])
    assert (updated.status, updated.json["status"]) == (200, "enabled")
    assert updated.json["authentication"] == created.json["authentication"]
    assert api("DELETE", "/devices/two", If_Match='"*"').status == 204
    assert api("GET", "/devices/two").status == 404


def test_ids_are_decoded(api: Api) -> None:
    assert api("PUT", "/devices/a%23b%3A1", {"deviceId": "a#b:1"}).json["deviceId"] == "a#b:1"


def test_twins(api: Api) -> None:
    patched = api("PATCH", "/twins/dev", {"tags": {"a": 1}, "properties": {"desired": {"x": 1}}})
    assert patched.json["properties"]["desired"]["$version"] == 2
    replaced = api("PUT", "/twins/dev", {"properties": {"desired": {"y": 2}}}, If_Match=patched.headers["etag"])
    twin = replaced.json
    assert (twin["tags"], twin["properties"]["desired"]["y"]) == ({}, 2)
    assert "x" not in twin["properties"]["desired"]
    assert twin["etag"] != patched.json["etag"]
    assert "modelId" not in twin


def test_digital_twins(api: Api) -> None:
    patched = api("PATCH", "/digitaltwins/dev", [{"op": "add", "path": "/comp/limit", "value": 4}])
    assert (patched.status, patched.body) == (202, b"")
    assert patched.headers["location"].endswith("/digitaltwins/dev")
    twin = api("GET", "/digitaltwins/dev")
    assert twin.headers["etag"] == patched.headers["etag"]
    assert twin.json["comp"] == {"$metadata": {"limit": {"desiredValue": 4, "desiredVersion": 2}}}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/twins/dev/methods"),
        ("POST", "/digitaltwins/dev/commands/reboot"),
        ("POST", "/digitaltwins/dev/components/comp/commands/reboot"),
    ],
)
def test_offline_devices_are_404103_in_the_newer_shape(api: Api, method: str, path: str) -> None:
    answer = api(method, path, {"methodName": "reboot"})
    assert answer.status == 404
    assert answer.headers["iothub-errorcode"] == "DeviceNotOnline"
    detail = json.loads(answer.json["Message"])
    assert (detail["errorCode"], detail["info"]) == (404103, {"timeout": "00:00:00"})
    assert answer.json["ExceptionMessage"] == ""


def test_other_errors_come_in_the_older_shape(api: Api) -> None:
    answer = api("PUT", "/devices/dev", {"deviceId": "dev"})
    assert answer.status == 409
    assert answer.json["Message"].startswith("ErrorCode:DeviceAlreadyExists;")
    assert answer.json["ExceptionMessage"].startswith("Tracking ID:")


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/twins/nobody", None, 404),
        ("GET", "/digitaltwins/nobody", None, 404),
        ("GET", "/nowhere", None, 404),
        ("POST", "/devices/dev", {}, 405),
        ("GET", "/devices/dev?x=1", None, 400),
        ("GET", f"/devices?top=0&{VERSION}", None, 200),
        ("GET", f"/devices?top=x&{VERSION}", None, 400),
        ("GET", f"/devices?top=1001&{VERSION}", None, 400),
        ("PUT", "/devices/other", b"{", 400),
        ("PUT", "/devices/" + "x" * 129, {}, 400),
        ("PATCH", "/twins/dev", b"\xff", 400),
        ("PATCH", "/twins/dev", [], 400),
        ("PATCH", "/twins/dev", {"properties": {"desired": {"a.b": 1}}}, 400),
        ("PATCH", "/twins/dev", {"properties": []}, 200),
        ("PATCH", "/twins/dev", {"properties": [1]}, 400),
        ("PATCH", "/digitaltwins/dev", {}, 400),
        ("POST", "/twins/dev/methods", {}, 400),
        ("POST", "/twins/dev/methods", {"methodName": "x", "responseTimeoutInSeconds": "5"}, 400),
        ("POST", "/twins/dev/methods", {"methodName": "x", "responseTimeoutInSeconds": 10**400}, 400),
        ("POST", f"/digitaltwins/dev/commands/x?{VERSION}&responseTimeoutInSeconds={10**400}", None, 400),
        ("GET", f"/devices?{VERSION}&top=-1", None, 400),
        ("PATCH", "/twins/dev", b'{"tags": {"a": 1e999}}', 400),
        ("PATCH", "/twins/dev", b'{"tags": {"a": ' + b"[" * 700 + b"]" * 700 + b"}}", 400),
        ("POST", "/devices/query", {"query": "SELECT * FROM devices WHERE " + "lower(" * 2000}, 400),
        ("POST", "/digitaltwins/dev/commands/x", b"{", 400),
        ("PATCH", "/twins/dev", b" " * 1_100_000, 413),
    ],
)
def test_bad_requests_are_answered(api: Api, method: str, path: str, body: Any, status: int) -> None:
    answer = api(method, path, body)
    assert answer.status == status
    if status >= 400:
        assert answer.json["Message"]
    assert api("GET", "/twins/dev").status == 200


@pytest.mark.parametrize(
    ("policy", "allowed"),
    [
        ("iothubowner", {"read", "write", "service"}),
        ("registryReadWrite", {"read", "write"}),
        ("registryRead", {"read"}),
        ("service", {"service"}),
        ("device", set()),
    ],
)
def test_policies_are_enforced(api: Api, policy: str, allowed: set[str]) -> None:
    token = api.token(policy)
    statuses = {
        "read": api("GET", "/devices/dev", token=token).status,
        "write": api("PUT", f"/devices/{policy}", {}, token=token).status,
        "service": api("GET", "/twins/dev", token=token).status,
    }
    assert statuses == {what: 200 if what in allowed else 401 for what in statuses}


def test_tokens_are_checked(api: Api) -> None:
    owner = api.running.emulator.call(lambda s: s.hub.access.policies["iothubowner"].primary_key)
    bad = {
        "nothing": "",
        "no token": "Bearer abc",
        "wrong key": api.token(key=new_key()),
        "expired": api.token(expiry=1_000_000_000),
        "no policy": sign(api.host, new_key(), 4_000_000_000),
        "unknown policy": sign(api.host, new_key(), 4_000_000_000, "root"),
        "other host": sign("other.example.net", owner, 4_000_000_000, "iothubowner"),
    }
    for case, token in bad.items():
        answer = api("GET", "/devices/dev", token=token)
        assert answer.status == 401, case
        assert answer.headers["iothub-errorcode"] == "IotHubUnauthorizedAccess" or case == "expired"


def test_a_token_for_a_path_covers_that_path_only(api: Api) -> None:
    key = api.running.emulator.call(lambda s: s.hub.access.policies["iothubowner"].secondary_key)
    token = sign(f"{api.host}/devices/dev", key, 4_000_000_000, "iothubowner")
    assert api("GET", "/devices/dev", token=token).status == 200
    assert api("GET", "/devices/devil", token=token).status == 401
    assert api("GET", "/twins/dev", token=token).status == 401


def test_the_port_of_the_devices_has_the_service_api_too(start: Any) -> None:
    running: Watcher = start(EmulatorOptions(https_port=0))
    token = Api(running).token()
    where = f"{running.endpoints.hub_host}:{running.endpoints.https_port}"
    connection = http.client.HTTPSConnection(where, context=running.tls(), timeout=10)

    def ask(method: str, path: str, **headers: str) -> tuple[int, bytes]:
        connection.request(method, f"{path}?{VERSION}", b"{}", headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    assert ask("PUT", "/devices/dev", Authorization=token)[0] == 200
    assert ask("GET", "/twins/dev", Authorization=token)[0] == 200
    status, body = ask("GET", "/twins/other", Authorization=token)
    assert (status, b"404001" in body) == (404, True)
    assert [ask(method, "/devices/dev")[0] for method in ("GET", "PUT", "DELETE")] == [401] * 3
    connection.close()

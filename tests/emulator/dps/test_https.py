"""The device API over HTTPS, as plain HTTP clients and other SDKs speak it."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.emulator import EmulatorOptions
from harness.emulator.faults import Plan, fault
from harness.emulator.tokens import new_key, sign
from harness.record.events import (
    DeviceAssigned,
    ProtocolViolation,
    ProvisioningConnected,
    RegistrationAnswered,
    RegistrationPolled,
    RegistrationRequested,
)
from tests.emulator.dps.certs import Made, make
from tests.emulator.dps.software_tpm import SoftwareTpm
from tests.emulator.watching import Watcher

VERSION = "api-version=2021-06-01"


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Device:
    """One connection to the device API on the HTTPS port."""

    def __init__(self, running: Watcher, context: ssl.SSLContext | None = None) -> None:
        self.ends = running.endpoints
        assert self.ends.https_port, self.ends.https_hint
        self.connection = http.client.HTTPSConnection(
            self.ends.dps_host, self.ends.https_port, context=context or running.tls(), timeout=10
        )

    def token(self, registration_id: str, key: str) -> str:
        resource = f"{self.ends.id_scope}/registrations/{registration_id}"
        return sign(resource, key, int(time.time()) + 3600, "registration")

    def __call__(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str = "",
        scope: str = "",
        query: str = VERSION,
        **headers: str,
    ) -> Answer:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if data is not None:
            sent.setdefault("Content-Type", "application/json; charset=utf-8")
        if token:
            sent["Authorization"] = token
        self.connection.request(method, f"/{scope or self.ends.id_scope}/registrations{path}?{query}", data, sent)
        answer = self.connection.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())

    def provision(self, registration_id: str, token: str = "", body: Any = None) -> Any:
        begun = self("PUT", f"/{registration_id}/register", body or {"registrationId": registration_id}, token=token)
        assert begun.status == 202, begun.body
        operation = begun.json["operationId"]
        done = self("GET", f"/{registration_id}/operations/{operation}", token=token)
        assert done.status == 200, done.body
        return done.json


@pytest.fixture
def watcher(start: Callable[..., Watcher]) -> Watcher:
    return start(EmulatorOptions(https_port=0))


@pytest.fixture
def device(watcher: Watcher) -> Iterator[Device]:
    device = Device(watcher)
    yield device
    device.connection.close()


def test_register_poll_look_up(watcher: Watcher, device: Device) -> None:
    enrollment = watcher.emulator.enroll("reg-1", payload={"hello": 1})
    token = device.token("reg-1", enrollment.secondary_key)
    body = {"registrationId": "reg-1", "payload": {"modelId": "dtmi:a;1"}}

    begun = device("PUT", "/reg-1/register", body, token=token, User_Agent="test/1")
    operation = begun.json["operationId"]
    assert (begun.status, begun.json) == (202, {"operationId": operation, "status": "assigning"})
    assert begun.headers["retry-after"] == "1"
    assert begun.headers["location"].endswith(f"/registrations/reg-1/operations/{operation}?{VERSION}")
    assert device("POST", "/reg-1", body, token=token).json["status"] == "assigning"

    done = device("GET", f"/reg-1/operations/{operation}", b"{}", token=token)
    state = done.json["registrationState"]
    assert (done.status, done.json["status"], state["payload"]) == (200, "assigned", {"hello": 1})
    assert device("POST", "/reg-1", body, token=token).json == state

    connected = watcher.wait(ProvisioningConnected)
    assert (connected.protocol, connected.client_version, connected.reason) == ("https", "test/1", "")
    assert json.loads(watcher.wait(RegistrationRequested).payload) == body
    assert watcher.wait(RegistrationPolled).operation_id == operation
    assert [a.status for a in watcher.seen(RegistrationAnswered)] == [202, 200]
    assert watcher.wait(DeviceAssigned).device_id == "reg-1"
    assert "sig=" not in repr(watcher.events)


def test_spellings_of_the_sdks(watcher: Watcher, device: Device) -> None:
    enrollment = watcher.emulator.enroll("Reg:1")
    token = device.token("Reg:1", enrollment.primary_key)
    node = f"{VERSION}&forceRegistration=true"
    assert device("PUT", "/Reg%3A1/register", {"registrationId": "Reg:1"}, token=token, query=node).status == 202
    assert device("PUT", "/reg:1/register/", b"", token=token, scope=device.ends.id_scope.lower()).status == 202


def test_groups(watcher: Watcher, device: Device) -> None:
    group = watcher.emulator.enroll_group("fleet")
    state = device.provision("any-1", device.token("any-1", group.device_key("any-1")))["registrationState"]
    assert state["symmetricKey"] == {"enrollmentGroupId": "fleet"}
    refused = device("PUT", "/any-1/register", {}, token=device.token("any-1", group.primary_key))
    assert refused.status == 401
    watcher.wait(ProvisioningConnected, lambda e: "the group's key itself" in e.reason)


def test_errors(watcher: Watcher, device: Device) -> None:
    key = watcher.emulator.enroll("reg-1").primary_key
    token = device.token("reg-1", key)
    other = device.token("other", key)
    register = "/reg-1/register"
    cases: list[tuple[Answer, int, int]] = [
        (device("PUT", register, {}), 401, 401002),
        (device("PUT", register, {}, token="Bearer x"), 401, 401002),
        (device("PUT", register, {}, token=device.token("reg-1", new_key())), 401, 401002),
        (device("PUT", register, {}, token=other), 401, 401002),
        (device("PUT", "/nobody/register", {}, token=device.token("nobody", key)), 404, 404201),
        (device("PUT", register, {}, token=token, scope="0neOTHER"), 404, 404000),
        (device("PUT", register, b"{", token=token), 400, 400012),
        (device("PUT", register, {"modelId": "x"}, token=token), 400, 400012),
        (device("PUT", register, {"registrationId": "x"}, token=token), 400, 400004),
        (device("PUT", "/-/register", {}, token=device.token("-", key)), 400, 400004),
        (device("PUT", register, {}, token=token, query="x=1"), 400, 400001),
        (device("PUT", register, {}, token=token, Content_Type="text/plain"), 415, 415000),
        (device("GET", "/reg-1/operations/4.x", token=token), 404, 404202),
        (device("POST", "/reg-1", {}, token=token), 404, 404202),
        (device("GET", "/reg-1/operations", token=token), 405, 405000),
        (device("PUT", "//register", {}, token=token), 405, 405000),
        (device("DELETE", register, token=token), 405, 405000),
    ]
    for number, (answer, status, code) in enumerate(cases):
        assert (answer.status, answer.json["errorCode"]) == (status, code), number
        assert set(answer.json) == {"errorCode", "trackingId", "message", "timestampUtc"}
        assert answer.headers["x-ms-error-code"] == str(code)
    assert device("PUT", register, {}, token=token).status == 202


def test_messages_are_limited(watcher: Watcher, device: Device) -> None:
    token = device.token("reg-1", watcher.emulator.enroll("reg-1").primary_key)
    fits = {"payload": "x" * (96 * 1024 - 20)}
    assert device("PUT", "/reg-1/register", fits, token=token).status == 202
    assert device("PUT", "/reg-1/register", {"payload": "x" * 96 * 1024}, token=token).status == 413


def test_polling_too_fast_is_recorded(watcher: Watcher, device: Device) -> None:
    token = device.token("reg-1", watcher.emulator.enroll("reg-1").primary_key)
    operation = device("PUT", "/reg-1/register", {}, token=token).json["operationId"]
    for _ in range(6):
        assert device("GET", f"/reg-1/operations/{operation}", token=token).status == 200
    assert watcher.wait(ProtocolViolation).rule == "dps-poll-rate"


def test_faults_play_over_https(watcher: Watcher, device: Device) -> None:
    token = device.token("reg-1", watcher.emulator.enroll("reg-1").primary_key)
    watcher.emulator.order(Plan((fault(at="register", do="error", code=429, retry_after=9),)))
    answer = device("PUT", "/reg-1/register", {}, token=token)
    assert (answer.status, answer.headers["retry-after"], answer.json["errorCode"]) == (429, "9", 429001)


# --- certificates ------------------------------------------------------------------------------------


def with_certificate(watcher: Watcher, folder: Path, leaf: Made, *chain: Made) -> ssl.SSLContext:
    context = watcher.tls()
    context.load_cert_chain(*leaf.files(folder, *chain))
    return context


def test_a_client_certificate_of_an_individual(watcher: Watcher, tmp_path: Path) -> None:
    leaf = make("reg-1")
    watcher.emulator.enroll_x509("reg-1", leaf.pem, device_id="dev-1")
    state = Device(watcher, with_certificate(watcher, tmp_path, leaf)).provision("reg-1")["registrationState"]
    assert (state["deviceId"], state["x509"]["certificateInfo"]["subjectName"]) == ("dev-1", "CN=reg-1")


def test_client_certificates_of_a_group(watcher: Watcher, tmp_path: Path) -> None:
    root = make("root", ca=True)
    middle = make("middle", root, ca=True)
    leaf = make("REG-1", middle)
    watcher.emulator.enroll_group("fleet", certificate=root.pem)
    state = Device(watcher, with_certificate(watcher, tmp_path, leaf, middle)).provision("reg-1")["registrationState"]
    assert state["x509"]["enrollmentGroupId"] == "fleet"

    alone = Device(watcher, with_certificate(watcher, tmp_path, leaf))("PUT", "/reg-1/register", {})
    assert (alone.status, alone.json["message"]) == (401, "Invalid certificate")
    foreign = Device(watcher, with_certificate(watcher, tmp_path, make("reg-1")))("PUT", "/reg-1/register", {})
    assert foreign.status == 401
    watcher.wait(ProvisioningConnected, lambda e: "without intermediate certificates" in e.reason)
    assert Device(watcher)("PUT", "/reg-1/register", {}).status == 401


# --- TPM ---------------------------------------------------------------------------------------------


def test_a_device_with_a_tpm(watcher: Watcher, device: Device) -> None:
    tpm = SoftwareTpm()
    watcher.emulator.enroll_tpm("reg-1", tpm.endorsement_key)
    keys = {"endorsementKey": tpm.endorsement_key, "storageRootKey": tpm.storage_root_key}
    body = {"registrationId": "reg-1", "tpm": keys}

    challenge = device("PUT", "/reg-1/register", body)
    assert (challenge.status, challenge.json["keyName"]) == (401, "registration")
    tpm.import_key(challenge.json["authenticationKey"])
    result = device.provision("reg-1", device.token("reg-1", tpm.identity_key), body)
    tpm.import_key(result["registrationState"]["tpm"]["authenticationKey"])
    key = watcher.emulator.call(lambda services: services.hub.registry.get("reg-1").primary_key)
    assert key == tpm.identity_key
    assert tpm.identity_key not in repr(watcher.events)

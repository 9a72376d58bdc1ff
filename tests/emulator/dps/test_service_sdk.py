"""The service API as azure-iot-deviceprovisioning uses it, and as any HTTP client does where that shows more."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from harness.emulator import EmulatorOptions
from harness.emulator.dps.access import OWNER, Right, ServicePolicy
from harness.emulator.tokens import derive_key, new_key, sign
from tests.emulator.dps.certs import make
from tests.emulator.dps.software_tpm import SoftwareTpm
from tests.emulator.dps.test_https import Answer, Device
from tests.emulator.watching import Watcher

deviceprovisioning = pytest.importorskip("azure.iot.deviceprovisioning", reason="the extra `azure` is not installed")
exceptions = pytest.importorskip("azure.core.exceptions")

KEY = {"type": "symmetricKey"}


@pytest.fixture
def client(running: Watcher) -> Any:
    return deviceprovisioning.DeviceProvisioningClient.from_connection_string(
        running.endpoints.dps_connection_string, connection_verify=str(running.endpoints.ca_path), retry_total=0
    )


def group(**settings: Any) -> dict[str, Any]:
    return {"enrollmentGroupId": "fleet", "attestation": KEY, **settings}


def one(registration_id: str = "reg-1", **settings: Any) -> dict[str, Any]:
    return {"registrationId": registration_id, "attestation": KEY, **settings}


def code(error: Any) -> int:
    return int(json.loads(error.value.response.text())["errorCode"])


def test_an_individual_enrollment_from_first_to_last(client: Any, running: Watcher) -> None:
    settings: dict[str, Any] = {
        "deviceId": "dev-1",
        "initialTwin": {"tags": {"a": 1}, "properties": {"desired": {"b": 2}}},
        "reprovisionPolicy": {"updateHubAssignment": True, "migrateDeviceData": False},
        "allocationPolicy": "static",
        "iotHubs": [running.endpoints.hub_host],
        "capabilities": {"iotEdge": True},
        "optionalDeviceInformation": {"x": "y"},
    }
    created = client.enrollment.create_or_update("reg-1", one(**settings))
    keys = created["attestation"]["symmetricKey"]
    assert (created["provisioningStatus"], created["iotHubHostName"]) == ("enabled", running.endpoints.hub_host)

    read = client.enrollment.get("REG-1")
    assert {name: read[name] for name in settings} == settings
    assert read["attestation"] == KEY
    assert client.enrollment.get_attestation_mechanism("reg-1") == {**KEY, "symmetricKey": keys}

    read["provisioningStatus"] = "disabled"
    updated = client.enrollment.create_or_update("reg-1", read, if_match=read["etag"])
    assert updated["attestation"]["symmetricKey"] == keys
    assert updated["createdDateTimeUtc"] == created["createdDateTimeUtc"]
    assert updated["etag"] != read["etag"]

    with pytest.raises(exceptions.HttpResponseError) as caught:
        client.enrollment.create_or_update("reg-1", read, if_match=read["etag"])
    assert (caught.value.status_code, code(caught)) == (412, 412001)
    with pytest.raises(exceptions.ResourceExistsError) as caught:
        client.enrollment.create_or_update("reg-1", one())
    assert code(caught) == 409201

    client.enrollment.delete("reg-1", if_match=updated["etag"])
    with pytest.raises(exceptions.ResourceNotFoundError) as caught:
        client.enrollment.get("reg-1")
    assert code(caught) == 404201


def test_what_is_enrolled_may_register(client: Any, start: Callable[..., Watcher]) -> None:
    running = start(EmulatorOptions(https_port=0))
    client = deviceprovisioning.DeviceProvisioningClient.from_connection_string(
        running.endpoints.dps_connection_string, connection_verify=str(running.endpoints.ca_path)
    )
    client.enrollment.create_or_update("reg-1", one())
    keys = client.enrollment.get_attestation_mechanism("reg-1")["symmetricKey"]
    fleet = client.enrollment_group.create_or_update("fleet", group())
    derived = derive_key(fleet["attestation"]["symmetricKey"]["primaryKey"], "any-1")
    device = Device(running)
    device.provision("reg-1", device.token("reg-1", keys["secondaryKey"]))
    device.provision("any-1", device.token("any-1", derived))

    state = client.device_registration_state.get("reg-1")
    assert (state["status"], state["assignedHub"]) == ("assigned", running.endpoints.hub_host)
    assert client.enrollment.get("reg-1")["registrationState"] == state
    (found,) = client.device_registration_state.query("fleet")
    assert found["registrationId"] == "any-1"
    with pytest.raises(exceptions.HttpResponseError):
        client.device_registration_state.delete("any-1", if_match="other")
    client.device_registration_state.delete("any-1", if_match=found["etag"])
    with pytest.raises(exceptions.ResourceNotFoundError) as caught:
        client.device_registration_state.get("any-1")
    assert code(caught) == 404202
    client.enrollment.delete("reg-1")
    assert device("PUT", "/reg-1/register", {}, token=device.token("reg-1", keys["primaryKey"])).status == 401


def test_enrollment_groups(client: Any) -> None:
    keys = {"primaryKey": new_key(), "secondaryKey": new_key()}
    created = client.enrollment_group.create_or_update(
        "fleet", group(attestation={**KEY, "symmetricKey": keys}, provisioningStatus="disabled")
    )
    assert client.enrollment_group.get_attestation_mechanism("Fleet")["symmetricKey"] == keys
    assert client.enrollment_group.get("fleet")["provisioningStatus"] == "disabled"
    client.enrollment_group.create_or_update("fleet", group(), if_match="*")
    assert client.enrollment_group.get_attestation_mechanism("fleet")["symmetricKey"] == keys
    client.enrollment_group.delete("fleet")
    with pytest.raises(exceptions.HttpResponseError):
        client.enrollment_group.delete("fleet", if_match=created["etag"])


def test_x509_and_tpm(client: Any) -> None:
    root, leaf, tpm = make("root", ca=True), make("reg-1"), SoftwareTpm()
    text = base64.b64encode(root.pem).decode()  # as the C SDK writes it
    signing = {"signingCertificates": {"primary": {"certificate": text}}}
    shown = client.enrollment_group.create_or_update("fleet", group(attestation={"type": "x509", "x509": signing}))
    info = shown["attestation"]["x509"]["signingCertificates"]["primary"]["info"]
    assert (info["subjectName"], info["issuerName"]) == ("CN=root", "CN=root")
    read = client.enrollment_group.get("fleet")
    client.enrollment_group.create_or_update("fleet", read, if_match=read["etag"])
    mechanism = client.enrollment_group.get_attestation_mechanism("fleet")
    assert base64.b64decode(mechanism["x509"]["signingCertificates"]["primary"]["certificate"]) == root.der

    own = {"clientCertificates": {"primary": {"certificate": leaf.pem.decode()}}}
    client.enrollment.create_or_update("reg-1", one(attestation={"type": "x509", "x509": own}))
    attestation = {"type": "tpm", "tpm": {"endorsementKey": tpm.endorsement_key}}
    client.enrollment.create_or_update("reg-2", one("reg-2", attestation=attestation))
    assert client.enrollment.get("reg-2")["attestation"] == attestation

    named = {"type": "x509", "x509": {"caReferences": {"primary": "ours"}}}
    client.enrollment_group.create_or_update("named", {"enrollmentGroupId": "named", "attestation": named})
    assert client.enrollment_group.get("named")["attestation"] == named


def test_queries_and_bulk(client: Any) -> None:
    every = [one(f"reg-{number}") for number in range(10)]
    result = client.enrollment.run_bulk_operation({"mode": "create", "enrollments": every})
    assert result == {"errors": [], "isSuccessful": True}
    found = client.enrollment.query({"query": "SELECT * FROM enrollments"})
    assert [item["registrationId"] for item in found] == [item["registrationId"] for item in every]
    assert list(client.enrollment_group.query({"query": "select * from enrollmentGroups"})) == []

    again = client.enrollment.run_bulk_operation({"mode": "create", "enrollments": [one("reg-1"), one("new")]})
    assert (again["isSuccessful"], [e["registrationId"] for e in again["errors"]]) == (False, ["reg-1"])
    stale = {**one("reg-1"), "etag": "old"}
    result = client.enrollment.run_bulk_operation({"mode": "updateIfMatchETag", "enrollments": [stale]})
    assert result["errors"][0]["errorCode"] == 412001
    client.enrollment.run_bulk_operation(
        {"mode": "update", "enrollments": [one("reg-1", provisioningStatus="disabled")]}
    )
    assert client.enrollment.get("reg-1")["provisioningStatus"] == "disabled"
    client.enrollment.run_bulk_operation({"mode": "delete", "enrollments": [{"registrationId": "reg-1"}]})
    groups = {"mode": "create", "enrollmentGroups": [group()]}
    assert client.enrollment_group.run_bulk_operation(groups)["isSuccessful"]


# --- plain HTTP --------------------------------------------------------------------------------------


class Api(Device):
    """The service host with a token of a policy."""

    def __init__(self, running: Watcher) -> None:
        super().__init__(running)
        self.running = running
        host, _, port = running.endpoints.service_host.rpartition(":")
        self.connection = type(self.connection)(host, int(port), context=running.tls(), timeout=10)

    def call(self, method: str, path: str, body: Any = None, *, token: str | None = None, **headers: str) -> Answer:
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        sent = {"Authorization": self.owner() if token is None else token, "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        query = "" if "?" in path else "?api-version=2021-10-01"
        self.connection.request(method, path + query, data, sent)
        answer = self.connection.getresponse()
        return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())

    def owner(self, host: str = "", expiry: int = 0, policy: str = OWNER, key: str = "") -> str:
        known = self.running.emulator.call(lambda services: services.dps_access.policies[OWNER].primary_key)
        return sign(host or self.ends.service_host, key or known, expiry or int(time.time()) + 60, policy)


@pytest.fixture
def api(start: Callable[..., Watcher]) -> Api:
    return Api(start(EmulatorOptions(https_port=0)))


def test_pages(api: Api) -> None:
    for number in range(5):
        assert api.call("PUT", f"/enrollments/r{number}", {"attestation": KEY}).status == 200
    query = {"query": "SELECT * FROM enrollments"}
    seen, continuation = [], ""
    for size in (2, 2, 1):
        answer = api.call("POST", "/enrollments/query", query, x_ms_max_item_count="2", x_ms_continuation=continuation)
        assert (len(answer.json), answer.headers["x-ms-item-type"]) == (size, "enrollment")
        seen += [item["registrationId"] for item in answer.json]
        continuation = answer.headers.get("x-ms-continuation", "")
    assert (seen, continuation) == ([f"r{number}" for number in range(5)], "")


def test_etags_are_headers_too(api: Api) -> None:
    created = api.call("PUT", "/enrollments/r", {"attestation": KEY})
    assert created.headers["etag"] == f'"{created.json["etag"]}"'
    assert api.call("PUT", "/enrollments/r", {"attestation": KEY}, If_Match=created.headers["etag"]).status == 200
    assert api.call("DELETE", "/enrollments/r", If_Match='"*"').status == 204


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        [],
        {},
        {"attestation": {"type": "none"}},
        {"attestation": KEY, "registrationId": "other"},
        {"attestation": {**KEY, "symmetricKey": {"primaryKey": "short"}}},
        {"attestation": {"type": "x509"}},
        {"attestation": {"type": "x509", "x509": {"clientCertificates": {"primary": {"certificate": "x"}}}}},
        {"attestation": {"type": "tpm"}},
        {"attestation": {"type": "tpm", "tpm": {"endorsementKey": "AAAA"}}},
        {"attestation": KEY, "provisioningStatus": "on"},
        {"attestation": KEY, "allocationPolicy": "random"},
        {"attestation": KEY, "iotHubs": ["gone.example.net"]},
        {"attestation": KEY, "iotHubs": [1]},
        {"attestation": KEY, "initialTwin": []},
        {"attestation": KEY, "deviceId": 7},
        {"attestation": KEY, "reprovisionPolicy": {"updateHubAssignment": False, "migrateDeviceData": True}},
    ],
)
def test_enrollments_that_are_none(api: Api, body: Any) -> None:
    answer = api.call("PUT", "/enrollments/r", body)
    assert (answer.status, answer.json["errorCode"]) == (400, 400004)
    assert api.call("GET", "/enrollments/r").status == 404


def test_groups_are_not_attested_by_what_is_no_ca(api: Api) -> None:
    leaf = {"signingCertificates": {"primary": {"certificate": make("leaf").pem.decode()}}}
    for attestation in ({"type": "x509", "x509": leaf}, {"type": "tpm", "tpm": {"endorsementKey": "AAAA"}}):
        assert api.call("PUT", "/enrollmentGroups/g", {"attestation": attestation}).status == 400


def test_other_bad_requests(api: Api) -> None:
    cases = [
        (api.call("POST", "/enrollments/query", {"query": "SELECT x FROM y"}), 400),
        (api.call("POST", "/enrollments/query", {}), 400),
        (api.call("POST", "/enrollments", {"mode": "create", "enrollments": []}), 400),
        (api.call("POST", "/enrollments", {"mode": "create", "enrollments": [{}] * 11}), 400),
        (api.call("POST", "/enrollments", {"mode": "burn", "enrollments": [{}]}), 400),
        (api.call("POST", "/registrations/nobody/query"), 404),
        (api.call("PUT", "/enrollments/r", {"attestation": KEY}, If_Match="*"), 404),
        (api.call("PUT", "/enrollments/r", {}, Content_Type="text/plain"), 415),
        (api.call("PUT", "/enrollments/r", b" " * 1_100_000), 413),
        (api.call("POST", "/enrollments/query", {"query": "SELECT * FROM enrollments"}, x_ms_continuation="x"), 400),
    ]
    for number, (answer, status) in enumerate(cases):
        assert answer.status == status, number
        assert answer.headers["x-ms-error-code"].startswith(str(status))


def test_the_front_door(api: Api) -> None:
    def reader(services: Any) -> str:
        policy = ServicePolicy(frozenset({Right.ENROLLMENT_READ}))
        services.dps_access.policies["reader"] = policy
        return policy.primary_key

    key = api.running.emulator.call(reader)
    refused = {
        "nothing": "",
        "no token": "Bearer x",
        "wrong key": api.owner(key=new_key()),
        "expired": api.owner(expiry=1_000_000_000),
        "other host": api.owner(host="other.example.net"),
        "other path": api.owner(host=f"{api.ends.service_host}/enrollmentGroups"),
        "unknown policy": api.owner(policy="root"),
        "the hub's": sign(api.ends.service_host, new_key(), 4_000_000_000, "iothubowner"),
    }
    for case, token in refused.items():
        answer = api.call("GET", "/enrollments/r", token=token)
        assert answer.status == 401, case
        assert answer.json["Message"].startswith("ErrorCode:IotHubUnauthorized"), case
    assert api.call("GET", "/enrollments/r", token=api.owner(policy="reader", key=key)).status == 404
    assert api.call("DELETE", "/enrollments/r", token=api.owner(policy="reader", key=key)).status == 401
    versionless = api.call("GET", "/enrollments/r?x=1")
    assert versionless.json["Message"].startswith("ErrorCode:ArgumentInvalid;Unknown api version")

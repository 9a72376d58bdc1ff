"""Microsoft's own SDKs, unmodified, as device and as service, against the emulator over TLS."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from azure.iot.device import IoTHubDeviceClient, Message, MethodResponse, ProvisioningDeviceClient
from azure.iot.device.exceptions import ClientError, CredentialError
from azure.iot.hub import DigitalTwinClient, IoTHubRegistryManager
from azure.iot.hub.models import CloudToDeviceMethod, Twin, TwinProperties
from msrest.exceptions import HttpOperationError

from harness.record.events import (
    DesiredChanged,
    DeviceAssigned,
    HubConnected,
    HubDisconnected,
    ProvisioningConnected,
    ProvisioningDisconnected,
    RegistrationRequested,
    ReportedPatched,
    Subscribed,
    TelemetryReceived,
)
from tests.emulator.watching import DEADLINE, Watcher

MODEL = "dtmi:com:example:TemperatureController;1"


@pytest.fixture
def registry(running: Watcher) -> IoTHubRegistryManager:
    return _service(IoTHubRegistryManager, running)


@pytest.fixture
def twins(running: Watcher) -> DigitalTwinClient:
    return _service(DigitalTwinClient, running)


def _service(kind: Any, running: Watcher) -> Any:
    client = kind.from_connection_string(running.endpoints.hub_connection_string)
    client.protocol.config.connection.verify = str(running.endpoints.ca_path)
    client.protocol.config.keep_alive = True
    return client


class Device:
    """A device on the SDK that answers methods, and remembers desired properties."""

    def __init__(self, running: Watcher, key: str, device_id: str = "dev-1") -> None:
        self.client = IoTHubDeviceClient.create_from_symmetric_key(
            key,
            running.endpoints.hub_host,
            device_id,
            product_info=MODEL,
            server_verification_cert=running.endpoints.ca_path.read_text(),
        )
        self.desired: list[dict[str, Any]] = []
        self.told = threading.Event()

    def listen(self) -> None:
        def method(request: Any) -> None:
            status = 404 if request.name == "unknown" else 200
            answer = MethodResponse.create_from_method_request(request, status, {"echo": request.payload})
            self.client.send_method_response(answer)

        def desired(patch: dict[str, Any]) -> None:
            self.desired.append(patch)
            self.told.set()

        self.client.on_method_request_received = method
        self.client.on_twin_desired_properties_patch_received = desired


@pytest.fixture
def device(running: Watcher) -> Iterator[Device]:
    identity = running.emulator.call(lambda s: s.hub.put_device("dev-1", {}, None))
    device = Device(running, identity.primary_key)
    yield device
    device.client.shutdown()


def test_provision_and_connect(running: Watcher) -> None:
    enrollment = running.emulator.enroll("reg-1", device_id="dev-1")
    provisioning = ProvisioningDeviceClient.create_from_symmetric_key(
        running.endpoints.dps_host,
        "reg-1",
        running.endpoints.id_scope,
        enrollment.primary_key,
        server_verification_cert=running.endpoints.ca_path.read_text(),
    )
    provisioning.provisioning_payload = {"modelId": MODEL}
    result = provisioning.register()
    assert result.status == "assigned"
    state = result.registration_state
    assert state is not None
    assert (state.device_id, state.assigned_hub) == ("dev-1", running.endpoints.hub_host)
    assert json.loads(running.wait(RegistrationRequested).payload)["payload"] == {"modelId": MODEL}
    assert running.wait(DeviceAssigned).device_id == "dev-1"

    device = Device(running, enrollment.primary_key)
    device.client.connect()
    assert running.wait(HubConnected).model_id == MODEL
    device.client.shutdown()
    assert running.wait(HubDisconnected).by == "device"


def test_provisioning_with_a_wrong_key(running: Watcher) -> None:
    running.emulator.enroll("reg-1")
    other = running.emulator.enroll("reg-2")
    provisioning = ProvisioningDeviceClient.create_from_symmetric_key(
        running.endpoints.dps_host,
        "reg-1",
        running.endpoints.id_scope,
        other.primary_key,
        server_verification_cert=running.endpoints.ca_path.read_text(),
    )
    with pytest.raises(ClientError) as caught:
        provisioning.register()
    assert "401" in str(caught.value.__cause__)
    assert "signature" in running.wait(ProvisioningConnected).reason
    # The SDK stays connected after a refusal and has no public way to end that.
    provisioning._pipeline.shutdown(callback=lambda **_: None)  # type: ignore[no-untyped-call]
    running.wait(ProvisioningDisconnected)


def test_a_wrong_device_key(running: Watcher, device: Device) -> None:
    wrong = running.emulator.enroll("x").primary_key
    stranger = Device(running, wrong)
    with pytest.raises(CredentialError):
        stranger.client.connect()
    stranger.client.shutdown()
    assert running.wait(HubConnected).return_code == 5


def test_telemetry(running: Watcher, device: Device) -> None:
    device.client.connect()
    body = json.dumps({"temperature": 21.5})
    message: Any = Message(body, None, "utf-8", "application/json")  # type: ignore[no-untyped-call]
    message.custom_properties["$.sub"] = "thermostat1"
    message.custom_properties["colour"] = "dark red/blue"
    device.client.send_message(message)
    event = running.wait(TelemetryReceived)
    assert (event.component, event.model_id, event.payload) == ("thermostat1", MODEL, b'{"temperature": 21.5}')
    assert (event.content_type, event.content_encoding) == ("application/json", "utf-8")
    assert dict(event.properties) == {"colour": "dark red/blue"}


def test_device_twin_from_both_sides(running: Watcher, device: Device, registry: IoTHubRegistryManager) -> None:
    device.client.connect()
    device.client.patch_twin_reported_properties({"serial": "S1", "gone": 1})
    device.client.patch_twin_reported_properties({"gone": None})
    assert device.client.get_twin() == {"desired": {"$version": 1}, "reported": {"serial": "S1", "$version": 3}}
    with pytest.raises(ClientError):
        device.client.patch_twin_reported_properties({"a.b": 1})
    assert [event.status for event in running.seen(ReportedPatched)] == [204, 204, 400]

    device.listen()
    running.wait(Subscribed, lambda event: "desired" in event.filters[0][0])
    twin = registry.update_twin("dev-1", Twin(properties=TwinProperties(desired={"target": 20})), etag="*")
    assert twin.additional_properties["modelId"] == MODEL
    assert twin.properties.desired["$version"] == 2
    assert device.told.wait(DEADLINE)
    assert device.desired == [{"target": 20, "$version": 2}]
    assert running.wait(DesiredChanged).delivered
    assert registry.get_twin("dev-1").connection_state == "Connected"


def test_direct_methods(running: Watcher, device: Device, registry: IoTHubRegistryManager) -> None:
    request = CloudToDeviceMethod(method_name="reboot", payload={"delay": 3})
    with pytest.raises(HttpOperationError) as caught:
        registry.invoke_device_method("dev-1", request)
    assert "404103" in caught.value.response.text
    device.client.connect()
    device.listen()
    running.wait(Subscribed)
    result = registry.invoke_device_method("dev-1", request)
    assert (result.status, result.payload) == (200, {"echo": {"delay": 3}})
    result = registry.invoke_device_method("dev-1", CloudToDeviceMethod(method_name="unknown"))
    assert result.status == 404


def test_digital_twin_and_commands(running: Watcher, device: Device, twins: DigitalTwinClient) -> None:
    device.client.connect()
    device.listen()
    running.wait(Subscribed, lambda event: "desired" in event.filters[0][0])
    device.client.patch_twin_reported_properties({"comp": {"__t": "c", "max": 5}})
    twins.update_digital_twin("dev-1", [{"op": "add", "path": "/comp/limit", "value": 7}])
    assert device.told.wait(DEADLINE)
    assert device.desired[0]["comp"] == {"__t": "c", "limit": 7}
    twin = twins.get_digital_twin("dev-1")
    assert twin["$metadata"]["$model"] == MODEL
    assert twin["comp"]["max"] == 5
    assert twin["comp"]["$metadata"]["limit"]["desiredValue"] == 7

    raw = twins.protocol.digital_twin.invoke_component_command("dev-1", "comp", "count", [1, 2], raw=True)
    assert raw.output == {"echo": [1, 2]}
    assert raw.headers["x-ms-command-statuscode"] == 200
    assert twins.invoke_command("dev-1", "reboot", "now") == {"echo": "now"}


def test_the_registry(registry: IoTHubRegistryManager) -> None:
    created = registry.create_device_with_sas("new", "", "", "enabled")
    assert created.authentication.symmetric_key.primary_key
    assert [device.device_id for device in registry.get_devices()] == ["new"]
    key = created.authentication.symmetric_key.primary_key
    updated = registry.update_device_with_sas("new", created.etag, key, key, "disabled")
    assert (updated.status, registry.get_device("new").status) == ("disabled", "disabled")
    with pytest.raises(HttpOperationError, match=r"Precondition|412"):
        registry.delete_device("new", etag="AAAA")
    registry.delete_device("new")
    assert registry.get_devices() == []

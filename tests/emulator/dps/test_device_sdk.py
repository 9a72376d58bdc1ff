"""azure-iot-device, unmodified, through DPS into the hub: group keys, X.509 both ways, WebSockets, several hubs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure.iot.device import X509, IoTHubDeviceClient, Message, ProvisioningDeviceClient
from azure.iot.device.exceptions import ClientError

from harness.emulator import EmulatorOptions
from harness.emulator.dps.assignment import Allocation, AllocationRequest
from harness.record.events import (
    DeviceAssigned,
    HubConnected,
    ProtocolViolation,
    ProvisioningConnected,
    TelemetryReceived,
)
from tests.addresses import free_address
from tests.emulator.dps.certs import Made, make
from tests.emulator.watching import Watcher

FAST = EmulatorOptions(retry_after=0, https_port=None)


@pytest.fixture
def running(start: Callable[..., Watcher]) -> Watcher:
    return start(FAST)


def by_key(running: Watcher, registration_id: str, key: str, **settings: Any) -> Any:
    client = ProvisioningDeviceClient.create_from_symmetric_key(
        running.endpoints.dps_host,
        registration_id,
        running.endpoints.id_scope,
        key,
        server_verification_cert=running.endpoints.ca_path.read_text(),
        **settings,
    )
    client.provisioning_payload = {"modelId": "dtmi:com:example:Thermostat;1"}
    return client


def by_certificate(running: Watcher, registration_id: str, files: tuple[str, str], **settings: Any) -> Any:
    return ProvisioningDeviceClient.create_from_x509_certificate(
        running.endpoints.dps_host,
        registration_id,
        running.endpoints.id_scope,
        X509(*files),  # type: ignore[no-untyped-call]
        server_verification_cert=running.endpoints.ca_path.read_text(),
        **settings,
    )


def to_the_hub(running: Watcher, hub: str, device_id: str, files: tuple[str, str]) -> None:
    """Connect with the certificate and send one message."""
    client = IoTHubDeviceClient.create_from_x509_certificate(
        X509(*files),  # type: ignore[no-untyped-call]
        hub,
        device_id,
        server_verification_cert=running.endpoints.ca_path.read_text(),
    )
    try:
        client.send_message(Message("{}"))  # type: ignore[no-untyped-call]
    finally:
        client.shutdown()


def refusal(client: Any) -> str:
    """Register in vain; return what the SDK says of it."""
    with pytest.raises(ClientError) as caught:
        client.register()
    # The SDK stays connected after a refusal and has no public way to end that.
    client._pipeline.shutdown(callback=lambda **_: None)
    return str(caught.value.__cause__)


def test_a_derived_key_of_a_group(running: Watcher) -> None:
    group = running.emulator.enroll_group("fleet", payload={"hello": "fleet"}, initial_twin={"desired": {"x": 1}})
    key = group.device_key("Any.1")
    result = by_key(running, "Any.1", key).register()
    state = result.registration_state
    assert (result.status, state.device_id, state.assigned_hub) == ("assigned", "Any.1", running.endpoints.hub_host)
    assert json.loads(state.response_payload) == {"hello": "fleet"}

    device = IoTHubDeviceClient.create_from_symmetric_key(
        key, state.assigned_hub, "Any.1", server_verification_cert=running.endpoints.ca_path.read_text()
    )
    assert device.get_twin()["desired"]["x"] == 1
    device.shutdown()
    assert not running.seen(ProtocolViolation)


def test_the_groups_own_key_is_refused(running: Watcher) -> None:
    group = running.emulator.enroll_group("fleet")
    assert "401" in refusal(by_key(running, "any-1", group.primary_key))
    assert "the group's key itself" in running.wait(ProvisioningConnected).reason
    assert not running.seen(DeviceAssigned)


def test_an_individual_certificate(running: Watcher, tmp_path: Path) -> None:
    leaf = make("dev-x")
    files = leaf.files(tmp_path)
    running.emulator.enroll_x509("dev-x", make("dev-x").pem, leaf.pem)
    state = by_certificate(running, "dev-x", files).register().registration_state
    to_the_hub(running, state.assigned_hub, state.device_id, files)
    assert running.wait(HubConnected).authentication == "x509"
    running.wait(TelemetryReceived)


@pytest.mark.parametrize("websockets", [False, True])
def test_a_certificate_beneath_the_groups_ca(start: Callable[..., Watcher], tmp_path: Path, websockets: bool) -> None:
    running = start(EmulatorOptions(retry_after=0))
    if websockets and running.endpoints.https_port != 443:
        pytest.skip(running.endpoints.https_hint)
    root = make("root", ca=True)
    middle = make("middle", root, ca=True)
    files = make("dev-x", middle).files(tmp_path, middle)
    running.emulator.enroll_group("fleet", certificate=root.pem)
    state = by_certificate(running, "dev-x", files, websockets=websockets).register().registration_state
    assert running.wait(ProvisioningConnected).protocol == ("mqtt-ws" if websockets else "mqtt")
    to_the_hub(running, state.assigned_hub, "dev-x", files)
    assert running.wait(HubConnected).return_code == 0


@pytest.mark.parametrize(
    ("leaf", "why"),
    [
        (make("dev-y"), "CN is dev-y"),
        (make("dev-x"), "no enrolled CA vouches"),
        (make("dev-x", begins=-9e5, ends=-9e4), "expired"),
    ],
)
def test_a_certificate_that_does_not_hold(running: Watcher, tmp_path: Path, leaf: Made, why: str) -> None:
    running.emulator.enroll_group("fleet", certificate=make("root", ca=True).pem)
    assert "401" in refusal(by_certificate(running, "dev-x", leaf.files(tmp_path)))
    assert why in running.wait(ProvisioningConnected).reason


def test_failed_and_disabled(running: Watcher) -> None:
    failing = running.emulator.enroll("dev-1", allocation="custom")
    running.emulator.allocate_with(lambda request: Allocation(None))
    assert "failed registration status" in refusal(by_key(running, "dev-1", failing.primary_key))
    disabled = running.emulator.enroll("dev-2", enabled=False)
    assert "invalid registration status" in refusal(by_key(running, "dev-2", disabled.primary_key))


def test_moved_to_another_hub(start: Callable[..., Watcher]) -> None:
    second = free_address()
    running = start(EmulatorOptions(retry_after=0, https_port=None, more_hubs=(second,)))
    first = running.endpoints.hub_host
    asked: list[AllocationRequest] = []

    def allocate(request: AllocationRequest) -> Allocation:
        asked.append(request)
        return Allocation(second if request.current_hub else first)

    running.emulator.allocate_with(allocate)
    key = running.emulator.enroll("dev-1", allocation="custom", policy="migrate").primary_key
    hubs = []
    for _ in range(2):
        hub = by_key(running, "dev-1", key).register().registration_state.assigned_hub
        hubs.append(hub)
        device = IoTHubDeviceClient.create_from_symmetric_key(
            key, hub, "dev-1", server_verification_cert=running.endpoints.ca_path.read_text()
        )
        if len(hubs) == 1:
            device.patch_twin_reported_properties({"serial": 7})
        assert device.get_twin()["reported"]["serial"] == 7
        device.shutdown()
    assert hubs == [first, second]
    assert [event.substatus for event in running.seen(DeviceAssigned)] == ["initialAssignment", "deviceDataMigrated"]
    assert asked[0].payload == {"modelId": "dtmi:com:example:Thermostat;1"}
    assert running.endpoints.more_hub_connection_strings[0].startswith(f"HostName={second}:")

"""A device on Microsoft's Node SDK: provisioning, telemetry, twin and a method, over MQTT and over WebSockets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure.iot.hub import IoTHubRegistryManager
from azure.iot.hub.models import CloudToDeviceMethod, Twin, TwinProperties

from harness.emulator import EmulatorOptions
from harness.emulator.dps.certificates import ClientCertificates, SigningCertificates
from harness.emulator.dps.enrollments import Enrolled
from harness.record.events import (
    DeviceAssigned,
    HubConnected,
    HubDisconnected,
    ProvisioningConnected,
    RegistrationRequested,
    ReportedPatched,
    Subscribed,
    TelemetryReceived,
)
from tests.emulator.live import nodesdk
from tests.emulator.shell.chains import issue
from tests.emulator.watching import Watcher

MODEL = "dtmi:com:example:Thermostat;1"
HTTPS = 443
DEVICE = "node-1"


@pytest.fixture(scope="module")
def sdk() -> Path:
    return nodesdk.modules()


def begin(start: Callable[..., Watcher], transport: str) -> Watcher:
    running = start(EmulatorOptions())
    if transport == "ws" and running.endpoints.https_port != HTTPS:
        pytest.skip(f"the SDK insists on port 443: {running.endpoints.https_hint}")
    return running


def settings(running: Watcher, transport: str) -> dict[str, str]:
    return {
        "TRANSPORT": transport,
        "MODEL_ID": MODEL,
        "IOTHUB_DEVICE_DPS_ENDPOINT": running.endpoints.dps_host,
        "IOTHUB_DEVICE_DPS_ID_SCOPE": running.endpoints.id_scope,
        "IOTHUB_DEVICE_DPS_DEVICE_ID": DEVICE,
    }


def service(running: Watcher) -> Any:
    registry = IoTHubRegistryManager.from_connection_string(running.endpoints.hub_connection_string)
    registry.protocol.config.connection.verify = str(running.endpoints.ca_path)
    return registry


def exercise(running: Watcher, transport: str) -> None:
    """What every such device must have done, and does when it is asked."""
    assert running.wait(DeviceAssigned).device_id == DEVICE
    assert running.seen(ProvisioningConnected)[0].protocol == transport
    assert b'"modelId":"dtmi:com:example:Thermostat;1"' in running.seen(RegistrationRequested)[0].payload
    connected = running.wait(HubConnected)
    assert (connected.return_code, connected.model_id, connected.transport) == (0, MODEL, transport)
    told = running.wait(TelemetryReceived)
    assert (told.payload, told.component, told.content_type) == (
        b'{"temperature":21.5}',
        "thermostat1",
        "application/json",
    )
    assert b'"started":true' in running.wait(ReportedPatched).payload

    registry = service(running)
    running.wait(Subscribed, lambda event: any("desired" in wanted for wanted, _, _ in event.filters))
    registry.update_twin(DEVICE, Twin(properties=TwinProperties(desired={"target": 23})), etag="*")
    running.wait(ReportedPatched, lambda event: b'"value":23' in event.payload)
    reported = registry.get_twin(DEVICE).properties.reported
    assert reported["target"]["ac"] == 200
    running.wait(Subscribed, lambda event: any("methods" in wanted for wanted, _, _ in event.filters))
    answer = registry.invoke_device_method(DEVICE, CloudToDeviceMethod(method_name="echo", payload={"deep": [1]}))
    assert (answer.status, answer.payload) == (200, {"heard": {"deep": [1]}})


@pytest.mark.parametrize(("transport", "name"), [("mqtt", "mqtt"), ("ws", "mqtt-ws")])
def test_a_device_with_a_key(sdk: Path, start: Callable[..., Watcher], transport: str, name: str) -> None:
    running = begin(start, transport)
    enrollment = running.emulator.enroll(DEVICE)
    key = {"IOTHUB_DEVICE_DPS_DEVICE_KEY": enrollment.primary_key}
    with nodesdk.device(sdk, running.endpoints.ca_path, settings(running, transport) | key):
        exercise(running, name)
    assert running.wait(HubDisconnected).by == "device"
    assert running.errors == []


@pytest.mark.parametrize(("transport", "name"), [("mqtt", "mqtt"), ("ws", "mqtt-ws")])
def test_a_device_with_a_certificate(
    sdk: Path, start: Callable[..., Watcher], tmp_path: Path, transport: str, name: str
) -> None:
    """Over MQTT enrolled by itself, over WebSockets by the CA above its issuer."""
    running = begin(start, transport)
    root = issue("plant", ca=True)
    own = issue(DEVICE, issue("line 7", root, ca=True))
    enrolled = (
        Enrolled(ClientCertificates(own.chain[0]), registration_id=DEVICE)
        if transport == "mqtt"
        else Enrolled(SigningCertificates(root.chain[0]), group_id="plant")
    )
    running.emulator.call(lambda s: s.enrollments.add(enrolled))
    file = str(own.write(tmp_path))
    shown = settings(running, transport) | {"CERT_FILE": file, "KEY_FILE": file}
    with nodesdk.device(sdk, running.endpoints.ca_path, shown):
        exercise(running, name)
    assert running.seen(HubConnected)[0].authentication == "x509"
    assert running.errors == []

"""The fixture package in somebody else's test suite."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

CONFTEST = """
import pytest
from harness.emulator import EmulatorOptions

pytest_plugins = ["harness.emulator.fixtures"]

@pytest.fixture(scope="session")
def emulator_options():
    return EmulatorOptions(retry_after=2)
"""

SUITE = """
import pytest
from azure.iot.hub import IoTHubRegistryManager
from harness.emulator.faults import PlanError
from harness.record.events import DesiredChanged

seen = []

@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_begins_anew(dps, iot_hub, turn):
    assert iot_hub.cloud.events == ()
    iot_hub.create_device("dev-1")
    dps.enroll("dev-1")
    seen.append((dps.host, iot_hub.connection_string))
    assert len(set(seen)) == 1

def test_settings_for_a_device_process(dps):
    environment = dps.environment(dps.enroll("dev-1"))
    assert environment["IOTHUB_DEVICE_DPS_ENDPOINT"] == environment["PROVISIONING_HOST"] == dps.host
    assert environment["SSL_CERT_FILE"].endswith("ca.pem")

def test_a_client_of_the_service_sdk(iot_hub, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    device = iot_hub.create_device("dev-2")
    assert "dev-2" in device.connection_string and device.primary_key not in repr(device)
    registry = iot_hub.client(IoTHubRegistryManager)
    assert registry.get_twin("dev-2").device_id == iot_hub.twin("dev-2")["deviceId"]

def test_waiting(iot_hub):
    with pytest.raises(AssertionError, match="no desired_changed .* within 0.01 s; seen: nothing"):
        iot_hub.wait(DesiredChanged, timeout=0.01)

def test_a_wrong_fault(dps):
    with pytest.raises(PlanError, match="did you mean 'register'"):
        dps.fault(at="registr", do="silence")

def test_the_lasting_one(session_dps, session_iot_hub, dps):
    session_iot_hub.create_device("lasting")
    assert session_dps.host != dps.host

def test_the_lasting_one_remembers(session_iot_hub, iot_hub):
    assert session_iot_hub.twin("lasting")

def test_the_switches_are_theirs(local_cloud):
    assert local_cloud.emulator.options.retry_after == 2
"""


def test_the_fixtures(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_device=SUITE)
    # In a process of its own: other suites do not import the plugin twice.
    pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider").assert_outcomes(passed=9)

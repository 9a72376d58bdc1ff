"""The metrics and resource logs of DPS, with Azure's names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.emulator.dps.core import ProvisioningService
from harness.emulator.dps.monitor import Caller
from harness.emulator.tokens import new_key
from tests.emulator.fakes import HOST, World, publish

REGISTER = "$dps/registrations/PUT/iotdps-register/?$rid=1"
POLL = "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=1&operationId={}"
COLUMNS = {
    "ApplicationId",
    "CallerIPAddress",
    "Category",
    "CorrelationId",
    "DurationMs",
    "Level",
    "OperationName",
    "OperationVersion",
    "Resource",
    "ResourceGroup",
    "ResourceId",
    "ResourceProvider",
    "ResourceType",
    "ResultType",
    "ResultSignature",
    "ResultDescription",
    "SubscriptionId",
    "TenantId",
    "TimeGenerated",
    "location_s",
    "properties_s",
}


def counts(dps: ProvisioningService) -> list[tuple[Any, ...]]:
    return [
        (row["metric"], *[v for k, v in row["dimensions"].items() if k != "ProvisioningServiceName"], row["total"])
        for row in dps.metrics()
    ]


def provision(world: World, key: str) -> None:
    client = world.at_dps(key)
    (answer,) = publish(client, REGISTER, b"{}")
    if "/202/" in answer.topic:
        for _ in range(2):
            publish(client, POLL.format(json.loads(answer.payload)["operationId"]), b" ")


def test_metrics() -> None:
    world = World()
    key = world.enroll().primary
    for one in (key, key, new_key()):
        provision(world, one)
    provision(world, world.enroll(enabled=False).primary)
    assert counts(world.dps) == [
        ("AttestationAttempts", "Failed", "Mqtt", 1),
        ("AttestationAttempts", "Succeeded", "Mqtt", 3),
        ("DeviceAssignments", HOST, 2),
        ("RegistrationAttempts", "", "Failed", 1),
        ("RegistrationAttempts", HOST, "Succeeded", 2),
    ]
    assert all(row["dimensions"]["ProvisioningServiceName"] == "emulator" for row in world.dps.metrics())
    world.dps.reset()
    assert (world.dps.metrics(), world.dps.logs()) == ([], [])


def test_log_rows_have_azures_columns() -> None:
    world = World()
    provision(world, world.enroll().primary)
    provision(world, new_key())
    rows = world.dps.logs()
    assert [row["OperationName"] for row in rows] == [
        "AttestationAttempt",
        "RegistrationAttempt",
        "DeviceAssignment",
        "AttestationAttempt",
    ]
    good, bad = rows[0], rows[-1]
    assert set(good) == COLUMNS
    assert (good["ResultType"], good["ResultSignature"], good["Level"]) == ("Success", "", "Information")
    assert (bad["ResultType"], bad["ResultSignature"], bad["Level"]) == ("ClientError", "401", "Error")
    assert bad["ResultDescription"] == "Unauthorized"
    assert json.loads(good["properties_s"]) == {"id": "reg-1", "type": "Registration", "protocol": "Mqtt"}
    assert (good["CallerIPAddress"], good["OperationVersion"]) == ("127.0.0.XXX", "March2019")
    assert good["TimeGenerated"].startswith("2023-11-14T22:13:20")


@pytest.mark.parametrize(
    ("address", "masked"),
    [("10.1.2.3", "10.1.2.XXX"), ("10.1.2.3:99", "10.1.2.XXX"), ("fe80::1", "fe80::XXX"), ("", ""), ("x", "")],
)
def test_addresses_are_masked(address: str, masked: str) -> None:
    world = World()
    world.dps.monitor.attested(Caller(address, "Http", "2021-10-01"), "reg-1")
    assert world.dps.logs()[0]["CallerIPAddress"] == masked


def test_service_operations() -> None:
    world = World()
    world.dps.monitor.served(
        Caller("10.1.2.3", "Http", "2021-10-01"), "Get", "IndividualEnrollment", "r", 404, "no", 0.5
    )
    (row,) = world.dps.logs()
    assert (row["Category"], row["OperationName"], row["OperationVersion"]) == (
        "ServiceOperations",
        "Get",
        "October2021",
    )
    assert (row["DurationMs"], row["ResultSignature"], row["ResultDescription"]) == ("500", "404", "no")

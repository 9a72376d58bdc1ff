"""Which hub a device gets, what becomes of its twin, and what it is told about it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.emulator.dps.assignment import Allocation, AllocationRequest
from harness.emulator.dps.enrollments import Credentials, Enrolled, GroupSymmetricKey, Policy
from harness.emulator.errors import ServiceError
from harness.emulator.options import EmulatorOptions
from harness.emulator.tokens import derive_key
from harness.record.events import DeviceAssigned
from tests.emulator.dps.world import HOST, SECOND, DpsWorld

INITIAL = {"tags": {"t": 1}, "desired": {"d": 1}}


@pytest.fixture
def world() -> DpsWorld:
    return DpsWorld()


def report(hub: Any, patch: dict[str, Any]) -> None:
    device = hub.registry.get("reg-1")
    device.twin.report(patch, "2024-01-01T00:00:00Z")


def reported(hub: Any) -> Any:
    return hub.registry.get("reg-1").twin_document()["properties"]["reported"].get("r")


def test_devices_are_spread_evenly_and_stay(world: DpsWorld) -> None:
    group = GroupSymmetricKey()
    world.enrollments.add(Enrolled(group, group_id="fleet"))
    hubs = {}
    for number in range(200):
        name = f"dev-{number}"
        credentials = world.token(derive_key(group.primary, name), name)
        hubs[name] = world.provision(name, credentials)["assignedHub"]
        assert world.provision(name, credentials)["assignedHub"] == hubs[name]
    assert 60 < sum(hub == HOST for hub in hubs.values()) < 140
    assert len(list(world.hub.registry.devices())) + len(list(world.second.registry.devices())) == 200


@pytest.mark.parametrize("allocation", ["static", "geoLatency", "hashed"])
def test_an_enrollment_may_name_its_hub(world: DpsWorld, allocation: str) -> None:
    _, credentials = world.add(hubs=(SECOND.upper(),), allocation=allocation)
    assert world.provision("reg-1", credentials)["assignedHub"] == SECOND
    assert world.second.registry.find("reg-1")


def test_initial_twin_and_payload(world: DpsWorld) -> None:
    _, credentials = world.add(initial_twin=INITIAL, payload={"p": [1]}, device_id="dev-9", edge=True)
    state = world.provision("reg-1", credentials)
    assert (state["deviceId"], state["payload"], state["substatus"]) == ("dev-9", {"p": [1]}, "initialAssignment")
    hub = world.hub if state["assignedHub"] == HOST else world.second
    twin = hub.registry.get("dev-9").twin_document()
    assert (twin["tags"], twin["properties"]["desired"]["d"]) == ({"t": 1}, 1)
    assert hub.registry.get("dev-9").capabilities["iotEdge"] is True


def test_no_hub_is_a_failed_registration(world: DpsWorld) -> None:
    _, credentials = world.add(hubs=("gone.example.net",))
    state = world.provision("reg-1", credentials)
    assert (state["status"], state["errorCode"]) == ("failed", 400208)
    assert state["errorMessage"]
    assert "assignedHub" not in state
    assert world.seen(DeviceAssigned) == []


def test_an_id_the_hub_refuses_is_a_failed_registration(world: DpsWorld) -> None:
    _, credentials = world.add(device_id="x y")
    assert world.provision("reg-1", credentials)["errorCode"] == 400004


# --- registering again -------------------------------------------------------------------------------


def moved(world: DpsWorld, policy: Policy, *, to: str = SECOND) -> dict[str, Any]:
    """Provision into the first hub, report something, and register again with another hub named."""
    enrolled, credentials = world.add(hubs=(HOST,), policy=policy, initial_twin=INITIAL)
    world.provision("reg-1", credentials)
    report(world.hub, {"r": 1})
    enrolled.hubs = (to,)
    return world.provision("reg-1", credentials)


def test_migrate_takes_the_twin_along(world: DpsWorld) -> None:
    state = moved(world, Policy.MIGRATE)
    assert (state["assignedHub"], state["substatus"]) == (SECOND, "deviceDataMigrated")
    assert world.hub.registry.find("reg-1") is None
    assert reported(world.second) == 1
    assert world.last(DeviceAssigned).substatus == "deviceDataMigrated"


def test_reset_begins_with_the_initial_twin(world: DpsWorld) -> None:
    state = moved(world, Policy.RESET)
    assert (state["assignedHub"], state["substatus"]) == (SECOND, "deviceDataReset")
    assert world.hub.registry.find("reg-1") is None
    assert reported(world.second) is None
    assert world.second.registry.get("reg-1").twin_document()["tags"] == {"t": 1}


def test_reset_in_the_same_hub(world: DpsWorld) -> None:
    assert moved(world, Policy.RESET, to=HOST)["substatus"] == "deviceDataReset"
    assert reported(world.hub) is None


def test_never_stays(world: DpsWorld) -> None:
    state = moved(world, Policy.NEVER)
    assert (state["assignedHub"], state["substatus"]) == (HOST, "initialAssignment")
    assert reported(world.hub) == 1
    assert world.second.registry.find("reg-1") is None


def test_the_same_hub_again_keeps_the_twin(world: DpsWorld) -> None:
    state = moved(world, Policy.MIGRATE, to=HOST)
    assert state["substatus"] == "initialAssignment"
    assert reported(world.hub) == 1


def test_switch_substatus_in_the_same_hub() -> None:
    world = DpsWorld(EmulatorOptions(dps_same_hub_substatus="reprovisionedToInitialAssignment"))
    assert moved(world, Policy.MIGRATE, to=HOST)["substatus"] == "reprovisionedToInitialAssignment"


def test_back_to_the_first_hub(world: DpsWorld) -> None:
    moved(world, Policy.MIGRATE)
    enrolled = world.enrollments.get("reg-1")
    assert enrolled is not None
    enrolled.hubs = (HOST,)
    state = world.provision("reg-1", world.token(enrolled.attestation.primary))  # type: ignore[attr-defined]
    assert state["substatus"] == "reprovisionedToInitialAssignment"
    assert reported(world.hub) == 1


def test_dates_tell_the_first_time_and_the_last(world: DpsWorld) -> None:
    _, credentials = world.add()
    first = world.provision("reg-1", credentials)
    world.advance(60)
    second = world.provision("reg-1", credentials)
    assert first["createdDateTimeUtc"] == second["createdDateTimeUtc"] < second["lastUpdatedDateTimeUtc"]
    assert first["etag"] != second["etag"]


# --- custom allocation -------------------------------------------------------------------------------


def test_custom_allocation(world: DpsWorld) -> None:
    asked: list[AllocationRequest] = []

    def allocate(request: AllocationRequest) -> Allocation:
        asked.append(request)
        return Allocation(SECOND, {"tags": {"from": "custom"}}, {"hello": 2})

    world.dps.assigner.allocate = allocate
    _, credentials = world.add(allocation="custom", payload="unused", initial_twin=INITIAL)
    state = world.provision("reg-1", credentials, {"modelId": "dtmi:a;1"})
    assert (state["assignedHub"], state["payload"]) == (SECOND, {"hello": 2})
    assert world.second.registry.get("reg-1").twin_document()["tags"] == {"from": "custom"}
    assert (asked[0].registration_id, asked[0].payload, asked[0].hubs) == (
        "reg-1",
        {"modelId": "dtmi:a;1"},
        (HOST, SECOND),
    )


def _unauthorised(_: AllocationRequest) -> Allocation:
    raise PermissionError


def _broken(_: AllocationRequest) -> Allocation:
    raise RuntimeError("no idea")


@pytest.mark.parametrize(
    ("allocate", "code"),
    [(None, 400207), (_broken, 400207), (lambda _: Allocation(None), 400208), (_unauthorised, 400209)],
)
def test_custom_allocation_that_fails(world: DpsWorld, allocate: Any, code: int) -> None:
    world.dps.assigner.allocate = allocate
    _, credentials = world.add(allocation="custom")
    state = world.provision("reg-1", credentials)
    assert (state["status"], state["errorCode"]) == ("failed", code)


# --- the rest ----------------------------------------------------------------------------------------


def test_look_up(world: DpsWorld) -> None:
    _, credentials = world.add()
    with pytest.raises(ServiceError) as caught:
        world.dps.look_up("reg-1", credentials)
    assert caught.value.code == 404202
    state = world.provision("reg-1", credentials)
    assert json.loads(world.dps.look_up("REG-1", credentials).body) == state
    with pytest.raises(ServiceError) as caught:
        world.dps.look_up("reg-1", Credentials())
    assert caught.value.status == 401


def test_a_removed_enrollment_takes_its_registration_along(world: DpsWorld) -> None:
    enrolled, credentials = world.add()
    world.provision("reg-1", credentials)
    world.dps.remove(enrolled)
    assert world.dps.registrations.find("reg-1") is None
    with pytest.raises(ServiceError) as caught:
        world.dps.register("reg-1", credentials, b"")
    assert caught.value.code == 404201


@pytest.mark.parametrize("registration_id", ["-a", "a.", "a b", "x" * 129, "ä", ""])
def test_ids_that_are_none(world: DpsWorld, registration_id: str) -> None:
    with pytest.raises(ServiceError) as caught:
        world.dps.register(registration_id, Credentials(), b"")
    assert caught.value.code == 400004


def test_an_initial_twin_that_breaks_a_rule_leaves_no_half_device(world: DpsWorld) -> None:
    _, credentials = world.add(initial_twin={"desired": {"a.b": 1}})
    for _ in range(2):
        state = world.provision("reg-1", credentials)
        assert (state["status"], state["errorCode"]) == ("failed", 400004)
    assert not list(world.hub.registry.devices()) + list(world.second.registry.devices())

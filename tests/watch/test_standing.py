"""How a device stands, for each of the five states and each trouble: a row is one answer of the services."""

from __future__ import annotations

from typing import Any

import pytest

from harness.diagnosis import lookup
from harness.watch.standing import Facts, Standing, standing

HUB = "hub.azure-devices.net"
ASSIGNED = {"registrationId": "dev-1", "status": "assigned", "assignedHub": HUB, "deviceId": "dev-1"}
ENROLLED = {"registrationId": "dev-1", "provisioningStatus": "enabled"}


def twin(**changed: Any) -> dict[str, Any]:
    sections = {name: {"$version": n, "$metadata": {}} for n, name in ((3, "desired"), (5, "reported"))}
    return {
        "deviceId": "dev-1",
        "status": "enabled",
        "connectionState": "Connected",
        "lastActivityTime": "2026-01-02T03:04:05.678Z",
        "authenticationType": "sas",
        "modelId": "dtmi:test:Rig;1",
        "properties": sections,
        **changed,
    }


def of(**facts: Any) -> Standing:
    return standing(Facts("dev-1", "dev-1", hub=HUB, **facts))


NEVER = twin(connectionState="Disconnected", lastActivityTime="0001-01-01T00:00:00Z", modelId=None)
STATES: dict[str, tuple[dict[str, Any], str, list[str]]] = {
    "all is well": ({"registration": ASSIGNED, "twin": twin()}, "Provisioned", []),
    "away for now": ({"registration": ASSIGNED, "twin": twin(connectionState="Disconnected")}, "Provisioned", []),
    "without DPS": ({"dps_unasked": "none is named", "twin": twin()}, "Provisioned", []),
    "enrolled": ({"enrollment": ENROLLED}, "Registered", ["registered"]),
    "assigned, never there": ({"registration": ASSIGNED, "twin": NEVER}, "Registered", ["registered"]),
    "no model": ({"registration": ASSIGNED, "twin": twin(modelId=None)}, "Unassigned", ["unassigned"]),
    "disabled in the hub": (
        {"registration": ASSIGNED, "twin": twin(status="disabled", statusReason="stolen")},
        "Blocked",
        ["disabled"],
    ),
    "disabled enrollment": ({"enrollment": {"provisioningStatus": "disabled"}}, "Blocked", ["enrollment-disabled"]),
    "disabled registration": ({"registration": {"status": "disabled"}}, "Blocked", ["enrollment-disabled"]),
    "not approved": (
        {"registration": {"status": "failed", "errorCode": 400209, "errorMessage": "waiting"}},
        "Unapproved",
        ["registration-failed"],
    ),
    "failed": (
        {"registration": {"status": "failed", "errorCode": 400208, "errorMessage": "no hub"}},
        "",
        ["registration-failed"],
    ),
    "failed in a way nobody knows": (
        {"registration": {"status": "failed", "errorCode": 499999, "errorMessage": "?"}},
        "",
        ["registration-failed"],
    ),
    "unassigned": ({"registration": {"status": "unassigned"}}, "", ["unassigned"]),
    "refused": ({"enrollment": ENROLLED, "refused": "401002: wrong key"}, "Registered", ["registration-refused"]),
    "not enrolled": ({}, "", ["not-enrolled"]),
    "in another hub": ({"registration": {**ASSIGNED, "assignedHub": "b.net"}}, "", ["another-hub"]),
    "gone from its hub": ({"registration": ASSIGNED}, "", ["removed-from-hub"]),
    "not in the hub, DPS not asked": ({"dps_unasked": "none is named"}, "", ["unknown"]),
    "nothing was told": ({"dps_unasked": "401", "hub_unasked": "401"}, "", []),
}


@pytest.mark.parametrize("case", STATES)
def test_states_and_troubles(case: str) -> None:
    facts, state, troubles = STATES[case]
    found = of(**facts)
    assert (found.state, [trouble.code for trouble in found.troubles]) == (state, troubles)
    assert all(trouble.message and trouble.remedy for trouble in found.troubles)


@pytest.mark.parametrize("state", ["Provisioned", "Registered", "Blocked", "Unapproved", "Unassigned"])
def test_each_state_speaks_the_words_of_explain(state: str) -> None:
    entry = lookup(state, "central")
    assert entry is not None
    facts = next(facts for facts, found, _ in STATES.values() if found == state)
    found = of(**facts)
    assert dict(found.rows)["state"] == f"{state}: {entry.meaning}"
    if found.troubles:
        assert entry.maker in found.troubles[0].remedy


def test_what_is_shown() -> None:
    found = of(registration={**ASSIGNED, "substatus": "initialAssignment"}, twin=twin())
    assert found.rows[:-1] == (
        ("device", "dev-1"),
        ("DPS", f"assigned to {HUB} as dev-1 (initialAssignment)"),
        ("hub", f"enabled in {HUB}, sas"),
        ("connection", "connected; last activity 2026-01-02 03:04:05 UTC"),
        ("model", "dtmi:test:Rig;1"),
        ("twin", "desired version 3, reported version 5"),
    )


def test_for_a_program() -> None:
    document = of(registration=ASSIGNED, twin=twin(modelId=None)).document()
    assert document["state"] == "Unassigned"
    assert document["registration"] == {"status": "assigned", "assignedHub": HUB, "deviceId": "dev-1"}
    assert document["twin"] == {"desired": 3, "reported": 5}
    assert document["troubles"][0]["code"] == "unassigned"

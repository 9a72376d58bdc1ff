"""Enrollments as strangers write them: any JSON in any member gets an answer, and never costs another its own."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.emulator import jsontext
from harness.emulator.dps.documents import GROUP, INDIVIDUAL, Kind
from harness.emulator.dps.service import ServiceApi
from harness.emulator.errors import ServiceError
from harness.emulator.options import EmulatorOptions
from harness.emulator.tokens import derive_key, new_key
from tests.emulator.dps.certs import make
from tests.emulator.dps.software_tpm import SoftwareTpm
from tests.emulator.dps.world import HOST, DpsWorld
from tests.emulator.fakes import WALL

KEY, TPM = new_key(), SoftwareTpm()
CERTIFICATE = make("reg-1", ca=True, now=WALL).pem.decode()
SYMMETRIC = {"type": "symmetricKey", "symmetricKey": {"primaryKey": KEY, "secondaryKey": KEY}}
PAIR = {"primary": {"certificate": CERTIFICATE}, "secondary": {"certificate": CERTIFICATE}}
COMMON: dict[str, Any] = {
    "provisioningStatus": "enabled",
    "etag": "x",
    "capabilities": {"iotEdge": True},
    "initialTwin": {"tags": {"a": 1}, "properties": {"desired": {"b": [2]}}},
    "reprovisionPolicy": {"updateHubAssignment": True, "migrateDeviceData": True},
    "allocationPolicy": "static",
    "iotHubs": [HOST],
    "customAllocationDefinition": {"webhookUrl": "https://example.net/a", "apiVersion": "2019-03-31"},
    "optionalDeviceInformation": {"x": "y"},
}
KEYS = {
    "endorsementKey": TPM.endorsement_key,
    "storageRootKey": TPM.storage_root_key,
}
SOUND: list[tuple[Kind, dict[str, Any]]] = [
    (INDIVIDUAL, {"registrationId": "reg-1", "deviceId": "dev-1", "attestation": attestation, **COMMON})
    for attestation in (
        SYMMETRIC,
        {"type": "x509", "x509": {"clientCertificates": PAIR}},
        {"type": "tpm", "tpm": KEYS},
    )
] + [
    (GROUP, {"enrollmentGroupId": "reg-1", "attestation": attestation, "iotHubHostName": HOST, **COMMON})
    for attestation in (
        SYMMETRIC,
        {"type": "x509", "x509": {"signingCertificates": PAIR}},
        {"type": "x509", "x509": {"caReferences": {"primary": "a", "secondary": "b"}}},
    )
]
Place = tuple[str | int, ...]


def places(document: Any, here: Place = ()) -> Iterator[Place]:
    """Where something stands in a document."""
    yield here
    members = document.items() if isinstance(document, dict) else enumerate(document) if type(document) is list else ()
    for name, value in members:
        yield from places(value, (*here, name))


def put(document: Any, place: Place, value: Any) -> Any:
    """The document with something else in that place."""
    if not place:
        return value
    changed = copy.deepcopy(document)
    inner = changed
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    return changed


CASES = [(kind, document, place) for kind, document in SOUND for place in places(document)]
TEXTS = st.text(max_size=8) | st.sampled_from([KEY, CERTIFICATE, HOST, "custom", "tpm", "x509", "$etag", "https://["])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


def carry_out(kind: Kind, document: Any) -> None:
    """Enroll by it, show it, and let a device register with it. Raises ServiceError."""
    world = DpsWorld(EmulatorOptions(dps_allocation="hashed"))
    api = ServiceApi(world.dps)
    shown = api.put(kind, "reg-1", document, None)
    api.put(kind, "reg-1", document, "*")
    for one in (shown, api.get(kind, "reg-1"), api.mechanism(kind, "reg-1")):
        jsontext.load(jsontext.dump(one))
    world.provision("reg-1", world.token(derive_key(KEY, "reg-1") if kind is GROUP else KEY))


@pytest.mark.parametrize(("kind", "document"), SOUND)
def test_a_sound_one_is_taken(kind: Kind, document: Any) -> None:
    world = DpsWorld()
    assert ServiceApi(world.dps).put(kind, "reg-1", document, None)["provisioningStatus"] == "enabled"


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(CASES), JSON)
def test_anything_anywhere_is_answered(case: tuple[Kind, Any, Place], value: Any) -> None:
    kind, document, place = case
    changed = put(document, place, value)
    status = 200
    try:
        carry_out(kind, changed)
    except ServiceError as refused:
        status = refused.status
    assert status in (200, 400, 401), changed


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("reprovisionPolicy", "updateHubAssignment"), []),
        (("reprovisionPolicy", "migrateDeviceData"), {}),
        (("reprovisionPolicy", "updateHubAssignment"), 1),
        (("reprovisionPolicy",), "migrate"),
        (("attestation", "type"), []),
        (("iotHubs",), [[]]),
        (("capabilities",), []),
        (("allocationPolicy",), ["static"]),
    ],
)
def test_one_wrong_enrollment_does_not_stop_the_others(place: Place, value: Any) -> None:
    kind, sound = SOUND[0]
    items = [put(sound, ("registrationId",), f"reg-{n}") for n in range(3)]
    items[1] = put(items[1], place, value)
    api = ServiceApi(DpsWorld().dps)
    result = api.bulk(kind, {"mode": "create", "enrollments": items})
    assert not result["isSuccessful"]
    assert [(error["registrationId"], error["errorCode"]) for error in result["errors"]] == [("reg-1", 400004)]
    assert [
        item["registrationId"] for item in api.query(kind, {"query": "select * from enrollments"}, None, None).items
    ] == ["reg-0", "reg-2"]

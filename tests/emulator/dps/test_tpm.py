"""TPM attestation: the activation blob against a software TPM of our own, and the exchange at the core."""

from __future__ import annotations

import base64
import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.emulator.dps.enrollments import Credentials, Enrolled
from harness.emulator.dps.tpm import InvalidTpmKey, TpmAttestation, activation_blob, read_public
from harness.emulator.errors import ServiceError
from harness.emulator.tokens import parse_token, sign
from tests.emulator.dps.software_tpm import Refused, SoftwareTpm
from tests.emulator.dps.world import SCOPE, DpsWorld

TPM, OTHER = SoftwareTpm(), SoftwareTpm()


def blob(endorsement: SoftwareTpm, storage: SoftwareTpm, key: bytes) -> str:
    made = activation_blob(read_public(endorsement.endorsement_key), read_public(storage.storage_root_key), key)
    return base64.b64encode(made).decode()


@pytest.mark.parametrize("size", [16, 32, 64])
def test_the_tpm_takes_the_key_in(size: int) -> None:
    key = bytes(range(size))
    TPM.import_key(blob(TPM, TPM, key))
    assert base64.b64decode(TPM.identity_key) == key


@pytest.mark.parametrize(("endorsement", "storage"), [(OTHER, OTHER), (TPM, OTHER), (OTHER, TPM)])
def test_no_other_tpm_does(endorsement: SoftwareTpm, storage: SoftwareTpm) -> None:
    with pytest.raises(Refused):
        TPM.import_key(blob(endorsement, storage, bytes(32)))


def test_every_bit_of_the_blob_is_protected() -> None:
    sound = base64.b64decode(blob(TPM, TPM, bytes(32)))
    for place in range(0, len(sound), 37):
        bent = bytearray(sound)
        bent[place] ^= 1
        with pytest.raises(Refused):
            TPM.import_key(base64.b64encode(bytes(bent)).decode())


@pytest.mark.parametrize("text", ["", "x", "AAAA", "!!!!", base64.b64encode(b"\0\4abcd").decode(), "ä"])
def test_what_is_no_key_is_said_to_be_none(text: str) -> None:
    with pytest.raises(InvalidTpmKey):
        read_public(text)


@given(st.binary(max_size=400))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(InvalidTpmKey):
        read_public(base64.b64encode(len(data).to_bytes(2, "big") + data).decode())


# --- the exchange ------------------------------------------------------------------------------------


def body(tpm: SoftwareTpm = TPM, **other: Any) -> bytes:
    keys = {"endorsementKey": tpm.endorsement_key, "storageRootKey": tpm.storage_root_key}
    return json.dumps({"registrationId": "reg-1", "tpm": keys, **other}).encode()


def signed(tpm: SoftwareTpm, world: DpsWorld) -> Credentials:
    text = sign(f"{SCOPE}/registrations/reg-1", tpm.identity_key, int(world.wall) + 60, "registration")
    return Credentials(parse_token(text))


@pytest.fixture
def world() -> DpsWorld:
    world = DpsWorld()
    world.enrollments.add(Enrolled(TpmAttestation(TPM.endorsement_key), registration_id="reg-1"))
    return world


def challenged(world: DpsWorld) -> dict[str, Any]:
    reply = world.dps.challenge("reg-1", body())
    assert reply is not None
    assert reply.status == 401
    document: dict[str, Any] = json.loads(reply.body)
    return document


def test_challenge_sign_assigned(world: DpsWorld) -> None:
    challenge = challenged(world)
    assert challenge["keyName"] == "registration"
    TPM.import_key(challenge["authenticationKey"])
    state = world.provision("reg-1", signed(TPM, world))
    TPM.import_key(state["tpm"]["authenticationKey"])
    hub = world.hub if state["assignedHub"] == world.hub.host else world.second
    assert hub.registry.get("reg-1").primary_key == TPM.identity_key


def test_the_challenge_before_the_last_holds_too_and_no_older_one(world: DpsWorld) -> None:
    challenges = [challenged(world)["authenticationKey"] for _ in range(3)]
    for number, holds in enumerate((False, True, True)):
        TPM.import_key(challenges[number])
        if holds:
            assert world.dps.attest("reg-1", signed(TPM, world))
        else:
            with pytest.raises(ServiceError, match="Unauthorized"):
                world.dps.attest("reg-1", signed(TPM, world))


def test_another_tpm_gets_no_challenge(world: DpsWorld) -> None:
    with pytest.raises(ServiceError) as caught:
        world.dps.challenge("reg-1", body(OTHER))
    assert (caught.value.status, caught.value.cause) == (401, "the TPM's endorsement key is not the enrolled one")


def test_an_enrolled_storage_root_key_has_to_be_the_devices(world: DpsWorld) -> None:
    attestation = TpmAttestation(TPM.endorsement_key, OTHER.storage_root_key)
    world.enrollments.add(Enrolled(attestation, registration_id="reg-1"))
    with pytest.raises(ServiceError) as caught:
        world.dps.challenge("reg-1", body())
    assert caught.value.status == 401


def test_junk_for_a_storage_root_key_is_a_bad_request(world: DpsWorld) -> None:
    keys = {"endorsementKey": TPM.endorsement_key, "storageRootKey": "AAAA"}
    with pytest.raises(ServiceError) as caught:
        world.dps.challenge("reg-1", json.dumps({"tpm": keys}).encode())
    assert caught.value.status == 400


@pytest.mark.parametrize("tpm", [[], 1, {}, {"endorsementKey": "x"}, {"endorsementKey": 1, "storageRootKey": 2}])
def test_malformed_keys_are_a_bad_request(world: DpsWorld, tpm: Any) -> None:
    with pytest.raises(ServiceError) as caught:
        world.dps.challenge("reg-1", json.dumps({"tpm": tpm}).encode())
    assert caught.value.code == 400012


def test_without_keys_there_is_no_challenge(world: DpsWorld) -> None:
    assert world.dps.challenge("reg-1", b"{}") is None
    assert world.dps.challenge("reg-2", body()) is None


def test_over_mqtt_there_is_no_way(world: DpsWorld) -> None:
    with pytest.raises(ServiceError) as caught:
        world.dps.attest("reg-1", Credentials())
    assert "HTTPS" in caught.value.cause

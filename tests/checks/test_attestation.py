"""A registration over HTTPS with a TPM is judged as any other, and a refused proof is named by what it was."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.record import events as ev
from harness.verdict import Outcome
from tests.checks.story import DEVICE, ROOT, Story

KEYS = {"registrationId": DEVICE, "tpm": {"endorsementKey": "AAAA", "storageRootKey": "***"}}
CHALLENGE = json.dumps({"authenticationKey": "***", "keyName": "registration"}).encode()


def enrolled(attestation: str) -> Story:
    story = Story().opened()
    story.tell(ev.DeviceEnrolled(DEVICE, attestation, "0ne1"))
    return story


def asked(request_id: str, **more: Any) -> ev.Event:
    return ev.RegistrationRequested(DEVICE, request_id, json.dumps({**KEYS, **more}).encode())


def answered(request_id: str, status: int, body: bytes = b"{}", code: int | None = None) -> ev.Event:
    return ev.RegistrationAnswered(DEVICE, request_id, status, body, error_code=code)


def shown(reason: str = "") -> ev.Event:
    return ev.ProvisioningConnected(DEVICE, "0ne1", "", "", "https", 0, 0, reason)


@pytest.mark.parametrize("again", [False, True])
def test_the_payload_is_that_of_the_request_after_the_challenge(again: bool) -> None:
    story = enrolled("tpm")
    story.tell(asked("a"), answered("a", 401, CHALLENGE, 401002), shown())
    story.tell(asked("b", payload={"modelId": ROOT}), answered("b", 202), ev.DeviceAssigned(DEVICE, "hub", DEVICE))
    if again:  # it begins to register anew when the run ends
        story.tell(asked("c"), answered("c", 401, CHALLENGE, 401002))
    story.connected()
    for name in ("registers_through_dps", "model_id_in_dps_payload", "model_ids_agree"):
        assert story.judge(name).outcome is Outcome.PASSED


def test_a_second_request_without_payload_fails() -> None:
    story = enrolled("tpm")
    story.tell(asked("a"), answered("a", 401, CHALLENGE, 401002), shown(), asked("b"), answered("b", 202))
    assert story.judge("model_id_in_dps_payload").findings[0].code == "dps-payload-without-model-id"


def test_a_challenge_that_is_not_met_is_the_cause() -> None:
    story = enrolled("tpm")
    story.tell(asked("a"), answered("a", 401, CHALLENGE, 401002))
    assert "DPS challenged the device's TPM" in story.judge("registers_through_dps").findings[0].message
    assert story.judge("model_id_in_dps_payload").outcome is Outcome.BLOCKED


def test_another_tpm_is_the_cause() -> None:
    story = enrolled("tpm")
    story.tell(asked("a"), answered("a", 401, code=401002))
    message = story.judge("registers_through_dps").findings[0].message
    assert "401 (401002): the endorsement key of the device's TPM is not the enrolled one" in message
    assert "check --endorsement-key" in message


@pytest.mark.parametrize(
    ("attestation", "proof"), [("x509", "the certificate and its private"), ("symmetric-key", "the")]
)
def test_the_refused_proof_is_named_with_the_reason(attestation: str, proof: str) -> None:
    story = enrolled(attestation)
    story.tell(shown("it does not hold"), ev.RegistrationRequested(DEVICE, "1", b"{}"), answered("1", 401, code=401002))
    message = story.judge("registers_through_dps").findings[0].message
    assert "401 (401002): it does not hold." in message
    assert f"check {proof} key, the registration id and the ID scope" in message


def test_an_id_that_nobody_enrolled_is_told_beside_the_enrolled_one() -> None:
    story = enrolled("symmetric-key")
    story.tell(ev.RegistrationAnswered("other", "1", 404, b"{}", error_code=404201))
    message = story.judge("registers_through_dps").findings[0].message
    assert f"`other`, and `{DEVICE}` is enrolled" in message
    assert "--registration-id other" in message

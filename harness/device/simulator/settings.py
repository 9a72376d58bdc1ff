"""What the simulator is told: connection settings by the names Microsoft's samples read, and its own.

A device process of the harness gets these in its environment, whatever SDK it is written with.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.dtdl.defaults import usual

SECURITY_TYPE = "IOTHUB_DEVICE_SECURITY_TYPE"
ENDPOINT = "IOTHUB_DEVICE_DPS_ENDPOINT"
ID_SCOPE = "IOTHUB_DEVICE_DPS_ID_SCOPE"
REGISTRATION_ID = "IOTHUB_DEVICE_DPS_DEVICE_ID"
KEY = "IOTHUB_DEVICE_DPS_DEVICE_KEY"
CERTIFICATE = "X509_CERT_FILE"
CERTIFICATE_KEY = "X509_KEY_FILE"
PASS_PHRASE = "PASS_PHRASE"
MODEL_ID = "PREFLIGHT_MODEL_ID"
MODELS = "PREFLIGHT_MODELS"
"""Locations of models, one a line (directories and URLs may hold `:`, `;`, commas and spaces)."""

DEFAULT_INTERVAL = 1.0
DEFAULT_RETRY = 0.5


class SettingsError(Exception):
    """A setting is missing or unusable. The text names the variable and says what to do."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Paths of PEM files; `pass_phrase` where the key is encrypted, else empty."""

    file: str
    key_file: str
    pass_phrase: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a simulated device needs to know.

    `interval` of telemetry and `retry`, the first wait after a failure, are in seconds. `proof` is what the
    device proves itself by: a symmetric key in base64, or its certificate.
    """

    endpoint: str
    id_scope: str
    registration_id: str
    proof: str | Certificate = field(repr=False)
    model_id: str
    models: tuple[str, ...]
    interval: float = DEFAULT_INTERVAL
    retry: float = DEFAULT_RETRY


def read(
    environment: Mapping[str, str],
    *,
    model_id: str | None = None,
    models: Sequence[str] = (),
    interval: float = DEFAULT_INTERVAL,
    retry: float = DEFAULT_RETRY,
) -> Settings:
    """Options where given, the environment otherwise. Raises SettingsError, naming all that is missing."""
    security = environment.get(SECURITY_TYPE, "DPS")
    if security.upper() != "DPS":
        raise SettingsError(
            f"{SECURITY_TYPE} is {security!r}, but the simulator connects through DPS only: set it to DPS."
        )
    by_certificate = bool(environment.get(CERTIFICATE, "").strip() or environment.get(CERTIFICATE_KEY, "").strip())
    proofs = (CERTIFICATE, CERTIFICATE_KEY) if by_certificate else (KEY,)
    names = (ENDPOINT, ID_SCOPE, REGISTRATION_ID, *proofs, MODEL_ID)
    needed = {n: environment.get(n, "").strip() for n in names}
    needed[MODEL_ID] = model_id or needed[MODEL_ID]
    missing = [name for name, value in needed.items() if not value]
    if missing:
        raise SettingsError(_missing(missing))
    if by_certificate and environment.get(KEY, "").strip():
        raise SettingsError(f"Both {KEY} and {CERTIFICATE} are set: a device has one enrollment, so unset one of them.")
    proof = _certificate(needed, environment.get(PASS_PHRASE, "")) if by_certificate else _key(needed[KEY])
    for option, seconds in (("--interval", interval), ("--retry", retry)):
        if not 0 < seconds < 1e6:
            raise SettingsError(f"{option} {seconds:g} cannot be used: a number of seconds above 0 is expected.")
    listed = tuple(line.strip() for line in environment.get(MODELS, "").splitlines() if line.strip())
    return Settings(
        endpoint=needed[ENDPOINT],
        id_scope=needed[ID_SCOPE],
        registration_id=needed[REGISTRATION_ID],
        proof=proof,
        model_id=needed[MODEL_ID],
        models=tuple(models) or listed or tuple(usual()),
        interval=interval,
        retry=retry,
    )


def _missing(names: list[str]) -> str:
    if names == [MODEL_ID]:
        return f"No model to simulate: set {MODEL_ID} in the environment or give --model-id."
    x509 = f" (or, for X.509, {CERTIFICATE} and {CERTIFICATE_KEY}; the simulator has no TPM)" if KEY in names else ""
    return (
        f"Not set in the environment: {', '.join(names)}{x509}. A test run sets them for its device "
        "(pytest --dut 'preflight simulate'); to run the simulator by hand, take them from "
        "`preflight emulator` or from your Device Provisioning Service."
    )


def _key(key: str) -> str:
    try:
        base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        raise SettingsError(
            f"{KEY} is not base64: copy the whole symmetric key of the enrollment, with any = at its end."
        ) from None
    return key


def _certificate(needed: Mapping[str, str], pass_phrase: str) -> Certificate:
    for name in (CERTIFICATE, CERTIFICATE_KEY):
        if not Path(needed[name]).is_file():
            raise SettingsError(f"{name} names {needed[name]}, which is no file: give the path of a PEM file.")
    return Certificate(needed[CERTIFICATE], needed[CERTIFICATE_KEY], pass_phrase)

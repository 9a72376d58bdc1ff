"""What a device needs to provision itself, and the environment that carries it to a device process."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from harness.environment import KEYS, provisioning, symmetric_key, trust


@dataclass(frozen=True, slots=True)
class DeviceCertificate:
    """A device's own certificate and its private key, as PEM files; `both` holds the two of them."""

    certificate: Path
    key: Path
    both: Path


@dataclass(frozen=True, slots=True)
class Credentials:
    """Connection settings of one enrolled device. `ca_path` is a PEM file; None where public roots serve.

    A device proves itself by `primary_key`, by `certificate`, or with neither by its TPM.
    """

    registration_id: str
    id_scope: str
    dps_endpoint: str
    ca_path: Path | None
    primary_key: str = field(default="", repr=False)
    certificate: DeviceCertificate | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)
    """Other secrets of the target that must not reach a file or screen."""
    existing: bool = False
    """Whether the device was there before this run, and has what it proves itself by."""

    def public(self) -> dict[str, str]:
        """The settings as a person enters them on a device, but for what it proves itself by."""
        shown = {
            "DPS endpoint": self.dps_endpoint,
            "ID scope": self.id_scope,
            "Registration id": self.registration_id,
        }
        if self.ca_path:
            shown["CA certificate"] = str(self.ca_path)
        return shown


_CERTIFICATES = ("X509_CERT_FILE", "CERTIFICATE_FILE", "IOTHUB_DEVICE_X509_CERT")
_CERTIFICATE_KEYS = ("X509_KEY_FILE", "KEY_FILE", "IOTHUB_DEVICE_X509_KEY")
_PASS_PHRASE = "PASS_PHRASE"
_BOTH = "AZ_IOT_DEVICE_X509_CERT_PEM_FILE_PATH"

PROOFS = frozenset((*KEYS, *_CERTIFICATES, *_CERTIFICATE_KEYS, _PASS_PHRASE, _BOTH))
"""Names of what a device proves itself by: a device process must inherit none of them."""


def environment(credentials: Credentials, model_id: str | None, models: tuple[str, ...]) -> dict[str, str]:
    """The environment of a device process: every SDK family's names at once."""
    names = provisioning(credentials.registration_id, credentials.id_scope, credentials.dps_endpoint)
    names |= _proof(credentials)
    if credentials.ca_path:
        names |= trust(str(credentials.ca_path))
    if model_id:
        names["PREFLIGHT_MODEL_ID"] = model_id
    if models:
        names["PREFLIGHT_MODELS"] = "\n".join(models)
    return names


def _proof(credentials: Credentials) -> dict[str, str]:
    """A key or a certificate, never both; nothing for a TPM."""
    files = credentials.certificate
    if files is None:
        return symmetric_key(credentials.primary_key) if credentials.primary_key else {}
    return {
        "DPS_X509_REGISTRATION_ID": credentials.registration_id,
        **dict.fromkeys(_CERTIFICATES, str(files.certificate)),
        **dict.fromkeys(_CERTIFICATE_KEYS, str(files.key)),
        _PASS_PHRASE: "",  # the key is not encrypted; the sample gives TLS what it finds here
        _BOTH: str(files.both),
    }

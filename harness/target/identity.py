"""The identity of the device under test at the local target.

A device process gets its settings anew in every run, and what was made for it goes when the run ends. A physical
device is told its ID scope, key and certificate once, so these last: the local target keeps them with its
certificates, readable by their owner only.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
from dataclasses import asdict, dataclass, field
from pathlib import Path

from harness.device.credentials import DeviceCertificate
from harness.emulator import certificates
from harness.emulator.emulator import new_id_scope
from harness.target import TargetError


@dataclass(frozen=True, slots=True)
class Identity:
    """What the device was told. Keys are base64 of 64 bytes, as DPS makes them."""

    registration_id: str
    id_scope: str = field(default_factory=new_id_scope)
    primary_key: str = field(default_factory=lambda: _key(), repr=False)
    secondary_key: str = field(default_factory=lambda: _key(), repr=False)


def lasting(folder: Path, registration_id: str) -> Identity:
    """The identity kept in this folder, or a new one that is kept from now on. Raises OSError."""
    path = folder / f"{_name(registration_id)}.json"
    try:
        return Identity(**json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        identity = Identity(registration_id)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    part.unlink(missing_ok=True)
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(identity), file)
    part.replace(path)
    return identity


def lasting_certificate(folder: Path, registration_id: str) -> DeviceCertificate:
    """The certificate kept in this folder, or a new one that is kept from now on.

    Raises OSError, and TargetError when no certificate can hold the registration id as its CN.
    """
    return _certificate(folder / _name(registration_id), registration_id)


def passing_certificate(folder: Path, registration_id: str) -> DeviceCertificate:
    """A new certificate, to be removed (`remove`) when the run ends. Raises as `lasting_certificate`."""
    return _certificate(folder / f"run-{secrets.token_hex(8)}", registration_id)


def not_kept(folder: Path, error: OSError) -> TargetError:
    """The error of an identity or certificate that could not be written into the state folder."""
    return TargetError(
        f"The device's identity could not be kept in {folder}: {error.strerror or error}. "
        "Name another folder with --state DIR."
    )


def remove(certificate: DeviceCertificate) -> None:
    """Remove the files of a certificate, if they are there."""
    shutil.rmtree(certificate.certificate.parent, ignore_errors=True)


def secrets_of(certificate: DeviceCertificate) -> tuple[str, ...]:
    """What of the private key must not reach a file or screen: its text, line by line and as one. Raises OSError."""
    text = certificate.key.read_text(encoding="ascii")
    lines = [line for line in text.splitlines() if line and not line.startswith("-----")]
    return (*lines, "".join(lines))


def _certificate(folder: Path, registration_id: str) -> DeviceCertificate:
    folder = folder.absolute()  # a device process has a working directory of its own
    files = DeviceCertificate(folder / "certificate.pem", folder / "key.pem", folder / "both.pem")
    if not all(file.is_file() for file in (files.certificate, files.key, files.both)):
        remove(files)
    try:
        certificates.ensure_device(folder, registration_id)
    except ValueError:
        raise TargetError(
            "The registration id is the common name of the device's certificate, which has 64 characters at most, and "
            f"{registration_id!r} is longer. Choose a shorter one with --registration-id ID."
        ) from None
    return files


def _name(registration_id: str) -> str:
    """Of what is kept for this id: any text makes a file name."""
    return f"device-{base64.urlsafe_b64encode(registration_id.encode()).decode().rstrip('=')}"


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(64)).decode("ascii")

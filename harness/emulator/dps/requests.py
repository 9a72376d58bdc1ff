"""The body of a register request, read as the service reads it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from harness.emulator import jsontext
from harness.emulator.errors import ServiceError

MAX_BODY = 96 * 1024
"""Limit of a DPS message, in bytes."""
_KNOWN_MEMBERS = frozenset({"registrationId", "payload", "tpm", "csr"})


_REGISTRATION_ID = re.compile(r"[A-Za-z0-9]([A-Za-z0-9:._-]{0,126}[A-Za-z0-9])?")


def check_registration_id(registration_id: str) -> None:
    """Raises ServiceError 400004 unless it is 1 to 128 of A-Z a-z 0-9 : . _ -, no sign first or last."""
    if not _REGISTRATION_ID.fullmatch(registration_id):
        raise ServiceError(400004, "Invalid RegistrationId: 1 to 128 of A-Z a-z 0-9 : . _ -, no sign first or last")


@dataclass(frozen=True, slots=True)
class RegisterRequest:
    """`tpm` is the endorsement key and the storage root key, base64, of a device that sent them."""

    payload: Any = None
    tpm: tuple[str, str] | None = field(default=None, repr=False)


def read_register(registration_id: str, body: bytes) -> RegisterRequest:
    """Raises ServiceError 400.

    The body may be empty. Members that the API does not know are refused, as a top-level `modelId` is
    (400012).
    """
    if len(body) > MAX_BODY:
        raise ServiceError(413001, f"the request is longer than {MAX_BODY} bytes", status=400)
    if not body.strip():
        return RegisterRequest()
    try:
        request = jsontext.load(body)
    except jsontext.InvalidJson as error:
        raise ServiceError(400012, f"Deserialization error: {error}") from None
    if not isinstance(request, dict):
        raise ServiceError(400012, "Deserialization error: the request is not a JSON object")
    unknown = sorted(request.keys() - _KNOWN_MEMBERS)
    if unknown:
        raise ServiceError(400012, f"Deserialization error: unknown member {unknown[0]!r}; use payload")
    named = request.get("registrationId", registration_id)
    if not isinstance(named, str) or named.lower() != registration_id.lower():
        raise ServiceError(400004, "Invalid RegistrationId: it differs from the connection's")
    return RegisterRequest(request.get("payload"), _tpm(request.get("tpm")))


def _tpm(value: Any) -> tuple[str, str] | None:
    if value is None:
        return None
    keys = (value.get("endorsementKey"), value.get("storageRootKey")) if isinstance(value, dict) else (None, None)
    if not all(isinstance(key, str) and key for key in keys):
        raise ServiceError(400012, "Deserialization error: tpm needs endorsementKey and storageRootKey")
    return str(keys[0]), str(keys[1])

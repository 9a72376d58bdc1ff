"""The identity of a physical device at the local target: it is entered into the device once, so it must last.

A device process gets its settings anew in every run; a physical device keeps its ID scope and key, and the
local target keeps them with its certificates, readable by their owner only.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

from harness.emulator.emulator import new_id_scope


@dataclass(frozen=True, slots=True)
class Identity:
    """What the device was told. Keys are base64 of 64 bytes, as DPS makes them."""

    registration_id: str
    id_scope: str = field(default_factory=new_id_scope)
    primary_key: str = field(default_factory=lambda: _key(), repr=False)
    secondary_key: str = field(default_factory=lambda: _key(), repr=False)


def lasting(folder: Path, registration_id: str) -> Identity:
    """The identity kept in this folder, or a new one that is kept from now on. Raises OSError."""
    path = folder / f"device-{base64.urlsafe_b64encode(registration_id.encode()).decode().rstrip('=')}.json"
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


def _key() -> str:
    return base64.b64encode(secrets.token_bytes(64)).decode("ascii")

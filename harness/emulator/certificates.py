"""The emulator's own CA and server certificate, made on first use and kept in the state directory.

    {state}/ca/ca.pem            what devices and services must trust
    {state}/ca/ca.key
    {state}/server-{hash}/server.pem    key, certificate and CA; the hash is of the names and the CA

A device that is to prove itself by certificate can be given one in a directory of the same kind (`ensure_device`).

Each directory is made under another name and renamed into place as a whole. So two processes that start
together never see half of one and never mix two; the slower one throws its own away. What is inside is
described by a small JSON file, for reading a certificate would mean importing `cryptography` at every start.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

DAY = 86_400
CA_DAYS = 3650
SERVER_DAYS = 397
DEVICE_DAYS = 3650
RENEW_DAYS = 30
"""A certificate with less than this left is made anew."""


@dataclass(frozen=True, slots=True)
class Certificates:
    """`ca` is the PEM file to trust, `server` the PEM file with the server's key and chain."""

    ca: Path
    server: Path


def ensure(state_dir: Path, names: Iterable[str]) -> Certificates:
    """Return certificates that cover these host names and IP addresses, made if need be. Raises OSError."""
    if not state_dir.is_dir():
        state_dir.mkdir(parents=True, exist_ok=True)
        _restrict(state_dir)  # a folder that was there is somebody's: what is put into it is closed by itself
    wanted = sorted(set(names))
    ca = state_dir / "ca"
    about = _ensure(ca, CA_DAYS, lambda: _issue().make_ca(CA_DAYS))
    digest = hashlib.sha256(json.dumps([about["id"], wanted]).encode()).hexdigest()[:16]
    server = state_dir / f"server-{digest}"
    _ensure(server, SERVER_DAYS, lambda: _issue().make_server(ca, wanted, SERVER_DAYS))
    return Certificates(ca / "ca.pem", server / "server.pem")


def ensure_unfit(state_dir: Path, kind: str, names: Iterable[str]) -> Path:
    """Return the PEM file of a server that no device should accept, for the fault `bad-certificate`.

    To be called after `ensure`. Raises OSError.
    """
    ca, wanted = state_dir / "ca", sorted(set(names))
    about = _about(ca) or {"id": ""}
    digest = hashlib.sha256(json.dumps([about["id"], wanted, kind]).encode()).hexdigest()[:16]
    server = state_dir / f"unfit-{digest}"
    # An expired certificate does not become more so: what is kept is renewed with the others.
    _ensure(server, SERVER_DAYS, lambda: _issue().make_unfit_server(ca, kind, wanted, SERVER_DAYS))
    return server / "server.pem"


def ensure_device(directory: Path, common_name: str) -> None:
    """Have a device's `certificate.pem`, `key.pem` and `both.pem` in this directory, made if need be.

    Raises OSError, and ValueError for a name that no certificate can hold (`issuing.make_device`).
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    _ensure(directory, DEVICE_DAYS, lambda: _issue().make_device(common_name, DEVICE_DAYS))


def _issue() -> Any:
    # On demand: `cryptography` takes longer to import than the rest of a start.
    from harness.emulator import issuing

    return issuing


def _ensure(directory: Path, days: int, make: Callable[[], dict[str, bytes]]) -> dict[str, Any]:
    about = _about(directory)
    if about is not None:
        return about
    draft = directory.with_name(f".{directory.name}-{os.getpid()}-{secrets.token_hex(4)}")
    draft.mkdir(mode=0o700)
    try:
        files = make()
        description = {"id": secrets.token_hex(8), "expires": int(time.time()) + days * DAY}
        for name, content in {**files, "about.json": json.dumps(description).encode()}.items():
            _write(draft / name, content)
        return _publish(draft, directory)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _publish(draft: Path, directory: Path) -> dict[str, Any]:
    """Rename the draft into place, unless another process was first. Returns the description of what is
    there.
    """
    for _ in range(10):
        about = _about(directory)
        if about is not None:
            return about
        if directory.exists():  # expired, or damaged
            _discard(directory)
        try:
            draft.rename(directory)
        except OSError:
            continue
    raise OSError(f"could not put certificates into {directory}: delete that directory and try again")


def _discard(directory: Path) -> None:
    grave = directory.with_name(f".{directory.name}-old-{secrets.token_hex(4)}")
    try:
        directory.rename(grave)
    except OSError:
        return
    shutil.rmtree(grave, ignore_errors=True)


def _about(directory: Path) -> dict[str, Any] | None:
    """Return what is said about a directory that can be used, None for one that must be made."""
    try:
        about = json.loads((directory / "about.json").read_bytes())
        valid: bool = about["expires"] - time.time() > RENEW_DAYS * DAY and bool(about["id"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return about if valid else None


def _write(path: Path, content: bytes) -> None:
    mode = 0o644 if path.name == "ca.pem" else 0o600
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _restrict(directory: Path) -> None:
    if os.name == "posix":
        directory.chmod(0o700)

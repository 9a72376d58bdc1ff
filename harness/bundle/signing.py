"""Signing a manifest with a key of the maker's (Ed25519, in PEM)."""

from __future__ import annotations

import base64
import getpass
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from harness.bundle.errors import BundleError

NAME = "signature.json"
_MAKE_ONE = "`openssl genpkey -algorithm ed25519 -out maker.pem` makes one"


def sign(manifest: bytes, key_file: Path, ask: Callable[[str], str] = getpass.getpass) -> bytes:
    """The signature as JSON, with the public key. Raises BundleError where the key cannot be used."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    pem = _text(key_file)
    try:
        try:
            key = load_pem_private_key(pem, None)
        except TypeError:  # it is encrypted
            key = load_pem_private_key(pem, ask(f"Password of {key_file.name}: ").encode())
    except (ValueError, TypeError):
        raise BundleError(
            f"{key_file} holds no private key in PEM that can be read, or the password is wrong; {_MAKE_ONE}."
        ) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BundleError(f"{key_file} holds another kind of key: Ed25519 is expected; {_MAKE_ONE}.")
    document = {
        "algorithm": "Ed25519",
        "signs": "the bytes of manifest.json",
        "public_key": base64.b64encode(key.public_key().public_bytes_raw()).decode(),
        "signature": base64.b64encode(key.sign(manifest)).decode(),
    }
    return (json.dumps(document, indent=2) + "\n").encode()


def check(manifest: bytes, signature: bytes, expected: Path | None) -> str:
    """The fingerprint of the key that signed. Raises BundleError for a wrong signature, or another key than expected.

    `expected` is the maker's public key in PEM.
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        document = json.loads(signature)
        raw = base64.b64decode(document["public_key"], validate=True)
        value = base64.b64decode(document["signature"], validate=True)
        key = Ed25519PublicKey.from_public_bytes(raw)
    except (ValueError, KeyError, TypeError):
        raise BundleError(f"{NAME} cannot be read: it was damaged or made by something else.") from None
    try:
        key.verify(value, manifest)
    except InvalidSignature:
        raise BundleError("The signature does not fit the manifest: one of them was changed.") from None
    if expected is not None and raw != _public(expected):
        raise BundleError(
            f"The bundle is signed with the key {fingerprint(raw)}, not with that of {expected}: somebody else made it."
        )
    return fingerprint(raw)


def fingerprint(raw: bytes) -> str:
    """What a person compares: SHA-256 of the raw public key, as OpenSSH writes it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(raw).digest()).decode().rstrip("=")


def _public(path: Path) -> bytes:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(_text(path))
    except ValueError:
        raise BundleError(
            f"{path} holds no public key in PEM; `openssl pkey -in maker.pem -pubout` makes it."
        ) from None
    if not isinstance(key, Ed25519PublicKey):
        raise BundleError(f"{path} holds another kind of key: an Ed25519 public key is expected.")
    return key.public_bytes_raw()


def _text(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as e:
        raise BundleError(f"The key {path} cannot be read: {e.strerror or e}.") from None

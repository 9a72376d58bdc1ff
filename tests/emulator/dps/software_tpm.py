"""The device's half of TPM attestation: what a TPM 2.0 does with an activation blob, in a few lines.

Written from the specification (TPM2_ActivateCredential, TPM2_Import, TPM2_HMAC) beside the service's half, and
checking everything a TPM checks.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import struct
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

try:
    from cryptography.hazmat.decrepit.ciphers.modes import CFB
except ImportError:
    from cryptography.hazmat.primitives.ciphers.modes import CFB

# authPolicy of the endorsement key template: PolicySecret(TPM_RH_ENDORSEMENT)
_EK_POLICY = bytes.fromhex("837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa")
_EK_ATTRIBUTES, _SRK_ATTRIBUTES = 0x000300B2, 0x00030472


class Refused(Exception):
    """The TPM returns an error."""


class SoftwareTpm:
    """A TPM with an endorsement key, a storage root key and, after `import_key`, the key of an identity.

    The endorsement key is what a TPM was born with: give it to have the same TPM again.
    """

    def __init__(self, endorsement: rsa.RSAPrivateKey | None = None) -> None:
        self._endorsement = endorsement or rsa.generate_private_key(65537, 2048)
        self._storage = rsa.generate_private_key(65537, 2048)
        self._identity = b""

    @property
    def endorsement_key(self) -> str:
        return self._text(self._endorsement, _EK_ATTRIBUTES, _EK_POLICY)

    @property
    def storage_root_key(self) -> str:
        return self._text(self._storage, _SRK_ATTRIBUTES, b"")

    def import_key(self, blob: str) -> None:
        """Take in an activation blob: ActivateCredential, then Import. Raises Refused."""
        try:
            self._import(base64.b64decode(blob, validate=True))
        except (struct.error, ValueError) as error:
            raise Refused(f"TPM_RC_SIZE: {error}") from None

    def _import(self, rest: bytes) -> None:
        parts = []
        for _ in range(5):
            (size,) = struct.unpack_from(">H", rest)
            parts.append(rest[2 : 2 + size])
            rest = rest[2 + size :]
        credential, credential_seed, duplicate, duplicate_seed, public = parts
        if rest != b"\0\0":
            raise Refused("what follows the public area is not an empty UINT16 block")
        storage_area = base64.b64decode(self.storage_root_key)[2:]
        storage_name = b"\0\x0b" + hashlib.sha256(storage_area).digest()
        inner = self._sized(self._unwrap(self._endorsement, credential_seed, b"IDENTITY\0", storage_name, credential))
        name = b"\0\x0b" + hashlib.sha256(public).digest()
        wrapped = self._unwrap(self._storage, duplicate_seed, b"DUPLICATE\0", name, duplicate)
        plain = _cfb(inner, wrapped)
        integrity, sensitive = plain[2:34], plain[34:]
        if integrity != hashlib.sha256(sensitive + name).digest():
            raise Refused("TPM_RC_INTEGRITY of the inner wrapper")
        self._identity = self._load(self._sized(sensitive), public)

    def sign(self, text: str) -> str:
        """HMAC with the imported key, base64."""
        return base64.b64encode(hmac.digest(self._identity, text.encode(), hashlib.sha256)).decode()

    @property
    def identity_key(self) -> str:
        return base64.b64encode(self._identity).decode()

    def _load(self, sensitive: bytes, public: bytes) -> bytes:
        kind, auth, seed_size = struct.unpack_from(">HHH", sensitive)
        seed, rest = sensitive[6 : 6 + seed_size], sensitive[6 + seed_size :]
        key = self._sized(rest)
        head = struct.unpack_from(">HHIHHHH", public)
        attributes = head[2]
        if kind != 8 or auth != 0 or (head[0], head[1], head[3], head[4], head[5]) != (8, 0x0B, 0, 5, 0x0B):
            raise Refused("not an HMAC-SHA256 key without authorization")
        if not attributes & 1 << 18 or attributes & (1 << 1 | 1 << 4 | 1 << 16):
            raise Refused("the key may not sign, or claims to be fixed to a TPM")
        if public[16:] != hashlib.sha256(seed + key).digest():
            raise Refused("TPM_RC_BINDING: the public area is of another key")
        return key

    def _unwrap(self, own: rsa.RSAPrivateKey, secret: bytes, label: bytes, name: bytes, data: bytes) -> bytes:
        try:
            seed = own.decrypt(secret, padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), label))
        except ValueError:
            raise Refused("TPM_RC_VALUE: the seed is not for this key") from None
        integrity, encrypted = data[2:34], data[34:]
        expected = hmac.digest(_kdfa(seed, b"INTEGRITY", b"", 256), encrypted + name, hashlib.sha256)
        if not hmac.compare_digest(integrity, expected):
            raise Refused("TPM_RC_INTEGRITY of the outer wrapper")
        return _cfb(_kdfa(seed, b"STORAGE", name, 128), encrypted)

    @staticmethod
    def _sized(data: bytes) -> bytes:
        (size,) = struct.unpack_from(">H", data)
        if size != len(data) - 2:
            raise Refused("TPM_RC_SIZE")
        return data[2:]

    @staticmethod
    def _text(key: rsa.RSAPrivateKey, attributes: int, policy: bytes) -> str:
        modulus = key.public_key().public_numbers().n.to_bytes(256, "big")
        area = struct.pack(">HHIH", 1, 0x0B, attributes, len(policy)) + policy
        area += struct.pack(">HHHHHIH", 6, 128, 0x43, 0x10, 2048, 0, len(modulus)) + modulus
        return base64.b64encode(struct.pack(">H", len(area)) + area).decode()


def _kdfa(key: bytes, label: bytes, context: bytes, bits: int) -> bytes:
    data = b"\0\0\0\1" + label + b"\0" + context + struct.pack(">I", bits)
    return hmac.new(key, data, hashlib.sha256).digest()[: bits // 8]


def _cfb(key: bytes, data: bytes) -> bytes:
    cipher: Any = Cipher(algorithms.AES(key), CFB(bytes(16))).decryptor()
    plain: bytes = cipher.update(data) + cipher.finalize()
    return plain

"""TPM attestation, the service's side: what only the TPM with the enrolled endorsement key can open.

The device sends the public parts of its endorsement key (EK) and storage root key (SRK). DPS makes a key and
sends it as an activation blob, from which the TPM, and nothing else, gets that key into itself:

    TPM2B_ID_OBJECT, TPM2B_ENCRYPTED_SECRET    a credential for EK and SRK (TPM2_MakeCredential): the inner key
    TPM2B_PRIVATE, TPM2B_ENCRYPTED_SECRET      the key wrapped with the inner key, and for the SRK (TPM2_Duplicate)
    TPM2B_PUBLIC                               the public area of the key: an HMAC key object
    UINT16                                     the length of further data: 0

Sections cited are those of the TPM 2.0 library specification, part 1. Only RSA keys, as the templates of
Microsoft's SDKs make them; all numbers are big-endian.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
import struct
from dataclasses import dataclass, field
from typing import Any

from harness.emulator.dps.enrollments import Credentials, Grant, Judge

_RSA, _KEYEDHASH, _HMAC, _SHA256 = 0x0001, 0x0008, 0x0005, 0x000B
_NULL, _AES = 0x0010, 0x0006
_SIGN, _USER_WITH_AUTH = 1 << 18, 1 << 6
_DIGEST = 32
_INNER_KEY = 16
KEY_SIZE = 32
"""Bytes of a key that goes into the TPM."""


class InvalidTpmKey(ValueError):
    """The text is no public area of an RSA storage key."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An RSA key of a TPM: its public area (TPMT_PUBLIC) and what is in it."""

    area: bytes
    modulus: int
    exponent: int

    @property
    def name(self) -> bytes:
        """Section 16: the algorithm and the digest of the public area."""
        return struct.pack(">H", _SHA256) + hashlib.sha256(self.area).digest()


def read_public(text: str) -> PublicKey:
    """Read a TPM2B_PUBLIC in base64. Raises InvalidTpmKey."""
    try:
        data = base64.b64decode(text, validate=True)
        (size,) = struct.unpack_from(">H", data)
        area = data[2:]
        if size != len(area):
            raise InvalidTpmKey("the key is not a TPM2B_PUBLIC: its length does not fit")
        return _read_area(area)
    except (binascii.Error, struct.error, UnicodeError) as error:
        raise InvalidTpmKey(f"the key is not a TPM2B_PUBLIC in base64: {error}") from None
    except InvalidTpmKey:
        raise
    except ValueError as error:
        raise InvalidTpmKey(f"the key is not in base64: {error}") from None


def _read_area(area: bytes) -> PublicKey:
    kind, name_algorithm, _attributes, policy = struct.unpack_from(">HHIH", area)
    if kind != _RSA or name_algorithm != _SHA256:
        raise InvalidTpmKey("only RSA keys with SHA-256 names are supported")
    at = 10 + policy
    (symmetric,) = struct.unpack_from(">H", area, at)
    at += 2 if symmetric == _NULL else 6
    (scheme,) = struct.unpack_from(">H", area, at)
    at += 2 if scheme == _NULL else 4
    bits, exponent, size = struct.unpack_from(">HIH", area, at)
    modulus = area[at + 8 :]
    if symmetric not in (_NULL, _AES) or len(modulus) != size or size * 8 != bits or not 1024 <= bits <= 4096:
        raise InvalidTpmKey("the key's parameters are not those of an RSA key with AES")
    return PublicKey(area, int.from_bytes(modulus, "big"), exponent or 65537)


def activation_blob(endorsement: PublicKey, storage: PublicKey, key: bytes) -> bytes:
    """Wrap a key of up to 64 bytes so that only the TPM with these two keys can take it in."""
    inner = secrets.token_bytes(_INNER_KEY)
    seed = secrets.token_bytes(_DIGEST)
    public = _key_area(key, seed)
    name = struct.pack(">H", _SHA256) + hashlib.sha256(public).digest()
    duplicate, storage_seed = _duplicate(storage, name, _sensitive(key, seed), inner)
    credential, endorsement_seed = make_credential(endorsement, storage.name, inner)
    blob = sized(credential) + sized(endorsement_seed) + sized(duplicate) + sized(storage_seed)
    return blob + sized(public) + struct.pack(">H", 0)


def make_credential(endorsement: PublicKey, name: bytes, secret: bytes) -> tuple[bytes, bytes]:
    """Return the bodies of TPM2B_ID_OBJECT and TPM2B_ENCRYPTED_SECRET (section 24)."""
    seed = secrets.token_bytes(_DIGEST)
    return _outer_wrap(seed, name, sized(secret)), _encrypt_seed(endorsement, seed, b"IDENTITY\0")


def _duplicate(parent: PublicKey, name: bytes, sensitive: bytes, inner: bytes) -> tuple[bytes, bytes]:
    """Return the bodies of TPM2B_PRIVATE and TPM2B_ENCRYPTED_SECRET (section 23.3)."""
    integrity = hashlib.sha256(sensitive + name).digest()
    wrapped = aes_cfb(inner, sized(integrity) + sensitive)
    seed = secrets.token_bytes(_DIGEST)
    return _outer_wrap(seed, name, wrapped), _encrypt_seed(parent, seed, b"DUPLICATE\0")


def _outer_wrap(seed: bytes, name: bytes, data: bytes) -> bytes:
    encrypted = aes_cfb(kdf(seed, b"STORAGE", name, 128), data)
    integrity = hmac.digest(kdf(seed, b"INTEGRITY", b"", 256), encrypted + name, hashlib.sha256)
    return sized(integrity) + encrypted


def _sensitive(key: bytes, seed: bytes) -> bytes:
    """TPM2B_SENSITIVE of the key object: no authorization value, the seed of its name, the key."""
    return sized(struct.pack(">H", _KEYEDHASH) + sized(b"") + sized(seed) + sized(key))


def _key_area(key: bytes, seed: bytes) -> bytes:
    """TPMT_PUBLIC of the key object: an HMAC-SHA256 key that may sign."""
    head = struct.pack(">HHI", _KEYEDHASH, _SHA256, _SIGN | _USER_WITH_AUTH) + sized(b"")
    return head + struct.pack(">HH", _HMAC, _SHA256) + sized(hashlib.sha256(seed + key).digest())


def sized(data: bytes) -> bytes:
    """A TPM2B: its length in 16 bits, then the data."""
    return struct.pack(">H", len(data)) + data


def kdf(key: bytes, label: bytes, context: bytes, bits: int) -> bytes:
    """KDFa with SHA-256 (section 11.4.10.2), for up to 256 bits."""
    data = struct.pack(">I", 1) + label + b"\0" + context + struct.pack(">I", bits)
    return hmac.digest(key, data, hashlib.sha256)[: bits // 8]


def aes_cfb(key: bytes, data: bytes, *, decrypt: bool = False) -> bytes:
    """AES-128 in CFB mode with an IV of zeros, as TPMs protect what leaves them."""
    cipher = _cipher(key)
    way = cipher.decryptor() if decrypt else cipher.encryptor()
    result: bytes = way.update(data) + way.finalize()
    return result


def _cipher(key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms

    try:  # where the weaker modes went in later versions of the package
        from cryptography.hazmat.decrepit.ciphers.modes import CFB
    except ImportError:
        from cryptography.hazmat.primitives.ciphers.modes import CFB
    return Cipher(algorithms.AES(key), CFB(bytes(16)))


def oaep(label: bytes) -> Any:
    """The padding of section B.4: OAEP with SHA-256 and this label, its final zero included."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    return padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), label)


def _encrypt_seed(key: PublicKey, seed: bytes, label: bytes) -> bytes:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.RSAPublicNumbers(key.exponent, key.modulus).public_key().encrypt(seed, oaep(label))


# --- the attestation ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TpmKeys:
    """What a device sends with its register request."""

    endorsement: str = field(repr=False)
    storage: str = field(repr=False)


@dataclass(slots=True)
class TpmAttestation:
    """Of an individual enrollment. The device signs with the key that its latest challenge held.

    The endorsement key is a TPM2B_PUBLIC in base64; with a storage root key given, the device's must be that.
    """

    endorsement: str = field(repr=False)
    storage: str | None = field(default=None, repr=False)
    _nonces: tuple[bytes, ...] = field(default=(), init=False, repr=False)
    _keys: TpmKeys | None = field(default=None, init=False, repr=False)
    _hub_key: bytes = field(default=b"", init=False, repr=False)
    kind = "tpm"

    def challenge(self, keys: TpmKeys) -> str | None:
        """Return a fresh key for the device's TPM as an activation blob in base64, None when the TPM is another.

        Raises InvalidTpmKey.
        """
        if _bare(keys.endorsement) != _bare(self.endorsement):
            return None
        if self.storage is not None and _bare(keys.storage) != _bare(self.storage):
            return None
        nonce = secrets.token_bytes(KEY_SIZE)
        blob = _blob(keys, nonce)
        # The one before holds too: a device may have asked twice and used the first answer.
        self._nonces = (nonce, *self._nonces[:1])
        self._keys = keys
        return blob

    def objection(self, registration_id: str, credentials: Credentials, judge: Judge) -> str | None:
        if credentials.token is None:
            return "TPM attestation goes over HTTPS: its exchange of keys has no form in MQTT"
        if not credentials.token.signed_by(base64.b64encode(nonce).decode() for nonce in self._nonces):
            return "the token is not signed with the key that the TPM was challenged with"
        return None

    def grant(self, registration_id: str, credentials: Credentials) -> Grant:
        self._hub_key = secrets.token_bytes(KEY_SIZE)
        key = base64.b64encode(self._hub_key).decode()
        return Grant("sas", key, key)

    def result(self, group_id: str | None, credentials: Credentials) -> dict[str, Any]:
        assert self._keys is not None
        return {"tpm": {"authenticationKey": _blob(self._keys, self._hub_key)}}


def _blob(keys: TpmKeys, key: bytes) -> str:
    made = activation_blob(read_public(keys.endorsement), read_public(keys.storage), key)
    return base64.b64encode(made).decode()


def _bare(text: str) -> str:
    return "".join(text.split())

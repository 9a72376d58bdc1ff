"""The zip file: written the same way each time, and sealed.

A hash of all bytes before it stands in the archive's comment, which is the file's end. The hashes of the manifest
cover what the members hold; the seal covers the rest of the file as well (times, flags, the bits that deflate leaves
unused), so that no byte can be changed without notice.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from harness.bundle.errors import BundleError

LARGEST = 2**30
"""Bytes of all members together: ten times what a run of 100,000 messages makes."""

_SEAL = b"pnp-preflight bundle sha256="
_SEAL_LENGTH = len(_SEAL) + 64
_EPOCH = (1980, 1, 1, 0, 0, 0)


def write(contents: Mapping[str, bytes]) -> bytes:
    """The archive of these members, in their order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in contents.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
        archive.comment = bytes(_SEAL_LENGTH)
    sealed = buffer.getvalue()[:-_SEAL_LENGTH]
    return sealed + _seal(sealed)


def read(path: Path) -> dict[str, bytes]:
    """The members of an archive, in order. Raises BundleError where a byte of it was changed."""
    try:
        data = path.read_bytes()
    except OSError as e:
        raise BundleError(f"{path} cannot be read: {e.strerror or e}.") from None
    body, seal = data[:-_SEAL_LENGTH], data[-_SEAL_LENGTH:]
    if not seal.startswith(_SEAL):
        raise BundleError(f"{path.name} has no seal at its end: it is no bundle of the pre-flight, or it was cut off.")
    if seal != _seal(body):
        raise BundleError(f"{path.name} was changed after it was made: its seal does not fit its content.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _members(archive)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError) as e:
        raise BundleError(f"{path.name} is no zip file that can be read: {e}.") from None


def _members(archive: zipfile.ZipFile) -> dict[str, bytes]:
    listed = archive.infolist()
    if len({info.filename for info in listed}) != len(listed):
        raise BundleError("The bundle holds two members of one name: it was not made by the pre-flight.")
    if sum(info.file_size for info in listed) > LARGEST:
        raise BundleError(
            f"The bundle says to hold more than {LARGEST // 2**20} MiB: it was not made by the pre-flight."
        )
    contents: dict[str, bytes] = {}
    for info in listed:
        with archive.open(info) as member:
            contents[info.filename] = member.read(info.file_size + 1)
    return contents


def _seal(body: bytes) -> bytes:
    return _SEAL + hashlib.sha256(body).hexdigest().encode("ascii")

"""Making a bundle of a report folder, and verifying one."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.bundle import archive, manifest, signing
from harness.bundle.contents import gather
from harness.bundle.errors import BundleError


@dataclass(frozen=True, slots=True)
class Verified:
    """What an intact bundle says. `signed_by` is the fingerprint of the key; empty where it is not signed."""

    about: Mapping[str, Any]
    members: tuple[str, ...]
    signed_by: str


def make(folder: Path, path: Path, key: Path | None = None) -> int:
    """Bundle the reports of `folder` into the zip `path`, signed with the private key where one is given.

    Returns its size in bytes. Raises BundleError.
    """
    contents, about = gather(folder)
    listed = manifest.render(manifest.chained(contents), about)
    contents[manifest.NAME] = listed
    if key is not None:
        contents[signing.NAME] = signing.sign(listed, key)
    data = archive.write(contents)
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        part.replace(path)
    except OSError as e:
        with contextlib.suppress(OSError):
            part.unlink()
        raise BundleError(f"{path} could not be written: {e.strerror or e}. Name another file.") from None
    return len(data)


def verify(path: Path, key: Path | None = None) -> Verified:
    """Look at every byte of a bundle. Raises BundleError where one was changed, or it is not signed by `key`."""
    contents = archive.read(path)
    listed = contents.pop(manifest.NAME, None)
    if listed is None:
        raise BundleError(f"{path.name} has no {manifest.NAME}: it is no bundle of the pre-flight.")
    signature = contents.pop(signing.NAME, None)
    about = manifest.check(listed, contents)
    if signature is None and key is not None:
        raise BundleError(f"{path.name} is intact but not signed, so nobody can say who made it.")
    signed_by = signing.check(listed, signature, key) if signature is not None else ""
    return Verified(about, tuple(contents), signed_by)

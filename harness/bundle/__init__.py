"""The review bundle: one zip with everything a reviewer needs, in which every byte is accounted for.

- `contents` gathers what goes in from a report folder; `cover` writes the page that a reviewer reads first.
- `manifest` lists the members with their SHA-256 hashes, each chained to the one before.
- `archive` writes and reads the zip, sealed so that any changed byte is noticed; `signing` signs the manifest.

A bundle is the maker's own word: it proves that nothing was changed since it was made, and with a signature by whom
it was made, never that the run took place.
"""

from __future__ import annotations

from harness.bundle.bundle import Verified, make, verify
from harness.bundle.errors import BundleError

__all__ = ["BundleError", "Verified", "make", "verify"]

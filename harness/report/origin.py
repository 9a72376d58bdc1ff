"""Where a model came from, in the words of AICS."""

from __future__ import annotations

from harness.dtdl.defaults import is_public

GLOBAL, PRIVATE, UPLOADED, UNKNOWN = "GlobalRepository", "PrivateRepository", "UserUploads", "Unknown"


def resolution_source(location: str | None) -> str:
    """The kind of place; a folder counts as uploaded."""
    if not location:
        return UNKNOWN
    if is_public(location):
        return GLOBAL
    return PRIVATE if location.startswith(("http://", "https://")) else UPLOADED

"""Where a model came from, in the words of AICS."""

from __future__ import annotations

from harness.run.models import PUBLIC_REPOSITORY

GLOBAL, PRIVATE, UPLOADED, UNKNOWN = "GlobalRepository", "PrivateRepository", "UserUploads", "Unknown"


def is_public(location: str) -> bool:
    """Whether it is the public repository of models."""
    return location.rstrip("/") == PUBLIC_REPOSITORY or location.startswith(f"{PUBLIC_REPOSITORY}/")


def resolution_source(location: str | None) -> str:
    """The kind of place; a folder counts as uploaded."""
    if not location:
        return UNKNOWN
    if is_public(location):
        return GLOBAL
    return PRIVATE if location.startswith(("http://", "https://")) else UPLOADED

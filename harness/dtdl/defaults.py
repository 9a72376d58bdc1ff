"""Where models are looked for beside the places that somebody names."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

PUBLIC_REPOSITORY = "https://devicemodels.azure.com"
FOLDER = "dtdl_models"


def usual(named: Iterable[str] = (), root: Path = Path()) -> list[str]:
    """The places that are named, then the folder dtdl_models of `root` if it is there, then the public repository."""
    own = root / FOLDER
    return list(dict.fromkeys([*named, *([str(own)] if own.is_dir() else []), PUBLIC_REPOSITORY]))


def is_public(location: str) -> bool:
    """Whether it is the public repository, or a document in it."""
    return location.rstrip("/") == PUBLIC_REPOSITORY or location.startswith(f"{PUBLIC_REPOSITORY}/")

"""The layout of a device model repository: which file holds which model.

`dtmi:com:example:Thermostat;1` is in `dtmi/com/example/thermostat-1.json`, its expanded form (an array of the model
and all it depends on) in `thermostat-1.expanded.json`. The client library has the same rule, but loading it
costs more than checking a model does.
"""

from __future__ import annotations

import re
from pathlib import Path

_SEGMENT = "[A-Za-z](?:[A-Za-z0-9_]*[A-Za-z0-9])?"
_REPOSITORY_DTMI = re.compile(rf"dtmi:{_SEGMENT}(?::{_SEGMENT})*;[1-9][0-9]{{0,8}}")

EXPANDED = ".expanded.json"


def model_path(dtmi: str, *, expanded: bool = False) -> str | None:
    """Path inside a repository, with slashes; None where a repository has no place for such an id (it must have a
    version, and one without minor part)."""
    if _REPOSITORY_DTMI.fullmatch(dtmi) is None:
        return None
    return dtmi.lower().replace(":", "/").replace(";", "-") + (EXPANDED if expanded else ".json")


def repository_root(path: Path) -> Path | None:
    """The directory above the outermost `dtmi` directory on the way to `path`; None where there is none."""
    absolute = path.absolute()
    for parent in reversed(absolute.parents):
        if parent.name == "dtmi":
            return parent.parent
    return None

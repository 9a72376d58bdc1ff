"""The versions that a report names."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = ("pnp-preflight", "pytest", "azure-iot-hub", "azure-iot-modelsrepository", "jsonschema")


def versions() -> dict[str, str]:
    """Of Python, the system, and the packages that a result depends on."""
    found = {"python": platform.python_version(), "system": platform.platform(terse=True)}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found

"""Which commands disturb the device they are sent to: as the maker states, else by their names."""

from __future__ import annotations

import itertools
import re

from harness.checks.evidence import Evidence
from harness.dtdl import Capability
from harness.expectations import When

_COMING_BACK = frozenset(
    {"reboot", "restart", "factoryreset", "resetdevice", "devicereset", "hardreset", "softreset"}
    | {"factorydefault", "factorydefaults", "factorysettings", "restorefactory"}
)
"""A bare `reset` is most often one of counters."""
_NOT_COMING_BACK = frozenset({"shutdown", "poweroff", "powerdown", "halt"})
COMING_BACK = "the device to come back after command {}"
"""What a wait for a device that restarts says it waited for."""
_WORDS = re.compile(r"[A-Z]?[a-z0-9]+|[A-Z]+(?![a-z])")


def is_disruptive(evidence: Evidence, capability: Capability) -> bool:
    """Whether a command is left to the end (reboot, factoryReset, shutdown), or out."""
    stated = evidence.expectations.command(capability.path)
    by_name = _says(capability.name, _COMING_BACK) or _says(capability.name, _NOT_COMING_BACK)
    return stated.when is not When.NORMAL or stated.restarts or by_name


def restarts(evidence: Evidence, capability: Capability) -> bool:
    """Whether the device is expected to go away and to come back."""
    return evidence.expectations.command(capability.path).restarts or _says(capability.name, _COMING_BACK)


def goes_away(evidence: Evidence, capability: Capability) -> bool:
    """Whether the device is expected to go away, for a while or for good."""
    return restarts(evidence, capability) or _says(capability.name, _NOT_COMING_BACK)


def _says(name: str, words: frozenset[str]) -> bool:
    """Whether the name begins or ends with one of the words (`rebootDevice`), or two beside each other make one
    (`doFactoryReset`, `powerOffDevice`).
    """
    parts = [part.lower() for part in _WORDS.findall(name)]
    pairs = (one + other for one, other in itertools.pairwise(parts))
    return not words.isdisjoint([*parts[:1], *parts[-1:], *pairs])

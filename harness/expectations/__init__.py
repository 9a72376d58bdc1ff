"""What the maker says about the device: what is implemented, what to send it, what to expect, what is waived.

It is written in preflight.toml or comes with an AICS test-case file; every default is what a run assumes of a
device about which nothing was said.
"""

from __future__ import annotations

from harness.expectations.expectations import (
    ABSENT,
    NOT_IMPLEMENTED,
    NOT_JUDGED,
    Absent,
    Command,
    Device,
    Expectations,
    Property,
    Telemetry,
    Waiver,
    When,
)
from harness.expectations.fields import TABLES
from harness.expectations.reading import Reading, read
from harness.expectations.record import from_json, overlaid, stacked, to_json
from harness.expectations.words import nearest

__all__ = [
    "ABSENT",
    "NOT_IMPLEMENTED",
    "NOT_JUDGED",
    "TABLES",
    "Absent",
    "Command",
    "Device",
    "Expectations",
    "Property",
    "Reading",
    "Telemetry",
    "Waiver",
    "When",
    "from_json",
    "nearest",
    "overlaid",
    "read",
    "stacked",
    "to_json",
]

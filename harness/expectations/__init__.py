"""What the maker says about the device: what is implemented, what to send it, what to expect, what is waived.

It is written in preflight.toml or comes with an AICS test-case file; every default is what a run assumes of a
device about which nothing was said.
"""

from __future__ import annotations

from harness.expectations.expectations import (
    ABSENT,
    Absent,
    Command,
    Device,
    Expectations,
    Property,
    Telemetry,
    Waiver,
    When,
)

__all__ = ["ABSENT", "Absent", "Command", "Device", "Expectations", "Property", "Telemetry", "Waiver", "When"]

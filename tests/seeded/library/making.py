"""What the tables of seeds share: names of cases, times, and how a seed of one fault is made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.seeded.seed import Seed

SOON = {"ack_timeout": 4.0}
"""For a device that acknowledges nothing; long enough for one that does."""
NEVER = {"connect_timeout": 8.0}
"""For a device that never connects."""
NO_ANSWER = {"command_timeout": 5.0}
ITS_OWN = f'--models "{Path(__file__).parents[1] / "device_models"}"'
"""The device knows its model, whatever the harness finds."""
PUMP = "dtmi:test:Pump;1"
TEMPERATURE, HUMIDITY = "telemetry[temperature]", "telemetry[sensor1.humidity]"
OFFSET, INTERVAL = "writable_property[sensor1.offset]", "writable_property[interval]"
PROFILE = "writable_property[profile]"
CONVENTIONS = "@Preflight.Conventions"


def raw(*faults: str, more: str = "") -> str:
    """The arguments of a simulator without an SDK."""
    words = [f"--fault {fault}" for fault in faults]
    return " ".join(["--raw", "--interval 0.5", "--retry 0.2", *words, more]).strip()


def seed(fault: str, **rest: Any) -> Seed:
    """The seed of one fault, with its name unless another is given; `more` are further arguments of the simulator."""
    name = rest.pop("name", fault.partition("=")[0])
    return Seed(name, raw(fault, more=rest.pop("more", "")), **rest)


def never_registers(fault: str, code: str) -> Seed:
    return seed(fault, expected={"registers_through_dps": f"failed {code}"}, settings=NEVER)

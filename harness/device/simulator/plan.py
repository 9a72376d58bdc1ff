"""How a device goes to the hub: what it announces on the way, and how far it gets.

Apart from `behavior`, because it is needed first: the registration starts before the model is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Reach(Enum):
    """How far the device gets before it does nothing more."""

    NOWHERE = 0
    PROVISIONED = 1
    HUB = 2


@dataclass(frozen=True, slots=True)
class Plan:
    """`ends` is True when the device's program ends where it should have begun, with a failure status."""

    dps_payload: Mapping[str, object] | None
    hub_model_id: str | None
    reach: Reach = Reach.HUB
    ends: bool = False


def announcing(model_id: str) -> Plan:
    """The good device's plan: the model id in the DPS payload and in the hub's CONNECT, as the conventions want it."""
    return Plan(dps_payload={"modelId": model_id}, hub_model_id=model_id)

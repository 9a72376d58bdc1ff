"""Desired changes that are right though unlike a single marked value: several at once, unmarked, with members that
no model has, removed by null. Devices in the field stumble over each of them."""

from __future__ import annotations

from harness.checks.desired import UNKNOWN_COMPONENT, UNKNOWN_PROPERTY
from harness.checks.envelope import MARKER
from harness.dtdl import Capability
from harness.run.exercise.desired import Desired, Values
from harness.run.exercise.stage import Stage
from harness.run.exercise.values import another_value, told_apart


async def write_peculiarly(stage: Stage, desired: Desired, answering: list[Capability]) -> None:
    """Only properties that were acknowledged when set alone are used: of the others nothing new would be learnt."""
    if stage.judges("properties_in_one_patch") and len(answering) > 1 and await stage.ready():
        n, version = await desired.write(_others(stage, desired, answering), "together")
        await desired.answered([c.path for c in answering], n, version)
    if stage.judges("component_patch_without_marker") and await stage.ready():
        for capability in [c for c in answering if c.component is not None][:1]:
            n, version = await desired.write(_others(stage, desired, [capability]), "unmarked", marked=False)
            await desired.answered([capability.path], n, version)
    first = answering[0]
    if stage.judges("unknown_desired_properties") and await stage.ready():
        unknown = {UNKNOWN_PROPERTY: 1, UNKNOWN_COMPONENT: {MARKER: "c", "setting": 1}}
        desired.added.update(unknown)
        n, version = await desired.write(_others(stage, desired, [first]), "unknown", unknown=unknown)
        await desired.answered([first.path], n, version)
    if stage.judges("desired_property_removed") and await stage.ready():
        valid = desired.value(first)
        await desired.write([(first, None)], "removed")
        await revive(desired, first, valid)


async def revive(desired: Desired, capability: Capability, valid: object) -> None:
    """Set a valid value again and await its acknowledgement: the proof that the device lives on."""
    n, version = await desired.write([(capability, valid)], "revived")
    await desired.answered([capability.path], n, version)


def _others(stage: Stage, desired: Desired, capabilities: list[Capability]) -> Values:
    """Another value for each, all different as far as their schemas have so many."""
    values: list[tuple[Capability, object]] = []
    for capability in capabilities:
        taken = [value for _, value in values]
        values.append((capability, another_value(capability, stage.expectations, desired.value(capability), taken)))
    return told_apart(values, desired.value)

"""Negative tests: invalid desired values and invalid requests, each followed by a valid one."""

from __future__ import annotations

from harness.checks.invalid import invalid_requests, invalid_values
from harness.dtdl import Capability
from harness.run.exercise.commands import answers, disturbs, invoke, limit
from harness.run.exercise.desired import Desired
from harness.run.exercise.peculiar import revive
from harness.run.exercise.stage import Stage
from harness.run.exercise.values import onto

_REFUSING = 10.0
"""Seconds a device may take to refuse a request; an answer that never comes is noted, not waited for longer."""


async def write_wrongly(stage: Stage, desired: Desired, answering: list[Capability]) -> None:
    """Set invalid values; a device that leaves one unanswered is tried with no other."""
    for capability in answering:
        if not stage.judges("rejects_invalid_value", capability) or not await stage.ready():
            continue
        if not stage.expectations.property(capability.path).negative:
            continue
        valid, written = desired.value(capability), False
        for value in invalid_values(capability):
            n, version = await desired.write([(capability, onto(value, valid))], "negative")
            written = written or version is not None
            if version is not None and not await desired.answered([capability.path], n, version):
                break
        if written:
            await revive(desired, capability, valid)


async def invoke_wrongly(stage: Stage) -> None:
    """Invoke commands with invalid requests; whether the device lives on is asked at the end of the window."""
    for capability in stage.of("command"):
        if not stage.judges("rejects_invalid_request", capability) or disturbs(stage, capability):
            continue
        if not stage.expectations.command(capability.path).negative or not answers(stage, capability):
            continue
        for payload in invalid_requests(capability):
            if not await stage.ready():
                return
            timeout = min(limit(stage, capability), _REFUSING)
            component, name = capability.component, capability.name
            told = await invoke(stage, component, name, payload, payload is not None, "negative", timeout)
            if told.status is None:
                break

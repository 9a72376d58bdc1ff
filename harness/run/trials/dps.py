"""Trials of a device that is started anew: DPS is busy, fails, goes away, is another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.checks import bounds
from harness.checks import trials as t
from harness.checks.evidence import Evidence
from harness.record import events as ev
from harness.run.trials.stage import Stage
from harness.run.trials.trial import NOTHING, saw

RETRY_AFTER = 3
"""Whole seconds: well above the 1 s and 2 s that stock SDKs wait when they are told nothing."""
FAILURES = 2
"""Register requests that fail: two waits show whether they grow."""

THROTTLED: tuple[Mapping[str, Any], ...] = (
    {"at": "register", "do": "error", "code": 429, "retry-after": RETRY_AFTER},
    {"at": "poll", "do": "error", "code": 429, "retry-after": RETRY_AFTER},
)
FAILING: tuple[Mapping[str, Any], ...] = (
    {"at": "register", "do": "error", "code": 503, "from": 1, "times": FAILURES},
    {"at": "poll", "do": "poll-without-operation-id"},
)
CUT: tuple[Mapping[str, Any], ...] = ({"at": "register", "do": "cut"},)

_TO_DPS: Mapping[str, Any] = {"at": "connect", "do": "hub-moved"}
"""What makes a device that knows its hub ask DPS for it."""
_REQUESTS = (
    ev.ProvisioningConnected,
    ev.RegistrationRequested,
    ev.RegistrationPolled,
    ev.RegistrationAnswered,
    ev.HubConnected,
)


async def throttled(stage: Stage) -> str:
    """A register request and a poll are answered with 429 and retry-after."""
    return await _assigned(stage, THROTTLED, RETRY_AFTER + bounds.RETRY_AFTER_LATE)


async def failing(stage: Stage) -> str:
    """Register requests are answered with 503, without retry-after, and the reply to the first poll lacks operationId.

    The device is to reach the hub all the same.
    """
    if not await _asks_dps(stage, FAILING):
        return NOTHING

    def connected(evidence: Evidence) -> bool:
        fault = t.played(evidence, "poll-without-operation-id")
        return fault is not None and t.accepted_after(evidence, fault.n) is not None

    patience = stage.quiet_for(bounds.ANSWER_PATIENCE, *_REQUESTS)
    return saw(await stage.until("the device to reach the hub", connected, patience))


async def cut(stage: Stage) -> str:
    """The connection to DPS is cut at the register request."""
    return await _assigned(stage, CUT, bounds.ANSWER_PATIENCE)


async def other_scope(stage: Stage) -> str:
    """The same program is given another ID scope."""

    def settled(evidence: Evidence) -> bool:
        told = evidence.final(ev.DeviceEnrolled)
        scope = told[1].id_scope.lower() if told else ""
        wrong = any(e.id_scope.lower() != scope for _, e in evidence.of(ev.ProvisioningConnected))
        past = t.accepted_after(evidence, 0) is not None
        return wrong or past or evidence.first(ev.DeviceAssigned) is not None

    return saw(await stage.until("the device to register in its new ID scope", settled))


async def restart(stage: Stage) -> str:
    """Nothing goes wrong: the device was stopped and is started again."""

    def connected(evidence: Evidence) -> bool:
        return t.accepted_after(evidence, 0) is not None

    return saw(await stage.until("the device to connect again", connected))


async def _assigned(stage: Stage, faults: tuple[Mapping[str, Any], ...], patience: float) -> str:
    if not await _asks_dps(stage, faults):
        return NOTHING
    asked = stage.evidence.entries(ev.RegistrationRequested)[-1].n

    def assigned(evidence: Evidence) -> bool:
        return any(n > asked for n, _ in evidence.of(ev.DeviceAssigned))

    return saw(await stage.until("DPS to assign the device", assigned, stage.quiet_for(patience, *_REQUESTS)))


async def _asks_dps(stage: Stage, faults: tuple[Mapping[str, Any], ...]) -> bool:
    """Wait for a register request. A device that goes to the hub it knows is made to ask DPS: the hub forgets it."""

    def registers(evidence: Evidence) -> bool:
        return evidence.first(ev.RegistrationRequested) is not None

    def registers_or_connects(evidence: Evidence) -> bool:
        return registers(evidence) or t.accepted_after(evidence, 0) is not None

    if not await stage.until("the device to register or connect", registers_or_connects):
        return False
    if registers(stage.evidence):
        return True
    await stage.order(*faults, _TO_DPS)
    await stage.cut()
    return await stage.until("the device to register", registers, stage.quiet_for(bounds.FIRST_RECONNECT, *_REQUESTS))

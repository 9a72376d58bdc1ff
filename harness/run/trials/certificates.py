"""Trials of a device that meets a server that it must not trust: at its start, and when it comes back to the hub."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from harness.checks import bounds
from harness.checks import trials as t
from harness.checks.evidence import Evidence
from harness.run.trials.trial import IN_TIME, saw
from harness.settings import EXTERNAL

if TYPE_CHECKING:
    from harness.run.trials.stage import Stage


def shown(kind: str) -> tuple[Mapping[str, Any], ...]:
    """The faults that show a bad certificate of this kind at every handshake."""
    return ({"at": "tls", "do": "bad-certificate", "kind": kind, "from": 1},)


def refusal(kind: str) -> Callable[[Stage], Awaitable[str]]:
    """A trial of the refused handshakes, or of the first packet over a connection that should not be.

    A device asks DPS first, and knows the hub by another name, often with a TLS of its own. So where it refused at its
    start, it is let in, cut off and shown the bad certificate again.
    """

    async def conduct(stage: Stage) -> str:
        found = await stage.until("the device to connect by TLS", _settled)
        if not found or stage.evidence.entries(*t.SPOKEN):
            return saw(found)
        await stage.end_faults()
        if not await _let_in(stage):
            return IN_TIME
        await stage.order(*shown(kind))
        await stage.cut()
        await stage.until("the device to come back to the hub by TLS", _settled_again, bounds.FIRST_RECONNECT)
        return IN_TIME

    return conduct


async def _let_in(stage: Stage) -> bool:
    """Whether the device connects to a server it can trust; where a person would have to start it, it has to try again
    by itself."""
    if stage.settings.dut == EXTERNAL:
        return await stage.until(t.LET_IN, _connected, bounds.IN_SERVICE)
    await stage.start_device()
    return await stage.until(t.LET_IN, _connected)


def _settled(evidence: Evidence) -> bool:
    """A device that looks first whether the port is open is still to come."""
    return bool(evidence.entries(*t.SPOKEN)) or t.ended_handshake(evidence) is not None


def _connected(evidence: Evidence) -> bool:
    return t.accepted_after(evidence, 0) is not None


def _settled_again(evidence: Evidence) -> bool:
    at = t.cut_off_again(evidence)
    return at is not None and (bool(t.spoken_after(evidence, at)) or t.ended_handshake(evidence, at) is not None)

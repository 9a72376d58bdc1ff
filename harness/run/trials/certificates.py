"""Trials of a device that is started anew and meets a server that it must not trust."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.checks import trials as t
from harness.checks.evidence import Evidence
from harness.run.trials.stage import Stage
from harness.run.trials.trial import saw


def shown(kind: str) -> tuple[Mapping[str, Any], ...]:
    """The faults that show a bad certificate of this kind at every handshake."""
    return ({"at": "tls", "do": "bad-certificate", "kind": kind, "from": 1},)


async def refusal(stage: Stage) -> str:
    """Wait for the refused handshake, or for the first packet over a connection that should not be.

    A device that looks first whether the port is open is still to come.
    """

    def settled(evidence: Evidence) -> bool:
        return bool(evidence.entries(*t.SPOKEN)) or t.ended_handshake(evidence) is not None

    return saw(await stage.until("the device to connect by TLS", settled))

"""Ways to fail when services are busy, gone or not to be trusted: each changes one thing of a raw device's conduct."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from .conduct import Conduct

Change = Callable[[Conduct], Conduct]


def _with(**changes: object) -> Change:
    return lambda conduct: replace(conduct, **changes)  # type: ignore[arg-type]


RESILIENCE_FAULTS: Mapping[str, tuple[str, Change]] = {
    "ignore-retry-after": ("asks DPS again at once, whatever retry-after says", _with(heeds_retry_after=False)),
    "hammer-register": (
        "registers again at once when DPS is busy",
        _with(backs_off_registering=False, heeds_retry_after=False),
    ),
    "need-operation-id": (
        "gives up when the reply to a poll lacks operationId",
        _with(uses_cached_operation_id=False),
    ),
    "stuck-in-dps": ("waits for ever when the connection to DPS is cut", _with(survives_dps_loss=False)),
    "trust-anyone": ("accepts whatever certificate the server shows", _with(verifies_server=False)),
    "own-scope": ("keeps the ID scope of its first start, as if compiled in", _with(takes_scope=False)),
    "never-reconnect": ("does not reconnect when the hub is gone", _with(reconnects=False)),
    "tight-loop": ("reconnects without any wait, and never asks DPS", _with(backs_off=False, reregisters=False)),
    "reregister-at-once": ("registers anew at the first failure", _with(stays_with_hub=False)),
    "never-reregister": ("never asks DPS again for its hub", _with(reregisters=False)),
    "forget-subscriptions": (
        "connects with a clean session and subscribes the first time only",
        _with(persistent=False),
    ),
    "forget-twin": ("does not read its twin again after a reconnect", _with(rereads_twin=False)),
    "forget-telemetry": ("sends no telemetry after a reconnect", _with(sends_again=False)),
    "apply-old": ("applies desired properties of any version", _with(compares_versions=False)),
    "die-of-twin-error": ("ends when the hub refuses a twin operation", _with(survives_twin_errors=False)),
    "reuse-token": ("has one token for all its life", _with(renews_token=False, reregisters=False)),
    "no-ping": ("promises a keep-alive of 1 s and does not keep it", _with(pings=False, keep_alive=1)),
    "give-up": ("does nothing more when the hub refuses it", _with(gives_up_when_refused=True)),
    "start-once": ("starts once and never again", _with(starts_again=False)),
}

"""Ways to fail when services are busy, gone or not to be trusted: each changes one thing of a raw device's conduct."""

from __future__ import annotations

from collections.abc import Mapping

from .conduct import Change, conduct_with

RESILIENCE_FAULTS: Mapping[str, tuple[str, Change]] = {
    "ignore-retry-after": ("asks DPS again at once, whatever retry-after says", conduct_with(heeds_retry_after=False)),
    "hammer-register": (
        "registers again at once when DPS is busy",
        conduct_with(backs_off_registering=False, heeds_retry_after=False),
    ),
    "need-operation-id": (
        "gives up when the reply to a poll lacks operationId",
        conduct_with(uses_cached_operation_id=False),
    ),
    "stuck-in-dps": ("waits for ever when the connection to DPS is cut", conduct_with(survives_dps_loss=False)),
    "trust-anyone": ("accepts whatever certificate the server shows", conduct_with(verifies_server=False)),
    "trust-any-hub": (
        "verifies the certificate of DPS, and accepts whatever the hub shows",
        conduct_with(verifies_hub=False),
    ),
    "own-scope": ("keeps the ID scope of its first start, as if compiled in", conduct_with(takes_scope=False)),
    "never-reconnect": ("does not reconnect when the hub is gone", conduct_with(reconnects=False)),
    "tight-loop": ("reconnects without any wait, and never asks DPS", conduct_with(backs_off=False, reregisters=False)),
    "reregister-at-once": ("registers anew at the first failure", conduct_with(stays_with_hub=False)),
    "never-reregister": ("never asks DPS again for its hub", conduct_with(reregisters=False)),
    "forget-subscriptions": (
        "connects with a clean session and subscribes the first time only",
        conduct_with(persistent=False),
    ),
    "forget-twin": ("does not read its twin again after a reconnect", conduct_with(rereads_twin=False)),
    "tell-twin-again": (
        "reports its properties again after a reconnect, and does not read its twin",
        conduct_with(rereads_twin=False, tells_again=True),
    ),
    "forget-desired": (
        "subscribes to commands again after a reconnect, not to desired properties",
        conduct_with(forgets="$iothub/twin/PATCH/properties/desired/#"),
    ),
    "one-last-message": (
        "sends no telemetry after a reconnect but the message that was under way",
        conduct_with(sends_again=False, repeats_last=True),
    ),
    "die-of-old-patch": (
        "ends when a desired patch of an older version comes",
        conduct_with(survives_old_patches=False),
    ),
    "forget-telemetry": ("sends no telemetry after a reconnect", conduct_with(sends_again=False)),
    "apply-old": ("applies desired properties of any version", conduct_with(compares_versions=False)),
    "die-of-twin-error": ("ends when the hub refuses a twin operation", conduct_with(survives_twin_errors=False)),
    "reuse-token": ("has one token for all its life", conduct_with(renews_token=False, reregisters=False)),
    "no-ping": ("promises a keep-alive of 3 s and does not keep it", conduct_with(pings=False, keep_alive=3)),
    "give-up": ("does nothing more when the hub refuses it", conduct_with(gives_up_when_refused=True)),
    "start-once": ("starts once and never again", conduct_with(starts_again=False)),
}

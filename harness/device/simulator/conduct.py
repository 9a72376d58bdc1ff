"""How a raw device conducts itself towards DPS and the hub: the switches that the resilience faults turn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Conduct:
    """A good device has all of these as they stand here."""

    heeds_retry_after: bool = True
    backs_off_registering: bool = True
    uses_cached_operation_id: bool = True
    survives_dps_loss: bool = True
    verifies_server: bool = True
    takes_scope: bool = True
    """False: it keeps the ID scope that it was told first, as if that were compiled in."""
    reconnects: bool = True
    backs_off: bool = True
    stays_with_hub: bool = True
    """False: it registers anew at the first failure."""
    reregisters: bool = True
    persistent: bool = True
    """False: it leaves no subscriptions behind, and does not subscribe again."""
    rereads_twin: bool = True
    sends_again: bool = True
    """Whether telemetry goes on after a reconnect."""
    compares_versions: bool = True
    survives_twin_errors: bool = True
    renews_token: bool = True
    pings: bool = True
    starts_again: bool = True
    keep_alive: int = 60

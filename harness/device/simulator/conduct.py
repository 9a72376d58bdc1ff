"""How a raw device conducts itself towards DPS and the hub: the switches that faults without an SDK turn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.mqtt import Connect, Packet, Publish

from .settings import Settings

FILTERS = ("$iothub/methods/POST/#", "$iothub/twin/res/#", "$iothub/twin/PATCH/properties/desired/#")


def as_it_is(packet: Any, *_: Any) -> Any:
    """No edit."""
    return packet


def alone(packet: Publish) -> Iterable[Publish]:
    """A message that is sent as it is."""
    return (packet,)


def nothing(device_id: str) -> Iterable[Packet]:
    """No packets."""
    return ()


@dataclass(frozen=True, slots=True)
class Conduct:
    """A good device has all of these as they stand here."""

    heeds_retry_after: bool = True
    backs_off_registering: bool = True
    uses_cached_operation_id: bool = True
    survives_dps_loss: bool = True
    verifies_server: bool = True
    verifies_hub: bool = True
    takes_scope: bool = True
    """False: it keeps the ID scope that it was told first, as if that were compiled in."""
    reconnects: bool = True
    backs_off: bool = True
    stays_with_hub: bool = True
    """False: it registers anew at the first failure."""
    reregisters: bool = True
    announces_again: bool = True
    """Whether its model is announced in every connection, and not in the first only."""
    persistent: bool = True
    """False: it leaves no subscriptions behind, and does not subscribe again."""
    forgets: str = ""
    """A topic filter that it does not subscribe to again, where each connection begins with a clean session."""
    rereads_twin: bool = True
    tells_again: bool = False
    """Whether it reports again what it reported before when it is connected again."""
    sends_again: bool = True
    """Whether telemetry goes on after a reconnect."""
    repeats_last: bool = False
    """Whether the last message before a reconnect is sent again after it, as MQTT clients do with one under way."""
    compares_versions: bool = True
    survives_old_patches: bool = True
    survives_twin_errors: bool = True
    renews_token: bool = True
    pings: bool = True
    starts_again: bool = True
    keep_alive: int = 60
    gives_up_when_refused: bool = False
    """True: a CONNACK 4 or 5 of the hub is the end."""

    # towards DPS
    uses_dps: bool = True
    """False: it knows its hub, which is at the endpoint of DPS."""
    port: int = 8883
    speaks_tls: bool = True
    probes: bool = False
    """True: before each connection it opens one and closes it without a word, to see whether the port is open."""
    trusts: bool = True
    """False: it knows no CA."""
    asks: bool = True
    polls: bool = True
    clock: float = 0.0
    """Seconds by which the device's clock is ahead of the time."""
    edit_settings: Callable[[Settings], Settings] = as_it_is
    edit_dps_connect: Callable[[Connect], Connect] = as_it_is
    edit_bytes: Callable[[bytes], bytes] = as_it_is
    """Of each CONNECT, as it goes over the wire."""
    edit_registration: Callable[[dict[str, Any]], dict[str, Any]] = as_it_is
    """Of the register request's body."""

    # towards the hub
    edit_connect: Callable[[Connect, Settings], Connect] = as_it_is
    edit_publish: Callable[[Publish], Iterable[Publish]] = alone
    """Of each message to the hub: those that are sent in its place."""
    first_words: Callable[[str], Iterable[Packet]] = nothing
    """Said once, after the first CONNECT; the device id in the hub is given."""
    false_starts: int = 0
    """Connections that it closes at once before it begins."""
    rivals: int = 0
    """Further connections that it opens as itself before it begins."""
    filters: tuple[str, ...] = FILTERS
    """Subscribed to; `{}` stands for the device id in the hub."""
    acknowledges: bool = True
    """Whether messages of the hub get their PUBACK."""
    refused_patch: Mapping[str, object] | None = None
    """Reported at the start, and again as it was whenever the hub has refused it."""


Change = Callable[[Conduct], Conduct]
"""What a fault or an oddity makes of a good device's conduct."""


def conduct_with(**changes: Any) -> Change:
    """These fields of the conduct otherwise."""
    return lambda conduct: replace(conduct, **changes)

"""The whole catalogue, with what a family says filled in where an entry says nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from harness.diagnosis import central, dps, hub, hub_back_end, hub_connecting, hub_messages, hub_twins, mqtt, upload
from harness.diagnosis.entry import SERVICES, Entry
from harness.diagnosis.families import FAMILIES


def _filled(entry: Entry) -> Entry:
    family = FAMILIES.get(entry.code[:3])
    if family is None:
        return replace(entry, retryable=bool(entry.retryable))
    return replace(
        entry,
        device=entry.device or family.device,
        maker=entry.maker or family.maker,
        retryable=family.retryable if entry.retryable is None else entry.retryable,
    )


def _in_order(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    return tuple(sorted(map(_filled, entries), key=lambda e: (SERVICES.index(e.service), e.specificity == 0, e.code)))


_ROOMS = (dps, hub, hub_connecting, hub_twins, hub_messages, hub_back_end, central, upload, mqtt)

CATALOGUE: tuple[Entry, ...] = _in_order(entry for room in _ROOMS for entry in room.ENTRIES)
"""Every entry: by service, statuses before the codes that say more."""

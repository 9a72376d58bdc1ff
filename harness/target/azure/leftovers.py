"""Removing what the harness made in Azure, at the end of a run or after one that was interrupted.

Each thing carries the mark under which it was noted; one that carries another, or none, is somebody else's.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from harness.azure.ledger import DEVICE, ENROLLMENT, GROUP, MARK, REGISTRATION, Ledger, Made
from harness.azure.provisioning import Provisioning, ProvisioningError, marked
from harness.target.service import HubService, ServiceError


@dataclass(frozen=True, slots=True)
class Removal:
    """What became of one thing. `done`: it is there no more, or was never ours; `said` is a sentence."""

    made: Made
    done: bool
    said: str


_ORDER = (REGISTRATION, ENROLLMENT, GROUP, DEVICE)
"""An enrollment goes before its device, which would come back by it."""


def remove(made: list[Made], ledger: Ledger, dps: Provisioning | None, hub: HubService | None) -> list[Removal]:
    """Remove all of these; what is done is noted no more. Raises LedgerError."""
    removals = []
    for one in sorted(made, key=lambda m: _ORDER.index(m.kind)):
        try:
            removal = _remove(one, dps, hub)
        except (ServiceError, ProvisioningError) as e:
            removal = Removal(one, False, f"{one} could not be removed: {e}")
        if removal.done:
            ledger.forget(one)
        removals.append(removal)
    return removals


def cleanup(state: Path, *options: str) -> str:
    """The command that removes, from the current folder, what is noted in this state folder."""
    folder = () if state.absolute() == Path.cwd() / ".preflight" else ("--state", shlex.quote(str(state)))
    return " ".join(("preflight azure cleanup", *options, *folder))


def _remove(made: Made, dps: Provisioning | None, hub: HubService | None) -> Removal:
    service = hub if made.kind == DEVICE else dps
    if service is None or service.host.lower() != made.host.lower():
        return Removal(made, False, f"{made} is left: this run has no access to {made.host}; name that one.")
    if made.kind == DEVICE:
        assert hub is not None
        return _device(made, hub)
    assert dps is not None
    if made.kind == ENROLLMENT:
        found = dps.enrollment(made.id)
    elif made.kind == GROUP:
        found = dps.group(made.id)
    else:
        return _registration(made, dps)
    if found is None:
        return Removal(made, True, f"{made} is not there any more.")
    if marked(found) != made.mark:
        return Removal(made, True, f"{made} was not made by the pre-flight (it has no tag `{MARK}` of that run): left.")
    if made.kind == ENROLLMENT:
        dps.remove(made.id)
    else:
        dps.remove_group(made.id)
    return Removal(made, True, f"{made} is removed.")


def _registration(made: Made, dps: Provisioning) -> Removal:
    """A record is of its enrollment, and has no mark of its own."""
    found = dps.enrollment(made.id) if made.through == made.id else dps.group(made.through)
    if marked(found) != made.mark:
        return Removal(made, True, f"{made} is not there any more, or not of the pre-flight.")
    dps.remove_registration(made.id)
    return Removal(made, True, f"{made} is removed.")


def _device(made: Made, hub: HubService) -> Removal:
    try:
        twin = hub.device_twin(made.id)
    except ServiceError as e:
        if e.status != 404:
            raise
        return Removal(made, True, f"{made} is not there any more.")
    if (twin.get("tags") or {}).get(MARK) != made.mark:
        return Removal(made, True, f"{made} was not made by the pre-flight (it has no tag `{MARK}` of that run): left.")
    hub.delete_device(made.id)
    return Removal(made, True, f"{made} is removed.")

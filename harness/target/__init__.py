"""Where a device is tested: the emulator on this machine, or Azure. The same small protocol for both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from harness.device.credentials import Credentials
from harness.dtdl import Capability
from harness.record.events import Event
from harness.settings import Settings
from harness.target.service import HubService

__all__ = ["FaultDesk", "HubService", "Target", "TargetError", "make_target"]


class TargetError(Exception):
    """The target cannot be used. The text says why, whose move it is, and what to do."""


class FaultDesk(Protocol):
    """Where a trial orders what its services do wrong. All methods block shortly and raise TargetError."""

    def order(self, faults: Sequence[Mapping[str, Any]]) -> None:
        """These faults from now on, in the words of a fault plan, in place of any others."""

    def cut(self) -> None:
        """Drop the connections of all devices, once."""

    def move(self) -> str:
        """Let the DPS be the one of another ID scope, until `end`; that scope."""

    def end(self) -> None:
        """Everything is well again."""


class Target(Protocol):
    """A DPS and a hub to test against. `observes` names what it can show (see `TargetOpened`)."""

    @property
    def name(self) -> str: ...

    @property
    def observes(self) -> tuple[str, ...]: ...

    def open(self) -> dict[str, str]:
        """Make the target ready; its endpoints by name. Raises TargetError."""

    def estimate(self, capabilities: Sequence[Capability]) -> None:
        """Say what testing a device with these capabilities will cost, where it costs anything; once."""

    @property
    def spent(self) -> str:
        """What testing has cost so far, as a sentence; empty where it costs nothing."""

    def enroll(self) -> Credentials:
        """Enroll the device under test; what the device needs to provision itself. Raises TargetError."""

    def service(self) -> HubService:
        """The hub's service side, on Microsoft's SDK."""

    @property
    def faults(self) -> FaultDesk | None:
        """None where services cannot be made to fail."""

    def close(self) -> None:
        """Release everything. May be called twice."""


def make_target(
    settings: Settings, emit: Callable[[Event], None], say: Callable[[str], None] = lambda text: None
) -> Target:
    """The target that the settings name; `say` talks to the person at the terminal. Raises TargetError."""
    if settings.target == "local":
        from harness.target.local import LocalTarget

        return LocalTarget(settings, emit)
    from harness.target.azure.target import AzureTarget

    return AzureTarget(settings, emit, say)

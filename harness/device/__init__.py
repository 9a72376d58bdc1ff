"""How a device under test is started: as a process, by its owner, or played by the simulator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # the simulator, a process of its own, starts sooner without them
    from harness.device.credentials import Credentials
    from harness.record.events import Event
    from harness.settings import Settings

__all__ = ["Device", "DeviceError", "make_device"]


class DeviceError(Exception):
    """The device cannot be started. The text says why and what to do."""


class Device(Protocol):
    """A device under test."""

    def start(self, credentials: Credentials) -> None:
        """Start it with these credentials. Raises DeviceError."""

    def stop(self) -> None:
        """Stop what was started, with everything it started itself. May be called twice."""


def make_device(
    settings: Settings,
    models: Sequence[str],
    emit: Callable[[Event], None],
    log: Callable[[str], None],
    say: Callable[[str], None],
) -> Device:
    """The device that the settings name.

    `models` are the places its model may be found in; `log` takes its output, `say` talks to the person at
    the terminal.
    """
    if settings.dut is None:
        raise DeviceError(
            "No device is named. Start one with --dut COMMAND (the command line of your device's program), "
            "or use --dut external for a physical device."
        )
    from harness.settings import EXTERNAL

    if settings.dut == EXTERNAL:
        from harness.device.external import ExternalDevice

        return ExternalDevice(emit, say)
    from harness.device.process import ProcessDevice

    return ProcessDevice(settings.dut, settings.root, settings.model_id, models, emit, log)

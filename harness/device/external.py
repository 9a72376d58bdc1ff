"""A physical device: its owner starts it; we say with which settings."""

from __future__ import annotations

from collections.abc import Callable

from harness.device.credentials import Credentials
from harness.record import events as ev


class ExternalDevice:
    """Prints the connection settings. The key goes to the terminal only: its owner has to type it in."""

    def __init__(self, emit: Callable[[ev.Event], None], say: Callable[[str], None]) -> None:
        self._emit = emit
        self._say = say

    def start(self, credentials: Credentials) -> None:
        rows = {**credentials.public(), "Symmetric key": credentials.primary_key}
        lines = [f"  {name + ':':18}{value}" for name, value in rows.items()]
        self._say("\n".join(["Configure the device with these settings and start it:", *lines]))
        self._emit(ev.DeviceStarted(command="external", pid=None))

    def stop(self) -> None:
        """Nothing to stop: the device is its owner's."""

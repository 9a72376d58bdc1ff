"""The device under test on the bench: started once for the run, and anew for some of its trials."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from harness.device import Device, DeviceError, make_device
from harness.device.credentials import Credentials
from harness.record import events as ev
from harness.run import models
from harness.settings import EXTERNAL, Settings


class DeviceBench:
    """One device, in one process after the other. Methods may be called from any thread; `close` has the last word."""

    def __init__(
        self,
        settings: Settings,
        credentials: Credentials,
        emit: Callable[[ev.Event], None],
        log: Callable[[str], None],
        say: Callable[[str], None],
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._emit = emit
        self._log = log
        self._say = say
        self._lock = threading.Lock()
        self._device: Device | None = None
        self._closed = False

    @property
    def reconfigurable(self) -> bool:
        return self._settings.dut != EXTERNAL

    def begin(self) -> None:
        """Start it for the first time. Raises DeviceError."""
        with self._lock:
            self._start(self._credentials)

    def start(self, id_scope: str, why: str) -> None:
        """Start it anew, with the same identity. Its owner is asked to, where there is one. Raises DeviceError."""
        with self._lock:
            if self._closed:
                raise DeviceError("The run is over.")
            if self._settings.dut == EXTERNAL:
                self._say(f"{why}. Restart the device now.")
                self._emit(ev.DeviceStarted(command=EXTERNAL, pid=None))
                return
            self._stop()
            self._start(replace(self._credentials, id_scope=id_scope or self._credentials.id_scope))

    def stop(self) -> None:
        """Stop it, if it was started here."""
        with self._lock:
            self._stop()

    def close(self) -> None:
        """Stop it for good."""
        with self._lock:
            self._closed = True
            self._stop()

    def _start(self, credentials: Credentials) -> None:
        places = models.locations(self._settings)
        self._device = make_device(self._settings, places, self._emit, self._log, self._say)
        self._device.start(credentials)

    def _stop(self) -> None:
        if self._device is not None:
            self._device.stop()

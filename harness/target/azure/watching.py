"""What a device does, as the service side of DPS and hub shows it: registration and twin, read again and again.

Azure sends no service word of these without routes of its own making, so they are asked for: once a second while
something is awaited, less often else. What changed between two reads becomes events.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from harness.azure.provisioning import ProvisioningError
from harness.azure.twin_events import arrived, is_connected, reported
from harness.azure.twins import desired_change, reported_change, version
from harness.record import events as ev
from harness.target.service import ServiceError

_SOON, _OFTEN, _SELDOM, _LONGEST = 0.4, 1.0, 3.0, 15.0
"""Seconds between two reads: right after a write, while something is awaited, else, and where reading fails."""
_AWAITED = 8.0
"""Seconds after a write or a sign of life in which more is expected."""
_READS_FOR_MODEL = 3
"""Reads in which a connected device may show no model id yet, or one that sends not yet be called connected."""
_JOINING = 2.0

Json = Mapping[str, Any]


class Watch:
    """Reads in a thread of its own. `registration` answers None where the device never registered.

    `existing` is a device that was there before: what its registration says at first is no news. `ours` is False of
    a device that was started elsewhere, and so may be connected already.
    """

    def __init__(
        self,
        emit: Callable[[ev.Event], None],
        *,
        registration_id: str,
        device_id: str,
        hub: str,
        registration: Callable[[], Json | None] | None,
        twin: Callable[[], Json],
        existing: bool = False,
        ours: bool = True,
    ) -> None:
        self._emit = emit
        self._registration_id = registration_id
        self._device_id = device_id
        self._hub = hub
        self._read_registration_ = registration
        self._read_twin_ = twin
        self._existing = existing
        self._ours = ours
        self._stop = threading.Event()
        self._poked = threading.Event()
        self._thread: threading.Thread | None = None
        self._broken: dict[str, tuple[float, float]] = {}
        """By what is read: since when it fails, and the pause before the next try."""
        self._state: Json = {}
        self._assigned = False
        self._first: Json | None = None
        self._told: Json | None = None
        self._last: Json | None = None
        self._up = False
        self._connected = False
        self._called_connected = False
        self._alive = threading.Event()
        self._signs = 0
        self._desired = 0
        self._writing = 0
        self._lock = threading.Lock()
        self._awaited_until = 0.0

    def start(self) -> None:
        """Begin. What an existing device's registration and twin say now is taken as known."""
        if self._existing:
            self._baseline()
        self._expect()
        self._thread = threading.Thread(target=self._run, name="azure-watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; a read that is under way is not waited for long."""
        self._stop.set()
        self._poked.set()
        if self._thread is not None:
            self._thread.join(_JOINING)

    def sign_of_life(self) -> None:
        """A message of the device came in."""
        if not self._alive.is_set():
            self._alive.set()
            self._expect()
            self._poked.set()

    def written(self, write: Callable[[], int], patch: Mapping[str, Any]) -> int:
        """Carry out a write of desired properties, and record it as changed. The new version."""
        with self._lock:
            self._writing += 1
        try:
            new = write()
            with self._lock:
                self._desired = max(self._desired, new)
        finally:
            with self._lock:
                self._writing -= 1
        self._emit(ev.DesiredChanged(self._device_id, None, new, patch, delivered=self._connected))
        self._expect()
        self._poked.set()
        return new

    # --- the thread ----------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stop.is_set():
            poked = self._poked.is_set()
            self._poked.clear()
            if poked and self._stop.wait(_SOON):
                return
            try:
                if not self._assigned and self._read_registration_ is not None:
                    self._look("registration", self._registration)
                if self._assigned or self._existing or self._read_registration_ is None:
                    self._look("twin", self._twin)
            except Exception as e:
                self._emit(ev.HarnessFailed("watching the device", f"{type(e).__name__}: {e}"))
                return
            self._poked.wait(self._pause())

    def _pause(self) -> float:
        """Seconds up to the next read, a little random, so that a fleet's runs do not ask all at once."""
        failing = max((pause for _, pause in self._broken.values()), default=0.0)
        usual = _OFTEN if time.monotonic() < self._awaited_until or not self._connected else _SELDOM
        return max(failing, usual) * (1 + 0.1 * random.random())

    def _expect(self) -> None:
        self._awaited_until = time.monotonic() + _AWAITED

    def _look(self, what: str, read: Callable[[], None]) -> None:
        try:
            read()
        except (ServiceError, ProvisioningError) as e:
            now = time.monotonic()
            if what not in self._broken and not self._stop.is_set():
                self._emit(ev.WatchBroken(what, str(e)))
            since, pause = self._broken.get(what, (now, _OFTEN))
            self._broken[what] = (since, min(2 * pause, _LONGEST))
            return
        broken = self._broken.pop(what, None)
        if broken is not None:
            self._emit(ev.WatchResumed(what, time.monotonic() - broken[0]))

    def _baseline(self) -> None:
        try:
            self._first = self._read_twin_()
            self._desired = version(self._first, "desired") or 0
            if self._read_registration_ is not None:
                self._state = self._read_registration_() or {}
        except (ServiceError, ProvisioningError):
            return  # the thread will tell

    # --- the registration ----------------------------------------------------------------------------

    def _registration(self) -> None:
        assert self._read_registration_ is not None
        state = self._read_registration_() or {}
        if state == self._state:
            return
        self._state = state
        if state.get("status") in (None, "unassigned"):
            return
        self._expect()
        self._emit(ev.RegistrationRead(self._registration_id, state))
        if state.get("status") != "assigned":
            return
        hub, device_id = str(state.get("assignedHub") or ""), str(state.get("deviceId") or self._device_id)
        substatus = str(state.get("substatus") or "initialAssignment")
        self._assigned = True
        self._emit(ev.DeviceAssigned(self._registration_id, hub, device_id, substatus))
        if hub.lower() != self._hub.lower() or device_id != self._device_id:
            self._emit(ev.TargetFailed("azure", self._elsewhere(hub, device_id)))

    def _elsewhere(self, hub: str, device_id: str) -> str:
        if hub.lower() != self._hub.lower():
            return (
                f"DPS assigned the device to the hub {hub}, and the run has access to {self._hub}. Give the connection "
                f"string of {hub}, or let the enrollment name {self._hub}."
            )
        return (
            f"DPS assigned the device id {device_id}, and the run looks at {self._device_id}. Give "
            f"--device-id {device_id} --registration-id {self._registration_id}."
        )

    # --- the twin ------------------------------------------------------------------------------------

    def _twin(self) -> None:
        try:
            twin = self._read_twin_()
        except ServiceError as e:
            if e.status == 404 and not self._existing and self._last is None:
                return  # DPS names the hub a moment before the hub knows the device
            raise
        before, self._last = self._last, twin
        if self._existing and self._first is None:
            self._first = twin
        self._connection(twin)
        if self._connected:
            patch = reported_change(self._told, twin)
            self._told = twin
            if patch:
                self._expect()
                self._emit(reported(self._device_id, None, patch, twin))
        self._others_desire(before, twin)

    def _connection(self, twin: Json) -> None:
        up = is_connected(twin)
        alive = self._alive.is_set() or self._reported_anew(twin)
        if not self._connected:
            if not ((up and self._is_news(twin)) or alive):
                return
            self._signs += 1
            if not (up and twin.get("modelId")) and self._signs < _READS_FOR_MODEL:
                self._expect()
                return
            self._arrived(twin, up)
        elif up and not self._up:
            self._arrived(twin, up)
        elif not up and self._up:
            self._up = False
            self._emit(ev.HubDisconnected(self._device_id, None, "", "the hub says Disconnected"))

    def _arrived(self, twin: Json, up: bool) -> None:
        if not self._connected or not self._up:
            again = self._connected and not self._called_connected
            self._connected, self._up = True, up
            self._called_connected = self._called_connected or up
            self._expect()
            if again:
                return  # it was told as connected when its first message came
            self._emit(arrived(self._device_id, None, twin))

    def _is_news(self, twin: Json) -> bool:
        """Whether `Connected` is of this run: the hub notes the end of a connection minutes late."""
        if not self._existing or not self._ours or self._assigned or self._first is None:
            return True
        return not is_connected(self._first) or twin.get("lastActivityTime") != self._first.get("lastActivityTime")

    def _reported_anew(self, twin: Json) -> bool:
        if self._first is None:
            return False
        return version(twin, "reported") != version(self._first, "reported")

    def _others_desire(self, before: Json | None, twin: Json) -> None:
        """Desired properties that somebody else has set meanwhile."""
        now = version(twin, "desired") or 0
        with self._lock:
            if self._writing or now <= self._desired:
                return
            known, self._desired = self._desired, now
        patch = desired_change(before, twin) if before is not None and known else None
        if patch:
            self._emit(ev.DesiredChanged(self._device_id, None, now, patch, delivered=self._connected))

"""The emulator as a process of its own, for the benchmarks: `python -m tests.bench._server SETTINGS`.

It writes one line of JSON with where it is, and one with what it saw when its input ends.
"""

from __future__ import annotations

import contextlib
import json
import sys
from functools import partial
from pathlib import Path

from harness.emulator import Emulator, EmulatorOptions
from harness.emulator.services import Services
from harness.record.events import Event, TelemetryReceived
from harness.record.recorder import Recorder
from harness.record.redact import Redactor
from harness.record.writer import ReportFolder


class Counter:
    """Counts telemetry and hands events on."""

    def __init__(self) -> None:
        self.telemetry = 0
        self.events = 0

    def emit(self, event: Event) -> None:
        self.events += 1
        if type(event) is TelemetryReceived:
            self.telemetry += 1


def _put_device(device_id: str, services: Services) -> None:
    services.hub.put_device(device_id, {}, None)


def main(
    address: str,
    state: str,
    devices: int,
    registrations: int,
    journal: str | None,
    uvloop: bool,
    asks: bool,
    control: bool,
) -> None:
    """Run until standard input ends."""
    with contextlib.suppress(ImportError):
        import resource

        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    counter, recorder = Counter(), None
    if journal is not None:
        recorder = Recorder(ReportFolder(Path(journal), Redactor()).lines("journal.jsonl"))
    record = recorder

    def emit(event: Event) -> None:
        counter.emit(event)
        if record is not None:
            record.emit(event)

    emulator = Emulator(
        address=address,
        state_dir=Path(state),
        emit=emit,
        options=EmulatorOptions(
            uvloop=uvloop,
            https_port=None,
            control_port=0 if control else None,
            token_grace=3600,
            client_certificates="always" if asks else "never",
        ),
    )
    endpoints = emulator.start()
    for n in range(devices):
        emulator.call(partial(_put_device, f"d{n}"))
    keys = [emulator.enroll(f"r{n}").primary_key for n in range(registrations)]
    about = {
        "ca": str(endpoints.ca_path),
        "scope": endpoints.id_scope,
        "key": emulator.call(lambda s: s.hub.access.policies["device"].primary_key),
        "keys": keys,
        "loop": emulator.call(lambda s: type(s._loop).__module__.partition(".")[0]),
    }
    print(json.dumps(about), flush=True)
    sys.stdin.read()
    print(json.dumps({"telemetry": counter.telemetry, "events": counter.events}), flush=True)
    emulator.stop()


if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))

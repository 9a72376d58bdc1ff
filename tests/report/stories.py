"""Recorded runs for tests of the reports: told event by event, judged by a replay as a stored journal is."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

from harness import checks
from harness.record import events as ev
from harness.record.events import Entry
from harness.record.journal import encode
from harness.report.result import result
from harness.run import Run
from harness.settings import Settings
from tests.checks import story
from tests.checks.story import DEVICE, ROOT

OBSERVES = ("wire", "dps-payload", "faults", "telemetry", "twin", "commands")
DOCUMENTS: dict[str, Any] = {str(document["@id"]): document for document in (story._PUMP, story._PART)}
HOSTILE = "</script><script>alert(1)</script><img src=//x onerror=alert(2)>]]>\x1b[31m\u202egnp\x00\x07&amp;\"'`{{7*7}}"


class Tale:
    """Entries with times of the teller's choosing."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def at(self, t: float, *events: ev.Event) -> int:
        """Add events at `t` seconds; the number of the last."""
        for event in events:
            self.entries.append(Entry(len(self.entries) + 1, t, event))
        return len(self.entries)

    def begun(self, profile: str = "standard", **expectations: Any) -> Tale:
        """A run that has opened its target and enrolled the device."""
        settings = {"dut": "pump --serve", "profile": profile, "window": 60.0, "target": "local"}
        self.at(0.01, ev.RunStarted("2024-05-01T10:00:00.000+00:00", settings, {}))
        if expectations:
            self.at(0.02, ev.ExpectationsStated(expectations))
        self.at(0.1, ev.TargetOpened("local", {}, OBSERVES), ev.DeviceEnrolled(DEVICE, "symmetric-key", "0ne1"))
        return self

    def connected(self, **more: Any) -> Tale:
        """The device has registered and connected, and its model is known."""
        body = json.dumps({"registrationId": DEVICE, "payload": {"modelId": ROOT}}).encode()
        self.at(0.2, ev.ModelResolved(ROOT, "models", DOCUMENTS))
        self.at(0.5, ev.ProvisioningConnected(DEVICE, "0ne1", "2019-03-31", "sdk", "mqtt", 60, 0))
        self.at(0.6, ev.RegistrationRequested(DEVICE, "1", body), ev.DeviceAssigned(DEVICE, "hub", DEVICE))
        fields: dict[str, Any] = {
            "device_id": DEVICE,
            "module_id": None,
            "return_code": 0,
            "model_id": ROOT,
            "api_version": "2021-04-12",
            "client_type": "acme-sdk/1.2(linux)",
            "keep_alive": 60,
            "clean_session": False,
            "session_present": False,
            "transport": "mqtt",
            "authentication": "sas",
            "raw_user_name": f"hub/{DEVICE}/?api-version=2021-04-12",
            "tls_version": "TLSv1.2",
        }
        self.at(0.9, ev.HubConnected(**{**fields, **more}))
        return self

    def telemetry(self, t: float, body: Any, component: str | None = None, **more: Any) -> int:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.at(t, ev.TelemetryReceived(DEVICE, None, component, raw, **more))

    def reported(self, t: float, patch: Any, status: int = 204) -> int:
        return self.at(t, ev.ReportedPatched(DEVICE, None, "1", json.dumps(patch).encode(), status, 2))

    def set(self, t: float, name: str, value: Any, version: int, answer: Any = None, purpose: str = "exercise") -> None:
        """A property set, with its answer (the whole reported value) 5 ms later where there is one."""
        after = len(self.entries)
        self.at(t, ev.DesiredChanged(DEVICE, None, version, {name: value}, True))
        if answer is not None:
            self.reported(t + 0.005, {name: answer})
        self.at(t + 0.01, ev.PropertyWritten(DEVICE, None, name, value, version, purpose, after=after))

    def invoked(self, t: float, name: str, payload: Any, status: int | None, answer: Any = None) -> None:
        """A command, with its answer 4 ms later; `status` None: it never came."""
        self.at(t, ev.CommandSent(DEVICE, None, name, payload, True, "exercise"))
        rid = str(len(self.entries))
        self.at(t + 0.001, ev.MethodRequested(DEVICE, None, rid, name, json.dumps(payload).encode()))
        if status is not None:
            self.at(t + 0.004, ev.MethodAnswered(DEVICE, None, rid, name, status, json.dumps(answer).encode()))
        returned: Any = (status, answer, "exercise", 0.005) if status is not None else (None, None, "exercise", 30.0)
        error: dict[str, Any] = (
            {} if status is not None else {"error_code": 504101, "error": "the device did not answer in time"}
        )
        self.at(t + 0.005, ev.CommandReturned(DEVICE, None, name, *returned, **error))

    def ended(self, t: float, reason: str = "window-elapsed", missing: tuple[str, ...] = ()) -> Tale:
        self.at(t, ev.ObservationEnded(reason, 20.0, missing), ev.ExerciseEnded(20.0))
        self.at(t + 0.1, ev.HubDisconnected(DEVICE, None, "device", "DISCONNECT"))
        return self


def good() -> Tale:
    """A pump that does everything right, with two minutes of telemetry and one gap in it."""
    stated: dict[str, Any] = {"telemetry": {"flow": {"minimum": 0.0, "maximum": 50.0, "interval": 1.0}}}
    tale = Tale().begun(device={"name": "Pump 7", "firmware": "4.5.6"}, **stated).connected()
    for i in range(60):
        tale.telemetry(2.0 + i + (5 if i > 30 else 0), {"flow": 20 + i % 7})
        tale.telemetry(2.1 + i, {"heat": 40.5}, "part1", system={"sub": "part1"})
    tale.reported(3.0, {"speed": {"value": 1, "ac": 203, "av": 0}, "hours": 12, "part1": {"__t": "c", "serial": "A"}})
    tale.set(4.0, "speed", 7, 2, {"value": 7, "ac": 200, "av": 2, "ad": "done"})
    tale.invoked(5.0, "prime", 3, 200, True)
    tale.invoked(6.0, "stop", None, 200)
    return tale.ended(70.0, "complete")


def bad() -> Tale:
    """A pump with a fault of every kind, and hostile words wherever a device may put its own."""
    tale = Tale().begun(device={"name": HOSTILE}, telemetry={"flow": {"minimum": 0.0, "maximum": 50.0}})
    tale.connected(client_type=HOSTILE)
    for i in range(40):
        tale.telemetry(2.0 + i / 10, {"flow": "wet" if i % 4 == 0 else 70 if i % 4 == 1 else i})
    tale.telemetry(7.0, {HOSTILE: 1, "flow": HOSTILE}, properties={HOSTILE: HOSTILE})
    tale.telemetry(7.1, b"\x00\xff\xfe" * 500)
    tale.telemetry(7.2, b'{"flow": NaN}')
    tale.telemetry(7.3, {"flow": "x" * 1_000_000})
    tale.set(8.0, "speed", 7, 2, {"value": HOSTILE, "ac": 500, "av": 2, "ad": HOSTILE})
    tale.set(8.5, "speed", 9, 3)
    tale.invoked(9.0, "prime", 3, 200, HOSTILE)
    tale.invoked(10.0, "stop", None, None)
    tale.at(11.0, ev.ProtocolViolation(DEVICE, None, HOSTILE, HOSTILE, True))
    return tale.ended(12.0, "window-elapsed", ("part1.heat",))


def tried() -> Tale:
    """A good pump that goes through a trial, and one that is cut short."""
    tale = good()
    tale.at(80.0, ev.TrialBegan("hub-cut", ({"at": "publish", "do": "cut"},)))
    tale.at(80.1, ev.FaultPlayed(DEVICE, "publish", "cut", 1), ev.HubDisconnected(DEVICE, None, "hub", "cut"))
    tale.telemetry(82.0, {"flow": 3})
    tale.at(82.1, ev.TrialEnded("hub-cut", "what was awaited", 2.1), ev.TrialBegan("dps-cut"))
    return tale


def blocked() -> Tale:
    """A device that never came."""
    tale = Tale().begun()
    tale.at(0.3, ev.DeviceStarted("pump --serve", 1))
    tale.at(60.3, ev.WaitEnded("the device to register with DPS", False, 60.0, 60.0, "nothing in time"))
    return tale


def interrupted() -> Tale:
    """A run that somebody ended."""
    tale = Tale().begun().connected()
    tale.telemetry(2.0, {"flow": 1})
    tale.at(3.0, ev.RunInterrupted("The run was interrupted from the keyboard or by a signal."))
    return tale


def replayed(tale: Tale, folder: Path) -> Run:
    """The tale as a run that is over and judged."""
    journal = folder / "told.jsonl"
    journal.write_text("\n".join(encode(e) for e in tale.entries) + "\n", encoding="utf-8", newline="\n")
    return judged_again(journal, folder / "reports")


def judged_again(journal: Path, reports: Path) -> Run:
    """A stored journal, judged."""
    settings = dataclasses.replace(Settings(), replay=journal, reports=reports, origins={"reports": "a test"})
    run = Run(settings, say=lambda text: None)
    run.begin()
    run.discover()
    run.finish(checks.cases(run.evidence, run.profile))
    run.folder.prepare(())
    return run


def summary_of(run: Run) -> dict[str, Any]:
    return result(run)

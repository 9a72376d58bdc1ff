"""Runs whose disk, folder, journal or life fails them: what can be saved is saved, and what is missing is said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.record import events as ev
from harness.record.journal import encode
from tests.plugin.conftest import PUMP, Outcome, Preflight
from tests.report.stories import HOSTILE, bad, good

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX limits and signals")
DEVICE = ("--dut", "preflight simulate", "--model-id", PUMP, "--profile", "smoke")


def run_within(preflight: Preflight, before: Callable[[], None], *arguments: str) -> Outcome:
    done = subprocess.run(
        preflight.command(*arguments),
        cwd=preflight.folder,
        env=preflight.environment,
        preexec_fn=before,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Outcome(done.returncode, done.stdout + done.stderr, preflight.folder / "reports")


@posix
def test_a_disk_that_is_full_costs_reports_and_no_verdict(preflight_in: Preflight) -> None:
    """A limit on the size of files stands for the disk: what is larger is refused by the system in the same way."""
    resource = pytest.importorskip("resource")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))

    bundle = preflight_in.folder / "b.zip"
    bundle.write_text("of an earlier run", encoding="utf-8")
    run = run_within(preflight_in, limit, *DEVICE, "--bundle", "b.zip", "-k", "telemetry")
    assert run.code == 0, run.terminal
    assert run.terminal.rstrip().splitlines()[-1] == "verdict: passed"
    faults = [line for line in run.terminal.splitlines() if line.startswith("reports: ")][1:]
    assert faults[0].startswith("reports: the end of journal.jsonl, ")
    assert "report.html could not be written to" in faults[0]
    assert faults[0].endswith("Free or name another folder with --reports DIR.")
    assert len(faults) == 2
    assert faults[1].startswith("reports: No bundle was made")
    assert not bundle.exists()
    assert {p.name for p in run.reports.iterdir()} <= {"journal.jsonl", "device.log", "result.json"}, "no half reports"
    assert run.journal[0]["kind"] == "run_started"  # every line of it is whole


def test_a_folder_that_cannot_be_is_replaced_and_that_is_said(preflight_in: Preflight, tmp_path: Path) -> None:
    (preflight_in.folder / "reports").write_text("in the way", encoding="utf-8")
    spare = tmp_path / "spare"
    spare.mkdir()
    journal = preflight_in.folder / "told.jsonl"
    journal.write_text("".join(encode(entry) + "\n" for entry in good().entries), encoding="utf-8")
    done = subprocess.run(
        preflight_in.command("--replay", "told.jsonl", "--reports", "reports", "-k", "telemetry"),
        cwd=preflight_in.folder,
        env={**preflight_in.environment, "TMPDIR": str(spare), "TEMP": str(spare), "TMP": str(spare)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    (place,) = spare.glob("preflight-reports-*")
    run = Outcome(done.returncode, done.stdout + done.stderr, place)
    assert run.result["verdict"].startswith("passed")
    assert f"reports: {place}\n" in run.terminal
    assert f"reports cannot be written: File exists. The reports are in {place}" in run.terminal


@posix
def test_a_folder_that_vanishes_during_the_run_comes_back_whole(preflight_in: Preflight) -> None:
    own = preflight_in.folder / "test_own.py"
    own.write_text("import shutil\ndef test_own(preflight):\n    shutil.rmtree('reports')\n", encoding="utf-8")
    run = preflight_in("--pyargs", "test_own.py", "harness.suite", *DEVICE, "-k", "own or telemetry")
    assert run.code == 0, run.terminal
    kinds = [row["kind"] for row in run.journal]
    assert (kinds[0], kinds[-1]) == ("run_started", "run_ended")
    assert [row["n"] for row in run.journal] == list(range(1, len(kinds) + 1))
    assert (run.reports / "device.log").stat().st_size > 0
    assert "could not be written" not in run.terminal


@posix
def test_a_run_that_is_killed_leaves_a_journal_to_judge(preflight_in: Preflight) -> None:
    import psutil

    from tests.plugin.test_usage import _device_pid, _wait_for

    (preflight_in.folder / "reports").mkdir()
    (preflight_in.folder / "reports" / "result.json").write_text("{}", encoding="utf-8")
    device = ("--dut", "preflight simulate --fault missing-telemetry=flow", "--model-id", PUMP, "--profile", "smoke")
    process = subprocess.Popen(
        preflight_in.command(*device),
        cwd=preflight_in.folder,
        env=preflight_in.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    journal = preflight_in.folder / "reports" / "journal.jsonl"
    try:
        _wait_for(journal, '"kind": "command_returned"', process)
        left = psutil.Process(_device_pid(journal))
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(30)
    for one in (*left.children(recursive=True), left):
        one.kill()
    assert {p.name for p in journal.parent.iterdir()} == {"journal.jsonl", "device.log"}, "a report of an earlier run"
    again = preflight_in("--replay", "reports/journal.jsonl", "--reports", "again")
    assert again.code == 1
    assert "recorded verdict: none. The recorded run did not end; it is judged up to entry" in again.terminal
    assert again.terminal.count("Traceback") == 0
    result = json.loads((preflight_in.folder / "again" / "result.json").read_text(encoding="utf-8"))
    outcomes = {case["id"]: case["outcome"] for case in result["cases"]}
    assert outcomes["registers_through_dps"] == "passed"
    assert "blocked" in outcomes.values()


def test_a_damaged_journal_of_a_newer_version_is_judged_as_far_as_it_goes(preflight_in: Preflight) -> None:
    lines = [encode(entry) for entry in good().entries]
    lines[0] = json.dumps({**json.loads(lines[0]), "journal": 9, "added": {"later": 1}})
    lines[40] = json.dumps({"n": 41, "t": 9.0, "kind": "quantum_telemetry", "payload": {"text": "{}"}})
    lines[41] = json.dumps({**json.loads(lines[41]), "payload": 5})
    lines[50:50] = ["x" * 1_000_000, "\x00\x01\x1b[31m", "", "null"]
    lines[-1] = lines[-1][:-20]
    (preflight_in.folder / "old.jsonl").write_text("\n".join(lines), encoding="utf-8")
    run = preflight_in("--replay", "old.jsonl", "--reports", "reports")
    assert run.code in (0, 1)
    assert "Traceback" not in run.terminal
    assert "\x1b[31m" not in run.terminal
    told = [line for line in run.terminal.splitlines() if line.startswith("journal: ")]
    assert "journal: line 41: unknown kind of event 'quantum_telemetry': the journal is of a newer version" in told[0]
    assert any("payload is not what it should be" in line for line in told)
    assert any("(the line is cut off: the run ended here)" in line for line in told)
    assert told[-1] == "journal: 2 entries are missing: what they would have shown was not judged"
    assert run.cases["telemetry[flow]"] in ("passed", "warning")
    assert ET.parse(run.reports / "junit.xml") is not None
    page = (run.reports / "report.html").read_text(encoding="utf-8")
    assert "2 entries are missing" in page


def test_what_is_no_journal_is_refused(preflight_in: Preflight) -> None:
    (preflight_in.folder / "it.jsonl").write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff" * 100)
    run = preflight_in("--replay", "it.jsonl")
    assert run.code == 4
    assert "it.jsonl is no journal of the pre-flight, or damaged from its beginning" in run.terminal
    assert "Traceback" not in run.terminal


def test_hostile_words_and_megabytes_are_inert_in_every_report(preflight_in: Preflight) -> None:
    tale = bad()
    tale.at(13.0, ev.HarnessFailed("x", HOSTILE), ev.DeviceExited(3, False, (HOSTILE, "::error::x", "##vso[task.x]")))
    journal = preflight_in.folder / "bad.jsonl"
    journal.write_text("".join(encode(entry) + "\n" for entry in tale.entries), encoding="utf-8")
    run = preflight_in("--replay", "bad.jsonl", "--reports", "reports", "-rA", "--junit-xml", "own.xml")
    assert run.code == 1
    printable = run.terminal.replace("\n", "")
    assert printable.isprintable(), sorted({c for c in printable if not c.isprintable()})
    assert not [line for line in run.terminal.splitlines() if line.lstrip().startswith("::") or "##vso[" in line]
    for name in ("reports/junit.xml", "own.xml"):
        assert ET.parse(preflight_in.folder / name).getroot() is not None
    json.loads((run.reports / "aics.json").read_text(encoding="utf-8"))
    assert run.result["verdict"] == "failed"
    assert len(run.terminal) < 200_000, "a megabyte of payload is quoted in part"

"""Wrong input gets a clear sentence and no traceback; an interrupted run loses nothing."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.plugin.conftest import PUMP, Outcome, Preflight


def test_a_wrong_option_is_a_usage_error(preflight_in: Preflight) -> None:
    run = preflight_in("--dut", "x", "--profile", "smoky")
    assert run.code == 4
    assert "did you mean `smoke`" in run.terminal
    assert "Traceback" not in run.terminal


@pytest.mark.parametrize("word", ["--modle-id", "--model_id", "--windw"])
def test_a_misspelt_option_is_told_the_right_one(preflight_in: Preflight, word: str) -> None:
    run = preflight_in(word, "5")
    assert run.code == 4
    assert "did you mean --" in run.terminal
    assert "Traceback" not in run.terminal


def test_an_unknown_key_in_the_file_is_a_usage_error(preflight_in: Preflight) -> None:
    (preflight_in.folder / "preflight.toml").write_text('dutt = "x"\n')
    run = preflight_in()
    assert run.code == 4
    assert "did you mean `dut`" in run.terminal
    assert "Traceback" not in run.terminal


def test_no_device_named(preflight_in: Preflight) -> None:
    run = preflight_in("--model-id", PUMP)
    assert run.code == 1
    assert "--dut COMMAND" in run.terminal
    assert "Traceback" not in run.terminal


def test_collecting_with_a_model_id_starts_no_device(preflight_in: Preflight) -> None:
    run = preflight_in("--dut", "no-such-program", "--model-id", PUMP, "--collect-only", "-q")
    assert run.code == 0
    assert "test_telemetry[part1.heat]" in run.terminal
    assert not run.reports.exists()


def test_only_what_is_selected_is_exercised(preflight_in: Preflight) -> None:
    run = preflight_in("--dut", "preflight simulate", "--model-id", PUMP, "-k", "prime")
    assert run.code == 0, run.terminal
    assert run.cases
    assert all(case.endswith("[prime]") for case in run.cases)
    assert {r["name"] for r in run.journal if r["kind"] == "command_sent"} == {"prime"}
    assert not [r for r in run.journal if r["kind"] == "property_written"]


def test_a_taken_port_says_by_whom_and_what_to_do(preflight_in: Preflight) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind((preflight_in.address, 8883))
        taken.listen()
        run = preflight_in("--dut", "preflight simulate", "--model-id", PUMP)
    assert run.code == 1
    assert "8883" in run.terminal
    assert str(os.getpid()) in run.terminal
    assert "--listen" in run.terminal
    assert "Traceback" not in run.terminal


@pytest.fixture
def heeded() -> Iterator[None]:
    """A shell lets what it runs in the background ignore Ctrl-C, and all that such a process starts ignores it too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
@pytest.mark.skipif(os.name != "posix", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_keeps_what_it_saw_and_stops_the_device(preflight_in: Preflight, number: int) -> None:
    import psutil

    arguments = ("--dut", "preflight simulate --fault missing-telemetry=flow", "--model-id", PUMP)
    process = subprocess.Popen(
        preflight_in.command(*arguments),
        cwd=preflight_in.folder,
        env=preflight_in.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    journal = preflight_in.folder / "reports" / "journal.jsonl"
    _wait_for(journal, '"kind": "command_returned"', process)
    device = psutil.Process(_device_pid(journal))
    process.send_signal(number)
    terminal, _ = process.communicate(timeout=30)
    run = Outcome(process.returncode, terminal, preflight_in.folder / "reports")
    assert run.code == 2, terminal
    assert run.result["verdict"] == "failed"
    assert run.cases["telemetry[strokes]"] == "passed"
    assert run.cases["telemetry[flow]"] == "blocked"
    assert "interrupted" in terminal
    assert not device.is_running()


def _wait_for(path: Path, text: str, process: subprocess.Popen[str]) -> None:
    """Until the growing file holds the text; a file has no event to wait for, so this looks once a tick."""
    import threading

    tick = threading.Event()
    for _ in range(600):
        if path.exists() and text in path.read_text(encoding="utf-8"):
            return
        assert process.poll() is None, process.stdout and process.stdout.read()
        tick.wait(0.05)
    raise AssertionError(f"{text} never came")


def _device_pid(journal: Path) -> int:
    import json

    rows = map(json.loads, journal.read_text(encoding="utf-8").splitlines())
    return next(int(row["pid"]) for row in rows if row["kind"] == "device_started")


def test_a_folder_named_as_an_option_is_not_taken_for_tests(preflight_in: Preflight) -> None:
    (preflight_in.folder / "pytest.ini").write_text("[pytest]\naddopts = -p no:randomly\ntestpaths = mine\n")
    mine = preflight_in.folder / "mine"
    mine.mkdir()
    (mine / "test_mine.py").write_text("def test_mine():\n    pass\n")
    (preflight_in.folder / "reports").mkdir()
    run = preflight_in("--reports", "reports", "--collect-only", "-q")
    assert run.code == 0, run.terminal
    assert "mine/test_mine.py::test_mine" in run.terminal
    assert "test_telemetry" not in run.terminal


def test_a_device_that_never_connects_is_waited_for_once(preflight_in: Preflight) -> None:
    run = preflight_in("--dut", "preflight simulate --fault silent --model-id x", "--connect-timeout", "2")
    assert run.code == 1
    assert len([r for r in run.journal if r["kind"] == "wait_ended"]) == 1


def test_tests_of_ones_own_get_no_verdict(preflight_in: Preflight) -> None:
    own = preflight_in.folder / "test_own.py"
    own.write_text("def test_own(hub, device_id):\n    assert hub.device_twin(device_id)['deviceId'] == device_id\n")
    run = preflight_in("test_own.py", "--dut", "preflight simulate", "--model-id", PUMP)
    assert run.code == 0, run.terminal
    assert "1 passed" in run.terminal
    assert "verdict" not in run.terminal

"""`preflight emulator` as a process, as a person and as a program meets it."""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.addresses import free_address

SCRIPT = """
import argparse, sys
from harness.cli.emulator import add_parser
parser = argparse.ArgumentParser()
add_parser(parser.add_subparsers())
args = parser.parse_args(["emulator", *sys.argv[1:]])
sys.exit(args.run(args))
"""
COMMAND = (sys.executable, "-c", SCRIPT)
DEADLINE = 20.0


class Running:
    """An emulator process, and the lines it writes."""

    def __init__(self, arguments: tuple[str, ...], folder: Path) -> None:
        self.process = subprocess.Popen(
            [*COMMAND, *arguments], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def line(self) -> str:
        line = self._lines.get(timeout=DEADLINE)
        assert line, self.process.communicate(timeout=DEADLINE)[1]
        return line

    def ready(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.line())
        return document

    def end(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(DEADLINE)


Launch = Callable[..., Running]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    started: list[Running] = []

    def begin(*arguments: str) -> Running:
        started.append(Running(arguments, tmp_path))
        return started[-1]

    yield begin
    for running in started:
        if running.process.poll() is None:
            running.process.kill()
        running.process.communicate()


def get(ready: dict[str, Any], path: str, method: str = "GET", body: bytes | None = None) -> Any:
    request = urllib.request.Request(ready["control"] + path, body, method=method)
    with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
        return json.loads(answer.read() or b"null")


def test_the_ready_line_as_json(launch: Launch, tmp_path: Path) -> None:
    address = free_address()
    running = launch("--json", "--host", address, "--enroll", "dev-1", "--device", "dev-2")
    ready = running.ready()
    assert ready["idScope"].startswith("0ne")
    assert (ready["dpsHost"], ready["hubHost"]) == (address, address)
    assert ready["hubConnectionString"].startswith(f"HostName={address}:")
    assert Path(ready["caPath"]) == tmp_path / ".preflight" / "ca" / "ca.pem"
    (enrollment,) = ready["enrollments"]
    assert enrollment["registrationId"] == "dev-1"
    assert enrollment["primaryKey"]
    assert ready["devices"][0]["connectionString"].startswith(f"HostName={address};DeviceId=dev-2;SharedAccessKey=")
    assert get(ready, "/status")["devices"] == 1
    assert running.end() == 0
    assert not (tmp_path / ".preflight" / "state.json").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process there")
def test_the_ready_text_and_ctrl_c(launch: Launch) -> None:
    running = launch("--host", free_address(), "--enroll", "dev-1")
    lines: list[str] = []
    while not lines or "Ctrl-C" not in lines[-1]:
        lines.append(running.line())
    text = "".join(lines)
    assert "are ready on 127." in text
    assert "IOTHUB_DEVICE_DPS_DEVICE_ID=dev-1" in text
    assert "trust this CA" in text
    assert running.end(signal.SIGINT) == 0


def test_without_https_it_says_why_and_what_to_do(launch: Launch) -> None:
    address = free_address()
    with socket.create_server((address, 0)) as other:
        port = other.getsockname()[1]
        arguments = ("--host", address, "--https-port", str(port))
        running = launch("--json", *arguments)
        ready = running.ready()
        assert running.end() == 0
        running = launch(*arguments)
        lines: list[str] = []
        while not lines or "Ctrl-C" not in lines[-1]:
            lines.append(running.line())
    assert ready["httpsPort"] is None
    assert f"port {port} on {address} is in use by python" in ready["httpsHint"]
    assert f"{ready['httpsHint']}\n" in lines


def test_state_that_outlives_the_process(launch: Launch, tmp_path: Path) -> None:
    arguments = ("--json", "--host", free_address(), "--state", "kept")
    running = launch(*arguments, "--enroll", "dev-1", "--device", "dev-2")
    first = running.ready()
    assert running.end() == 0
    file = tmp_path / "kept" / "state.json"
    if os.name == "posix":
        assert file.stat().st_mode & 0o077 == 0
        assert file.parent.stat().st_mode & 0o077 == 0
    again = launch(*arguments, "--enroll", "dev-1", "--device", "dev-2").ready()
    for name in ("idScope", "caPath", "enrollments", "devices"):
        assert again[name] == first[name]
    key = first["hubConnectionString"].rpartition("SharedAccessKey=")[2]
    assert again["hubConnectionString"].endswith(key)


def failed(launch: Launch, *arguments: str) -> tuple[int, str]:
    running = launch(*arguments)
    _, err = running.process.communicate(timeout=DEADLINE)
    assert "Traceback" not in err
    return running.process.returncode, err


def test_a_taken_port(launch: Launch) -> None:
    address = free_address()
    ready = launch("--json", "--host", address).ready()
    assert ready
    code, err = failed(launch, "--host", address)
    assert code == 1
    assert f"Port 8883 on {address} is in use by" in err
    port = ready["control"].rpartition(":")[2]
    code, err = failed(launch, "--host", free_address(), "--control-port", port)
    assert code == 1
    assert f"Port {port} on 127.0.0.1 is in use by" in err


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (("--host", "192.0.2.1"), 1, "not an address of this machine"),
        (("--host", "my-laptop"), 1, "not an IP address"),
        (("--faults", "none.toml"), 2, "none.toml cannot be read"),
        (("--faults", "plan.toml"), 2, "plan.toml, line 2: fault 1: unknown value of `at` 'regster'; did you mean"),
        (("--set", "retry_afte=3"), 2, "did you mean retry_after?"),
        (("--enroll", "-x-"), 1, "'-x-' is no id of an enrollment"),
        (("--state", "damaged"), 1, "cannot be used"),
    ],
)
def test_what_cannot_be(launch: Launch, tmp_path: Path, arguments: tuple[str, ...], code: int, sentence: str) -> None:
    (tmp_path / "plan.toml").write_text('\n[[fault]]\nat = "regster"\ndo = "cut"\n')
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "state.json").write_text('{"version": 1, "id_scope": "0ne1", "policies": {"$kind": "x"}}')
    address = () if "--host" in arguments else ("--host", free_address())
    # `--enroll=-x-`, for a value that begins with a dash.
    ended, err = failed(launch, *address, "=".join(arguments))
    assert ended == code
    assert sentence in err


def test_a_fault_plan_from_a_file_and_over_control(launch: Launch, tmp_path: Path) -> None:
    (tmp_path / "faults.toml").write_text('[[fault]]\nat = "register"\ndo = "error"\ncode = 429\n')
    ready = launch("--json", "--host", free_address(), "--faults", "faults.toml").ready()
    assert get(ready, "/faults") == {"fault": [{"at": "register", "do": "error", "code": 429}]}
    assert get(ready, "/faults", "DELETE") is None
    assert get(ready, "/faults") == {"fault": []}

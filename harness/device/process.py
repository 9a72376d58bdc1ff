"""A device under test as a process of this machine.

Its output goes to the device log line by line. Its standard input is a pipe that stays open, since samples
wait on it for a key. It runs in a process group of its own and ends with all it started.
"""

from __future__ import annotations

import collections
import contextlib
import os
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

from harness.device import DeviceError
from harness.device.credentials import PROOFS, Credentials, environment
from harness.record import events as ev
from harness.settings import SERVICE_SECRETS

_GRACE = 2.0
"""Seconds a device has to end after it was asked to."""
_LAST_LINES = 15


class ProcessDevice:
    """Runs a command line. `log` takes each line of output, `emit` what happens to the process."""

    def __init__(
        self,
        command: str,
        root: Path,
        model_id: str | None,
        models: Sequence[str],
        emit: Callable[[ev.Event], None],
        log: Callable[[str], None],
    ) -> None:
        self._command = command
        self._root = root
        self._emit = emit
        self._log = log
        self._model_id = model_id
        self._models = tuple(models)
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None
        self._stopping = False
        self._last: collections.deque[str] = collections.deque(maxlen=_LAST_LINES)

    def start(self, credentials: Credentials) -> None:
        env = {
            **{name: value for name, value in os.environ.items() if name not in PROOFS | SERVICE_SECRETS},
            **environment(credentials, self._model_id, self._models),
            "PYTHONUNBUFFERED": "1",
            # The programs installed beside this one (`preflight simulate`), also without an activated environment.
            "PATH": os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", os.defpath)]),
        }
        try:
            words = shlex.split(self._command, posix=os.name == "posix")
        except ValueError as e:
            raise DeviceError(f"The device command {self._command!r} cannot be read: {e}. Check its quotes.") from None
        if not words:
            raise DeviceError("The device command is empty. Name a program with --dut COMMAND.")
        try:
            self._process = subprocess.Popen(
                [_program(words[0], env["PATH"]), *words[1:]],
                cwd=self._root,
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                encoding="utf-8",
                errors="replace",
                start_new_session=os.name == "posix",
                creationflags=0 if os.name == "posix" else subprocess.CREATE_NEW_PROCESS_GROUP,  # type: ignore[attr-defined, unused-ignore]
            )
        except FileNotFoundError:
            raise DeviceError(
                f"The device command was not found: {words[0]}. Check --dut, or give the program's full path."
            ) from None
        except OSError as e:
            raise DeviceError(
                f"The device command could not be started: {words[0]}: {e.strerror or e}. Check --dut."
            ) from None
        self._emit(ev.DeviceStarted(command=self._command, pid=self._process.pid))
        self._reader = threading.Thread(target=self._read, name="device-output", daemon=True)
        self._reader.start()

    def stop(self) -> None:
        process = self._process
        if process is None or self._stopping:
            return
        self._stopping = True
        family = _family(process.pid)
        if process.stdin:
            with contextlib.suppress(OSError):
                process.stdin.close()
        _end(process, family)
        if self._reader:
            self._reader.join(_GRACE)

    def _read(self) -> None:
        process = self._process
        assert process is not None
        assert process.stdout is not None
        for line in process.stdout:
            text = line.rstrip("\r\n")
            self._last.append(text)
            self._log(text)
        code = process.wait()
        self._emit(ev.DeviceExited(code, self._stopping, () if self._stopping else tuple(self._last)))


def _program(word: str, path: str) -> str:
    """The program that a command's first word names; `python` is this interpreter where there is no other."""
    found = shutil.which(word, path=path)
    if found:
        return found
    return sys.executable if word in ("python", "python3") else word


def _family(pid: int) -> list[psutil.Process]:
    """What the process started, and what that started."""
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def _end(leader: subprocess.Popen[str], family: list[psutil.Process]) -> None:
    """Ask the whole family to end, once; make those that have not after a while."""
    _signal(leader, family, force=False)
    with contextlib.suppress(subprocess.TimeoutExpired):
        leader.wait(_GRACE)
    alive = [p for p in family if _alive(p)]
    if alive:
        _, alive = psutil.wait_procs(alive, timeout=_GRACE)
    if alive or leader.poll() is None:
        _signal(leader, alive, force=True)


def _signal(leader: subprocess.Popen[str], family: list[psutil.Process], *, force: bool) -> None:
    if os.name == "posix":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader.pid, signal.SIGKILL if force else signal.SIGTERM)
        # A child that made a session of its own is not in the group.
        family = [p for p in family if _group(p) != leader.pid]
    elif leader.poll() is None:
        leader.kill() if force else leader.terminate()
    for process in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill() if force else process.terminate()


def _alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _group(process: psutil.Process) -> int | None:
    try:
        return os.getpgid(process.pid)
    except (ProcessLookupError, PermissionError):
        return None

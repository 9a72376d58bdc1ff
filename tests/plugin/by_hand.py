"""The owner of a physical device, who reads its settings off the terminal, enters them and starts it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Mapping

from tests.plugin.conftest import MODELS, PUMP, Outcome, Preflight


def by_hand(preflight: Preflight, names: Mapping[str, str], *arguments: str) -> tuple[Outcome, dict[str, str]]:
    """A run of such a device, and its settings as they were printed. `names` are the variables they are entered in."""
    process = subprocess.Popen(
        preflight.command("--dut", "external", "--model-id", PUMP, "--connect-timeout", "30", *arguments),
        cwd=preflight.folder,
        env=preflight.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    assert process.stdout is not None
    printed: list[str] = []
    told: dict[str, str] = {}
    while len(told) < len(names) and (line := process.stdout.readline()):
        printed.append(line)
        name, _, value = line.strip().partition(":")
        if name in names:
            told[name] = value.strip()
    entered = {names[name]: value for name, value in told.items()}
    device = subprocess.Popen(
        [sys.executable, "-m", "harness", "simulate", "--model-id", PUMP, "--models", str(MODELS)],
        env={**preflight.environment, "IOTHUB_DEVICE_SECURITY_TYPE": "DPS", **entered},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    rest, _ = process.communicate()
    watchdog.cancel()
    device.terminate()
    device.wait(10)
    return Outcome(process.returncode, "".join(printed) + rest, preflight.folder / "reports"), told

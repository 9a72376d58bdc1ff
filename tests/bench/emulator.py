"""The emulator's speed beside Mosquitto's: the same clients, TLS, QoS 1, one after the other in one run.

    python -m tests.bench emulator
    BENCH_DEVICES=1000 python -m tests.bench emulator
    BENCH_PARTS=window BENCH_ROUNDS=9 python -m tests.bench emulator      of: idle stream window register fleet

The emulator checks every token; Mosquitto is asked to check nothing. Each server and each client is a process
of its own, so a figure needs two cores. `asking` is the emulator that asks for client certificates, `journal` the
one with a recorder that writes to a file, `alone` the one that keeps events for a control endpoint, as the command
`preflight emulator` does. A ratio is the median of those of the single rounds, in which the servers take turns.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from harness.emulator import certificates
from tests.addresses import free_address
from tests.bench._clients import PORT
from tests.paths import REPO

STREAM, WINDOW, SIZE = 100_000, 8_000, 128
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "3"))
PARTS = os.environ.get("BENCH_PARTS", "idle stream window register fleet").replace(",", " ").split()
IDLE = 1_000
DEVICES = int(os.environ.get("BENCH_DEVICES", "5000"))
EVERY, SECONDS = 5.0, 15.0
REGISTRATIONS, THREADS = 400, 60


@dataclass
class Running:
    """A server under load."""

    process: subprocess.Popen[str]
    server: dict[str, str]
    about: dict[str, Any] = field(default_factory=dict)

    def client(self, name: str, **settings: Any) -> dict[str, float]:
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench._clients", name, json.dumps({"server": self.server, **settings})],
            cwd=REPO,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(done.stderr[-2000:])
        found: dict[str, float] = json.loads(done.stdout)
        return found

    def idle(self, devices: int) -> tuple[float, float]:
        """Return connections a second, and KiB of RSS for each."""
        memory = psutil.Process(self.process.pid).memory_info
        before = memory().rss
        command = [sys.executable, "-m", "tests.bench._clients", "idle"]
        settings = json.dumps({"server": self.server, "devices": devices})
        with subprocess.Popen(
            [*command, settings], cwd=REPO, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as client:
            assert client.stdout is not None
            rate = json.loads(client.stdout.readline())["rate"]
            each = (memory().rss - before) / devices / 1024
            client.communicate("")
        return rate, each


@contextmanager
def emulator(
    state: Path,
    *,
    journal: Path | None = None,
    uvloop: bool = True,
    asks: bool = False,
    control: bool = False,
    devices: int = 1,
) -> Iterator[Running]:
    address = free_address()
    settings = {
        "address": address,
        "state": str(state),
        "devices": devices,
        "registrations": REGISTRATIONS,
        "journal": str(journal) if journal else None,
        "uvloop": uvloop,
        "asks": asks,
        "control": control,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench._server", json.dumps(settings)],
        cwd=REPO,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    about = json.loads(process.stdout.readline())
    running = Running(process, {"address": address, "ca": about["ca"], "key": about["key"]}, about)
    try:
        yield running
    finally:
        out, _ = process.communicate("")
        running.about.update(json.loads(out.splitlines()[-1]))


@contextmanager
def mosquitto(program: str, state: Path) -> Iterator[Running]:
    address = free_address()
    made = certificates.ensure(state, [address])
    folder = Path(tempfile.mkdtemp(dir=state))
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {PORT} {address}\nallow_anonymous true\npersistence false\nlog_type none\nset_tcp_nodelay true\n"
        f"cafile {made.ca}\ncertfile {made.server}\nkeyfile {made.server}\nuser root\n"
    )
    process = subprocess.Popen([program, "-c", str(config)], text=True)
    try:
        _wait_for(address)
        yield Running(process, {"address": address, "ca": str(made.ca)})
    finally:
        process.terminate()
        process.wait()


def _wait_for(address: str) -> None:
    import socket

    with socket.socket() as probe:
        probe.settimeout(10)
        while probe.connect_ex((address, PORT)):
            probe.close()
            return _wait_for(address)
    return None


def main() -> None:
    """Print every figure beside what is aimed at."""
    program = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        print("Mosquitto is not installed (apt-get install mosquitto): no ratios")
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder)
        with ExitStack() as stack:
            servers: dict[str, Running] = {}
            if program is not None:
                servers["mosquitto"] = stack.enter_context(mosquitto(program, state))
            uvloop = stack.enter_context(emulator(state, devices=IDLE))
            servers[uvloop.about["loop"]] = uvloop
            if "asyncio" not in servers:
                servers["asyncio"] = stack.enter_context(emulator(state, devices=IDLE, uvloop=False))
            servers["asking"] = stack.enter_context(emulator(state, devices=IDLE, asks=True))
            servers["journal"] = stack.enter_context(emulator(state, devices=IDLE, journal=state))
            servers["alone"] = stack.enter_context(emulator(state, devices=IDLE, control=True))
            _compare(servers)
            if "register" in PARTS:
                _registrations(uvloop)
        if "fleet" in PARTS:
            _fleet(state)


def _compare(servers: dict[str, Running]) -> None:
    """Let the servers take turns, several times: a busy machine is busy for all."""
    held = {name: running.idle(IDLE) for name, running in servers.items()} if "idle" in PARTS else {}
    rates: dict[str, dict[str, list[float]]] = {}
    for kind, count in (("stream", STREAM), ("window", WINDOW)):
        if kind in PARTS:
            rates[kind] = {name: [] for name in servers}
            for _ in range(ROUNDS):
                for name, running in servers.items():
                    rates[kind][name].append(running.client(kind, messages=count, size=SIZE)["rate"])
    for name in servers:
        print(f"  {name}")
        for kind, found in rates.items():
            own, beside = found[name], found.get("mosquitto")
            least = 0.8 if kind == "window" else 0.2 if name == "journal" else 1
            aim = "" if name == "mosquitto" else f"at least {least}"
            ratio = "" if name == "mosquitto" else _ratio(own, beside)
            _say(kind if kind == "stream" else "window 1", f"{max(own):,.0f} msg/s at best", ratio, aim)
        if name in held:
            connections, memory = held[name]
            _say("idle connection", f"{memory:.1f} KiB, {connections:,.0f} opened a second", "", "at most 45 KiB")


def _registrations(running: Running) -> None:
    about = running.about
    done = running.client("register", scope=about["scope"], keys=about["keys"], threads=THREADS)
    _say("DPS registrations", f"{done['rate']:,.0f} a minute", "", "at least 1,000")


def _fleet(state: Path) -> None:
    for journal in (None, state):
        with emulator(state, devices=DEVICES, journal=journal) as running:
            found = running.client("fleet", devices=DEVICES, every=EVERY, seconds=SECONDS, size=SIZE)
        missing = int(found["sent"]) - running.about["telemetry"]
        what = f"{DEVICES:,} devices, each every {EVERY:g} s{', journal on' if journal else ''}"
        times = (
            f"PUBACK ms p50 {found['p50']:.2f} p99 {found['p99']:.2f} p99.9 {found['p999']:.2f} max {found['max']:.1f}"
        )
        lost = f"{found['lost']:.0f} unacknowledged, {missing} not seen of {found['sent']:,.0f}"
        _say(what, f"{times}; {lost}", "", "p99 below 10 ms, none lost")


def _ratio(own: list[float], beside: list[float] | None) -> str:
    if not beside:
        return ""
    pairs = [a / b for a, b in zip(own, beside, strict=True)]
    return f"{statistics.median(pairs):.2f} × Mosquitto ({min(pairs):.2f} to {max(pairs):.2f})"


def _say(what: str, figure: str, ratio: str, aim: str) -> None:
    aimed = f"   (aim: {aim})" if aim else ""
    print(f"    {what}: {'  '.join(part for part in (figure, ratio) if part)}{aimed}", flush=True)


if __name__ == "__main__":
    main()

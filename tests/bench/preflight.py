"""The default run as a user starts it: how long it takes, and how soon after the last event it knew the verdict."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.paths import REPO

RUNS = 3
LIMIT = 12.0
"""Seconds that the default run may take on two cores."""
EFFICIENCY = 0.95


def main() -> None:
    """Print wall time and verdict efficiency of several runs, beside what is aimed at."""
    walls: list[float] = []
    efficiencies: list[float] = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as reports:
            began = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "pytest", "--reports", reports],
                cwd=REPO,
                capture_output=True,
                text=True,
                check=False,
            )
            walls.append(time.perf_counter() - began)
            if done.returncode:
                print(done.stdout[-2000:], done.stderr[-2000:])
                return
            timing = json.loads((Path(reports) / "result.json").read_text())["timing"]
        connected = timing["connected"]
        efficiencies.append((timing["last_required_event"] - connected) / (timing["judged"] - connected))
        print(f"  {walls[-1]:6.2f} s  efficiency {efficiencies[-1]:.3f}  {timing}")
    print(f"default run: median {statistics.median(walls):.2f} s of at most {LIMIT:.0f} s")
    print(f"verdict efficiency: median {statistics.median(efficiencies):.3f} of at least {EFFICIENCY}")


if __name__ == "__main__":
    main()

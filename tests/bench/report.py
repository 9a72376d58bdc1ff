"""Writing all reports of a run of 100,000 messages: seconds, memory, and the size of the page.

The run is judged from a journal in a process of its own, so that its peak memory is that of reading, judging and
writing. The aim: all reports within 10 s and 300 MB.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil

MESSAGES = 100_000
_STATUS = Path("/proc/self/status")
_CHILD = "from tests.bench.report import child; child()"


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        journal = Path(place) / "journal.jsonl"
        _write(journal)
        print(f"{MESSAGES:,} messages, a journal of {journal.stat().st_size / 1e6:.0f} MB")
        command = [sys.executable, "-c", _CHILD, str(journal), place]
        print(subprocess.run(command, check=True, capture_output=True, text=True).stdout, end="")


def _write(journal: Path) -> None:
    from harness.record.journal import encode
    from tests.report.stories import Tale

    tale = Tale().begun(telemetry={"flow": {"minimum": 0.0, "maximum": 95.0}}).connected()
    for i in range(MESSAGES // 2):
        tale.telemetry(2.0 + i / 100, {"flow": float(i % 97)}, system={"ct": "application/json", "ce": "utf-8"})
        tale.telemetry(2.005 + i / 100, {"heat": 40.5 + i % 5}, "part1", system={"ct": "application/json"})
    tale.ended(3.0 + MESSAGES / 200)
    with journal.open("w", encoding="utf-8") as file:
        file.writelines(encode(entry) + "\n" for entry in tale.entries)


def child() -> None:
    """Judge argv's journal, write its reports, and print what that took."""
    import time

    from harness.report import write_reports
    from harness.report.html.page import page
    from tests.report.stories import judged_again, summary_of

    journal, place = Path(sys.argv[1]), Path(sys.argv[2])
    run = judged_again(journal, place / "reports")
    judged = _peak()
    _forget_peak()
    before = psutil.Process().memory_info().rss / 1e6
    began = time.perf_counter()
    write_reports(run)
    took = time.perf_counter() - began
    after = _peak()
    began = time.perf_counter()
    page(run, summary_of(run))
    alone = time.perf_counter() - began
    size = (place / "reports" / "report.html").stat().st_size
    print(f"all reports {took:.2f} s (report.html {alone:.2f} s), report.html {size / 1e3:.0f} kB")
    print(f"peak while reading and judging {judged:.0f} MB, while writing the reports {after:.0f} MB: ", end="")
    print(f"{after - before:.0f} MB above the {before:.0f} MB that the judged run holds")
    for fault in run.folder.faults:
        print(fault)


def _peak() -> float:
    """Of this process since `_forget_peak`, in MB; elsewhere than on Linux what it holds now."""
    if _STATUS.exists():
        # Not getrusage: its maximum outlives exec, so that a child begins with that of its parent.
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024 / 1e6
    return float(psutil.Process().memory_info().rss) / 1e6


def _forget_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")

"""What writing the journal costs: of the default run and of one whose device floods, in CPU seconds of their process.

Measured from within, so that the figure does not depend on what else the machine does: seconds of CPU in encoding,
masking and writing entries, beside those of the whole run. The aim: less than 5 % of a run. A device that sends as fast
as it can has a run that is little else than messages; its share is printed to show where that leads.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.paths import REPO

LIMIT = 0.05
FLOOD = (
    "--dut",
    f'"{sys.executable}" "{REPO}/tests/run/odd.py" flooding',
    *("--models", f"{REPO}/tests/run/models", "--model-id", "dtmi:test:Plant;1", "-k", "telemetry"),
)


def main() -> None:
    """Print the share of the journal in each kind of run."""
    for name, arguments in (("default run", ()), ("flooding device", FLOOD)):
        with tempfile.TemporaryDirectory() as place:
            measured = Path(place) / "measured.json"
            command = [sys.executable, "-c", "from tests.bench.journal import child; child()", str(measured)]
            command += ["--reports", f"{place}/reports", "-q", "-p", "no:cacheprovider", *arguments]
            done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=False)
            if not measured.exists():
                print(done.stdout[-2000:], done.stderr[-2000:])
                return
            aim = f", at most {LIMIT:.0%}" if not arguments else ""
            print(f"  {name}{aim}: {_words(json.loads(measured.read_text(encoding='utf-8')))}")


def _words(found: dict[str, Any]) -> str:
    share = found["writing"] / found["run"]
    each = found["writing"] / max(1, found["entries"]) * 1e6
    return (
        f"{share:.2%} ({found['writing']:.3f} s of {found['run']:.2f} s CPU, "
        f"{found['entries']:,} entries, {each:.0f} µs each)"
    )


def child() -> None:
    """Run pytest with argv's arguments, and write what it measured to argv's first."""
    import pytest

    from harness.record import journal, writer

    spent = {"writing": 0.0, "entries": 0}

    def timed(function: Any, counts: int) -> Any:
        def call(*arguments: Any) -> Any:
            began = time.thread_time()
            try:
                return function(*arguments)
            finally:
                spent["writing"] += time.thread_time() - began
                spent["entries"] += counts

        return call

    encoder, lines = journal.SafeEncoder, writer.LineWriter
    encoder.__call__ = timed(encoder.__call__, 1)  # type: ignore[method-assign]
    lines.__call__ = timed(lines.__call__, 0)  # type: ignore[method-assign]
    began = time.process_time()
    pytest.main(sys.argv[2:])
    spent["run"] = time.process_time() - began
    Path(sys.argv[1]).write_text(json.dumps(spent), encoding="utf-8")

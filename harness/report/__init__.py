"""The reports of a run, all rendered from its record and its results."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.run import Run


def write_reports(run: Run) -> None:
    """Write every report into the run's report folder. What cannot be written is in `run.folder.faults`."""
    from harness.report.html import write_html
    from harness.report.junit import junit
    from harness.report.result import result

    summary = result(run)
    run.folder.prepare(())  # a replay has opened no record in it
    run.folder.write("result.json", json.dumps(summary, indent=2, ensure_ascii=False) + "\n")
    run.folder.write("junit.xml", junit(run, summary))
    write_html(run, summary)

"""The reports of a run, all rendered from its record and its results."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.run import Run


def write_reports(run: Run) -> None:
    """Write every report into the run's report folder. What cannot be written is in `run.folder.faults`."""
    from harness.report.aics import aics
    from harness.report.html.page import page
    from harness.report.junit import junit
    from harness.report.result import result

    summary = run.redactor.clean_value(result(run))
    run.folder.prepare(())  # a replay has opened no record in it
    run.folder.write("result.json", _json(summary))
    _write(run, "junit.xml", lambda: junit(run, summary))
    _write(run, "aics.json", lambda: _json(aics(run, summary)))
    _write(run, "report.html", lambda: page(run, summary))


def _write(run: Run, name: str, make: Callable[[], str]) -> None:
    """Write a report. Where it cannot be made, the others are not lost."""
    try:
        text = make()
    except Exception as e:
        fault = (
            f"{name} could not be made ({type(e).__name__}: {e}). The other reports are complete; please report this."
        )
        run.folder.faults.append(run.redactor.clean(fault))
        return
    run.folder.write(name, text)


def _json(document: Any) -> str:
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"

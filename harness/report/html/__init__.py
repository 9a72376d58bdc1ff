"""report.html: the run for people, in one file that needs nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.run import Run

NAME = "report.html"


def write_html(run: Run, summary: Mapping[str, Any]) -> None:
    """Write the page beside the other reports. Where it cannot be made, the run's other reports are not lost."""
    from harness.report.html.page import page

    try:
        text = page(run, summary)
    except Exception as e:
        fault = (
            f"{NAME} could not be made ({type(e).__name__}: {e}). The other reports are complete; please report this."
        )
        run.folder.faults.append(run.redactor.clean(fault))
        return
    run.folder.write(NAME, text)

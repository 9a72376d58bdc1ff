"""When things happened by the clock on the wall; a record counts seconds since its run began."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from harness.record import events as ev

if TYPE_CHECKING:
    from harness.run import Run


def moment(run: Run, seconds: float = 0.0) -> datetime.datetime | None:
    """So many seconds after the run began, in UTC; None where the record does not say when that was."""
    started = run.evidence.first(ev.RunStarted)
    if started is None:
        return None
    try:
        began = datetime.datetime.fromisoformat(started[1].started)
        known = began if began.tzinfo else began.replace(tzinfo=datetime.timezone.utc)
        return known.astimezone(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
    except (ValueError, OverflowError):
        return None

"""Several devices in one preflight.toml: which they are, and what their results say together.

A fleet has no machinery of its own: pytest-xdist or a CI system spreads the devices, each has a run and a report
folder like any single device, and what is here reads the settings before and adds up the results after.
"""

from __future__ import annotations

from harness.fleet.devices import Fleet, load_fleet
from harness.fleet.reading import MergeError, Report, read_reports
from harness.fleet.summary import Summary, summarize, table
from harness.fleet.terminal import say
from harness.fleet.writing import Conclusion, conclude, write

__all__ = [
    "Conclusion",
    "Fleet",
    "MergeError",
    "Report",
    "Summary",
    "conclude",
    "load_fleet",
    "read_reports",
    "say",
    "summarize",
    "table",
    "write",
]

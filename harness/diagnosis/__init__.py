"""The catalogue of error codes: what each means, why it comes, what a good device does, what its maker does next.

It imports nothing of the harness. A service is a table of its own (`dps`, `hub`, `central`, `upload`, `mqtt`); whoever
meets a new code adds a row there.
"""

from __future__ import annotations

from harness.diagnosis.catalogue import CATALOGUE
from harness.diagnosis.entry import SERVICE_NAMES, SERVICES, Entry, Family
from harness.diagnosis.families import FAMILIES
from harness.diagnosis.reading import Explanation, best_cited, cited, explain, lookup, quoted_remedy

__all__ = [
    "CATALOGUE",
    "FAMILIES",
    "SERVICES",
    "SERVICE_NAMES",
    "Entry",
    "Explanation",
    "Family",
    "best_cited",
    "cited",
    "explain",
    "lookup",
    "quoted_remedy",
]

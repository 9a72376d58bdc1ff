"""Which report of a property answers which desired change: devices report late, twice, all they have, or one behind."""

from __future__ import annotations

from harness.checks.envelope import IN_PROGRESS, answers, bare, code_of, is_own
from harness.checks.evidence import Evidence, Report
from harness.checks.sameness import same
from harness.record import events as ev


def acknowledgement(evidence: Evidence, path: str, after: int, version: int | None) -> Report | None:
    """The report that answers a write told after entry `after`: one with the right `av`, done before in progress;
    else the first of any kind before the property was written again.

    An `av` that is right only of a report that came after the next write is that of a device which is one version
    behind, where it answered this write with another. What was reported before and only comes again answers nothing.
    """
    told = evidence.reports.get(path, [])
    last = next((r for r in reversed(told) if r.n <= after), None)
    write = next((w for _, w in evidence.writes.get(path, []) if w.after == after), None)
    reports = [r for r in told if r.n > after and not _repeats(r, last, write)]
    until = next((w.after for _, w in evidence.writes.get(path, []) if w.after > after), None)
    exact = [r for r in reports if answers(r.value, version)]
    final = [r for r in exact if code_of(r.value) != IN_PROGRESS]
    before = [r for r in reports if until is None or r.n <= until]
    if exact and exact[0] not in before:
        wrong = [r for r in before if not is_own(r.value) and not _answers_earlier(evidence, path, after, r)]
        return wrong[0] if wrong else (final or exact)[0]
    candidates = final or exact or before
    return candidates[0] if candidates else None


def taken_up(evidence: Evidence, path: str, write: ev.PropertyWritten, since: int) -> Report | None:
    """The first report from entry `since` on whose version or value shows that the device knows of a write."""
    return next(
        (
            r
            for r in evidence.reports.get(path, [])
            if r.n >= max(since, write.after)
            and (answers(r.value, write.version) or (not is_own(r.value) and same(bare(r.value), write.value)))
        ),
        None,
    )


def _repeats(report: Report, last: Report | None, write: ev.PropertyWritten | None) -> bool:
    """Whether a device that tells all it has from time to time tells what it told last before this write."""
    if last is None or write is None or write.purpose == "negative" or report.value != last.value:
        return False
    return not answers(report.value, write.version) and not same(bare(report.value), write.value)


def _answers_earlier(evidence: Evidence, path: str, after: int, report: Report) -> bool:
    """Whether the report is the right answer to an earlier write, come late."""
    earlier = [w for _, w in evidence.writes.get(path, []) if w.after < after]
    return any(answers(report.value, w.version) and same(report.value.get("value"), w.value) for w in earlier)


def settles(report: Report | None, version: int | None) -> bool:
    """True when no better answer is to be waited for."""
    return report is not None and answers(report.value, version) and code_of(report.value) != IN_PROGRESS

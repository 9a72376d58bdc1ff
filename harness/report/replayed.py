"""What a recorded run was judged to be then, and what differs by today's rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.verdict import Verdict

if TYPE_CHECKING:
    from harness.run import Run


def against_the_record(run: Run, verdict: Verdict) -> list[str]:
    """Lines for the terminal: the recorded verdict, and each case whose outcome is another one today."""
    recorded = run.recorded
    if recorded is None:
        last = run.evidence.last
        end = f"entry {last.n}, {last.t:.1f} s after its start" if last else "its first line"
        return [f"recorded verdict: none. The recorded run did not end; it is judged up to {end}."]
    same = "the same as today's" if recorded.verdict == verdict.value else "today's is another one"
    lines = [f"recorded verdict: {recorded.verdict.replace('-', ' ')} ({same})"]
    now = {r.case: r.outcome.value for r in run.results.values()}
    for case in dict.fromkeys((*recorded.cases, *now)):
        before, after = recorded.cases.get(case, "not judged"), now.get(case, "not judged")
        if recorded.cases and before != after:
            lines.append(f"  {case}: {before} then, {after} now")
    return lines

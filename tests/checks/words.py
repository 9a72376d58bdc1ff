"""What tests say of a judgement."""

from __future__ import annotations

from harness.verdict import CaseResult


def codes(result: CaseResult) -> list[str]:
    """The codes of its findings, each with its severity: `warning ack-code`."""
    return [f"{f.severity.value} {f.code}" for f in result.findings]

"""How outcomes add up."""

from __future__ import annotations

import pytest

from harness.verdict import CaseResult, Finding, Outcome, Severity, Verdict, by_requirement, outcome_of, roll_up


def results(*outcomes: Outcome) -> list[CaseResult]:
    return [CaseResult(f"case{i}", f"R{i % 2}", "", outcome) for i, outcome in enumerate(outcomes)]


O = Outcome  # noqa: E741


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        ((O.PASSED,), Verdict.PASSED),
        ((O.PASSED, O.NOT_OBSERVABLE), Verdict.PASSED),
        ((O.PASSED, O.WARNING), Verdict.WARNINGS),
        ((O.WARNING, O.FAILED), Verdict.FAILED),
        ((O.PASSED, O.BLOCKED), Verdict.FAILED),
        ((O.PASSED, O.ERROR), Verdict.FAILED),
        ((), Verdict.FAILED),
        ((O.NOT_OBSERVABLE,), Verdict.FAILED),
    ],
)
def test_roll_up(outcomes: tuple[Outcome, ...], verdict: Verdict) -> None:
    assert roll_up(results(*outcomes)) is verdict


def test_a_requirement_is_as_good_as_its_worst_case() -> None:
    assert by_requirement(results(O.PASSED, O.PASSED, O.WARNING, O.PASSED)) == {"R0": O.WARNING, "R1": O.PASSED}


def test_findings_make_the_outcome() -> None:
    def found(*severities: Severity) -> Outcome:
        return outcome_of(Finding("c", s, "R", "", "") for s in severities)

    assert found() is O.PASSED
    assert found(Severity.INFO) is O.PASSED
    assert found(Severity.INFO, Severity.WARNING) is O.WARNING
    assert found(Severity.WARNING, Severity.ERROR) is O.FAILED

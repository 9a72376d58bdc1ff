"""Commands: each declared one is answered with a success status and a valid response."""

from __future__ import annotations

import json

from harness.checks import requirements
from harness.checks.evidence import Evidence
from harness.checks.registry import Blocked, Findings, check, finding
from harness.dtdl import Capability, check_value
from harness.verdict import Severity

_NO_HANDLER = 404103
_TIMED_OUT = 504101


@check(requirements.DIRECT_METHODS, over="command")
def command(evidence: Evidence, capability: Capability) -> Findings:
    """A valid request is answered with a success status and, where one is declared, a valid response."""
    path = capability.path
    returns = [(n, r) for n, r in evidence.returns.get(path, []) if r.purpose == "exercise"]
    if not returns:
        raise Blocked(f"The run ended before command {path} was answered.")
    n, answer = returns[-1]
    if answer.status is None:
        yield finding(
            requirements.DIRECT_METHODS,
            "command-not-answered",
            f"Command {path} got no answer from the device: {answer.error}",
            element=path,
            expected="an answer",
            actual=f"{answer.error_code or 'no code'} after {answer.seconds:.0f} s",
            events=(n,),
            remedy=_remedy(answer.error_code, capability),
        )
        return n
    if not 200 <= answer.status < 300:
        yield finding(
            requirements.DIRECT_METHODS,
            "command-status",
            f"Command {path} was answered with status {answer.status} to a valid request.",
            element=path,
            expected="a status from 200 to 299",
            actual=f"{answer.status} {_shown(answer.payload)}",
            events=(n,),
            remedy=_remedy(_NO_HANDLER if answer.status == 404 else None, capability),
        )
        return n
    response = capability.response
    if response is None or response.schema is None:
        if answer.payload not in (None, "", {}):
            yield finding(
                requirements.DIRECT_METHODS,
                "command-response-undeclared",
                f"Command {path} declares no response, but the device sent one.",
                severity=Severity.INFO,
                element=path,
                expected="an empty response",
                actual=_shown(answer.payload),
                events=(n,),
                remedy="Declare the response in the model, or answer with an empty payload.",
            )
        return n
    for problem in check_value(response.schema, answer.payload)[:1]:
        yield finding(
            requirements.DIRECT_METHODS,
            "command-response-invalid",
            f"The response of command {path} does not fit its schema. {problem.message}",
            element=path,
            expected=problem.expected,
            actual=problem.actual,
            events=(n,),
            remedy="Answer with the bare value of the response schema, as JSON and not as a string that holds JSON.",
        )
    return n


def _remedy(code: int | None, capability: Capability) -> str:
    name = f"{capability.component}*{capability.name}" if capability.component else capability.name
    if code == _NO_HANDLER:
        return f"Subscribe to direct methods before anything else and handle the method `{name}`."
    if code == _TIMED_OUT:
        return "Answer every method request within its time-out, also those of components."
    return f"Handle the method `{name}` and answer with status 200."


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 200 else text[:197] + "..."

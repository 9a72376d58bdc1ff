"""Commands: each declared one is answered with a success status and a valid response."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from harness.checks import requirements
from harness.checks.disruptive import COMING_BACK, is_disruptive, restarts
from harness.checks.dying import how_it_ended, lost
from harness.checks.evidence import Evidence
from harness.checks.limits import cut_short, too_late
from harness.checks.registry import Blocked, Findings, NotChosen, check, finding
from harness.checks.sameness import same
from harness.checks.seeing import service_failed
from harness.checks.values import hint, shown
from harness.dtdl import Capability, check_value, decode
from harness.expectations import ABSENT, When
from harness.record import events as ev
from harness.verdict import Finding, Severity

UNKNOWN_COMMAND = "preflightUnknownCommand"
"""A method that no model has."""

NO_HANDLER, TIMED_OUT = 404103, 504101
"""Error codes of IoT Hub for a direct method: nobody subscribed to it, and no answer in time."""

NOT_REQUIRED = " It is not required, as is stated."

_NO_JSON = {"encoding", "byteOrderMark", "syntax", "nonFinite"}
"""What keeps bytes from being JSON; a name that comes twice does not."""
_IN_PROGRESS = 202


@check(requirements.DIRECT_METHODS, over="command")
def command(evidence: Evidence, capability: Capability) -> Findings:
    """A valid request is answered with a success status and, where one is declared, a valid response."""
    path = capability.path
    if evidence.expectations.command(path).when is When.NEVER:
        raise NotChosen(f"Command {path} is never invoked, as preflight.toml (when = never) says.")
    returns = [(n, r) for n, r in evidence.returns.get(path, []) if r.purpose == "exercise"]
    if not returns:
        raise Blocked(_why_not_invoked(evidence, path))
    n, answer = returns[-1]
    found = list(_judged(evidence, capability, n, answer))
    yield from found
    if restarts(evidence, capability) and all(f.severity is Severity.INFO for f in found):
        yield from _comes_back(evidence, capability)
        return max([n, *(at for at, _ in evidence.links)])
    return n


@check(requirements.DIRECT_METHODS, over="command", profile="standard")
def command_again(evidence: Evidence, capability: Capability) -> Findings:
    """The same request is answered as well at the end of the run, after everything else."""
    path = capability.path
    if is_disruptive(evidence, capability):
        raise NotChosen(f"Command {path} disturbs the device, so it is invoked once.")
    first = [(n, r) for n, r in evidence.returns.get(path, []) if r.purpose == "exercise"]
    again = [(n, r) for n, r in evidence.returns.get(path, []) if r.purpose == "again"]
    if not again:
        if first and first[-1][1].status is None:
            why = f"Command {path} was not answered the first time."
            raise Blocked(why) if evidence.expectations.command(path).required else NotChosen(why + NOT_REQUIRED)
        raise Blocked(_why_not_invoked(evidence, path))
    n, answer = again[-1]
    known = list(_judged(evidence, capability, *first[-1]))
    if any(f.severity is not Severity.INFO for f in known):
        return n  # what was wrong the first time is found there
    if answer.status is None and any(r.purpose == "negative" for _, r in evidence.returns[path]):
        raise Blocked(f"Command {path} was answered no more after an invalid request: rejects_invalid_request[{path}].")
    for wrong in _judged(evidence, capability, n, answer):
        if wrong.code in {f.code for f in known}:
            continue
        yield replace(wrong, message=f"At the end of the run, though not at first: {wrong.message}")
    return n


@check(requirements.CONVENTIONS, profile="standard")
def unknown_command(evidence: Evidence) -> Findings:
    """A command that the model does not declare is answered with an error status."""
    returns = evidence.returns.get(UNKNOWN_COMMAND, [])
    if not returns:
        raise Blocked(_why_not_invoked(evidence, UNKNOWN_COMMAND))
    n, answer = returns[-1]
    if answer.status is not None and answer.status >= 400:
        return n
    if (
        answer.status is None
        and answer.error_code == NO_HANDLER
        and not any(c.kind == "command" for c in evidence.capabilities)
    ):
        return n  # a device without commands need not subscribe to any
    if answer.status is None:
        if service_failed(answer.error, answer.error_code):
            raise Blocked(f"The unknown command could not be sent: {answer.error}")
        if not evidence.online_at(n - 1):
            raise Blocked("The device was not connected when the unknown command was sent.")
        yield finding(
            requirements.CONVENTIONS,
            "unknown-command-not-answered",
            "A command that the model does not declare got no answer, so its caller waits for the time-out.",
            severity=Severity.WARNING,
            expected="an error status, by convention 404",
            actual=f"{answer.error_code or 'no code'} after {answer.seconds:.0f} s",
            events=(n,),
            remedy="Answer every method request; those of unknown names with status 404.",
        )
        return n
    yield finding(
        requirements.CONVENTIONS,
        "unknown-command-accepted",
        f"A command that the model does not declare was answered with status {answer.status}.",
        severity=Severity.WARNING,
        expected="an error status, by convention 404",
        actual=f"{answer.status} {shown(answer.payload)}",
        events=(n,),
        remedy="Answer method requests of unknown names with status 404.",
    )
    return n


def _judged(evidence: Evidence, capability: Capability, n: int, answer: ev.CommandReturned) -> Iterator[Finding]:
    if answer.status is None:
        yield _unanswered(evidence, capability, n, answer)
        return
    late = too_late(evidence, capability, n, answer)
    if late is not None:
        yield late
    stated = evidence.expectations.command(capability.path)
    right = answer.status in stated.statuses if stated.statuses else 200 <= answer.status < 300
    if not right:
        yield _wrong_status(capability, n, answer, stated.statuses)
        return
    malformed = _malformed(evidence, capability, n, answer)
    if malformed is not None:
        yield malformed
        return
    if answer.status >= 300:
        return  # an error that the maker states: its payload is no response
    yield from _response(capability, n, answer)
    if stated.response is not ABSENT and not same(answer.payload, stated.response):
        yield finding(
            requirements.DIRECT_METHODS,
            "command-response-unexpected",
            f"The response of command {capability.path} is not the one that is stated.",
            element=capability.path,
            expected=shown(stated.response),
            actual=shown(answer.payload),
            events=(n,),
            remedy="Correct the device, or the response that is stated.",
        )


def _unanswered(evidence: Evidence, capability: Capability, n: int, answer: ev.CommandReturned) -> Finding:
    path = capability.path
    if service_failed(answer.error, answer.error_code):
        raise Blocked(f"Command {path} could not be invoked: {answer.error}")
    sent = max((at for at in evidence.commands_sent.get(path, []) if at < n), default=n)
    if evidence.away_between(sent, n) is not None:
        return finding(
            requirements.DIRECT_METHODS,
            "command-disconnected",
            f"Command {path} got no answer.{how_it_ended(evidence, ' while it was under way')}",
            element=path,
            expected="an answer",
            actual=f"the connection ended after {answer.seconds:.0f} s at most",
            events=tuple(filter(None, (sent, evidence.away_between(sent, n), n))),
            remedy="Answer first and then act: a device that restarts sends its response before it goes.",
        )
    if evidence.links and not evidence.online_at(sent):
        raise Blocked(f"The device was not connected when command {path} was sent.")
    restarted = "" if evidence.shows("wire") else _may_be_away(evidence, sent)
    if restarted and answer.error_code in (NO_HANDLER, TIMED_OUT):
        raise Blocked(
            f"Whether the device was back from command {restarted} was not seen when command {path} was sent."
        )
    codes = {NO_HANDLER: "command-no-handler", TIMED_OUT: "command-timed-out"}
    more = cut_short(evidence, path) if answer.error_code == TIMED_OUT else ""
    return finding(
        requirements.DIRECT_METHODS,
        codes.get(answer.error_code or 0, "command-not-answered"),
        f"Command {path} got no answer from the device: {answer.error}{more}",
        severity=Severity.ERROR if evidence.expectations.command(path).required else Severity.WARNING,
        element=path,
        expected="an answer",
        actual=f"{answer.error_code or 'no code'} after {answer.seconds:.0f} s",
        events=(n,),
        remedy=_remedy(answer.error_code, capability),
    )


def _wrong_status(capability: Capability, n: int, answer: ev.CommandReturned, stated: tuple[int, ...]) -> Finding:
    path = capability.path
    return finding(
        requirements.DIRECT_METHODS,
        "command-status",
        f"Command {path} was answered with status {answer.status} to a valid request.",
        element=path,
        expected=f"status {' or '.join(map(str, stated))}" if stated else "a status from 200 to 299",
        actual=f"{answer.status} {shown(answer.payload)}",
        events=(n,),
        remedy=_remedy(NO_HANDLER if answer.status == 404 else None, capability),
    )


def _malformed(evidence: Evidence, capability: Capability, n: int, answer: ev.CommandReturned) -> Finding | None:
    """What is wrong with the bytes of the answer, where the target shows them: it hands on a string in their place."""
    path = capability.path
    sent = max((at for at in evidence.commands_sent.get(path, []) if at < n), default=n)
    seen = [
        (at, e)
        for at, e in evidence.of(ev.MethodAnswered)
        if sent < at < n and e.name == _method(capability) and e.status == answer.status and not e.late
    ]
    if not seen or not seen[-1][1].payload.strip():
        return None
    at, answered = seen[-1]
    problems = [p for p in decode(answered.payload).problems if p.code in _NO_JSON]
    if not problems:
        return None
    return finding(
        requirements.DIRECT_METHODS,
        "command-response-no-json",
        f"The answer to command {path} is no JSON. {problems[0].message}",
        element=path,
        expected="JSON, or nothing",
        actual=answered.payload[:200].decode("utf-8", "replace"),
        events=(at, n),
        remedy="Answer with the JSON form of the response, a string in quotes, or with an empty payload.",
    )


def _response(capability: Capability, n: int, answer: ev.CommandReturned) -> Iterator[Finding]:
    path, response = capability.path, capability.response
    if answer.status == _IN_PROGRESS and answer.payload in (None, "", {}):
        return  # long-running: the result comes later, as a property with the command's name
    if response is None or response.schema is None:
        if answer.payload not in (None, "", {}):
            yield finding(
                requirements.DIRECT_METHODS,
                "command-response-undeclared",
                f"Command {path} declares no response, but the device sent one.",
                severity=Severity.INFO,
                element=path,
                expected="an empty response",
                actual=shown(answer.payload),
                events=(n,),
                remedy="Declare the response in the model, or answer with an empty payload.",
            )
        return
    for problem in check_value(response, answer.payload)[:1]:
        yield finding(
            requirements.DIRECT_METHODS,
            "command-response-invalid",
            f"The response of command {path} does not fit its schema. {problem.message}"
            f"{hint(response, answer.payload)}",
            element=path,
            expected=problem.expected,
            actual=problem.actual,
            events=(n,),
            remedy="Answer with the bare value of the response schema, as JSON and not as a string that holds JSON.",
        )


def _comes_back(evidence: Evidence, capability: Capability) -> Iterator[Finding]:
    sent = evidence.commands_sent.get(capability.path, [])
    if not evidence.shows("wire"):
        silent = _not_heard_of(evidence, [capability])
        if silent:
            raise Blocked(silent)
        return
    went = _gone_for_good(evidence, capability, sent[-1]) if sent else None
    if went is not None:
        yield finding(
            requirements.DIRECT_METHODS,
            "command-no-return",
            f"The device went away after command {capability.path} and did not come back.",
            element=capability.path,
            expected="a new connection to the hub",
            actual="none in time",
            events=(sent[-1], went),
            remedy="Connect again after a restart; if it takes longer, raise --connect-timeout. A command that ends "
            'the device for good belongs left out: state when = "never" for it.',
        )


def _gone_for_good(evidence: Evidence, capability: Capability, sent: int) -> int | None:
    """The entry with which the device was gone after entry `sent`: its connection ended, or nothing was heard of it."""
    away = evidence.away_between(sent, evidence.last.n if evidence.last else sent)
    if away is not None:
        return away if away == evidence.lost else None
    waited_for = COMING_BACK.format(capability.path)
    waits = ((n, e) for n, e in evidence.of(ev.WaitEnded) if e.waited_for == waited_for)
    return next((n for n, e in waits if not e.satisfied), None)


def _not_heard_of(evidence: Evidence, restarting: Iterable[Capability]) -> str:
    """A sentence where nothing was heard of the device after one of these commands, as far as the target shows it."""
    asked = {COMING_BACK.format(c.path): c.path for c in restarting}
    for _, wait in evidence.of(ev.WaitEnded):
        if wait.waited_for in asked and not wait.satisfied:
            return (
                f"No sign of life of the device came in {wait.deadline:g} s after command {asked[wait.waited_for]}. "
                "If it takes longer to start, raise --connect-timeout."
            )
    return ""


def _may_be_away(evidence: Evidence, sent: int) -> str:
    """The path of a command that may have restarted the device before entry `sent`, where its return was not seen."""
    seen = {wait.waited_for for _, wait in evidence.of(ev.WaitEnded) if wait.satisfied}
    for path, numbers in evidence.commands_sent.items():
        capability = evidence.by_path.get(path)
        if capability is None or numbers[0] >= sent or COMING_BACK.format(path) in seen:
            continue
        if restarts(evidence, capability):
            return path
    return ""


def _why_not_invoked(evidence: Evidence, path: str) -> str:
    if not evidence.shows("wire"):
        silent = _not_heard_of(evidence, (c for c in evidence.capabilities if c.kind == "command"))
        if silent:
            return silent
    if evidence.lost is not None:
        return lost(evidence, f"command {path} could be invoked")
    return f"The run ended before command {path} was answered."


def _remedy(code: int | None, capability: Capability) -> str:
    name = _method(capability)
    if code == NO_HANDLER:
        return f"Subscribe to direct methods before anything else and handle the method `{name}`."
    if code == TIMED_OUT:
        return "Answer every method request within its time-out, also those of components."
    return f"Handle the method `{name}` and answer with status 200."


def _method(capability: Capability) -> str:
    """The name of the direct method."""
    return f"{capability.component}*{capability.name}" if capability.component else capability.name

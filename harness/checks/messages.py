"""How telemetry is carried: by component, one object a message, with content type and encoding, at a bearable rate."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator

from harness.checks import requirements
from harness.checks.evidence import Evidence
from harness.checks.registry import Findings, NotObservable, check, finding
from harness.record import events as ev
from harness.verdict import Finding, Severity

_AT_MOST = 10
"""Entries that one finding names."""

FLOOD, TORRENT = 100, 1000
"""Messages in a second: what one unit of IoT Hub (S1) takes of all devices together. More than the second number within
ten is a torrent: no burst then, but all that the unit takes and more."""
_TORRENT_SECONDS = 10.0

_LEGAL = re.compile(r"[A-Za-z_](?:[A-Za-z0-9_]{0,62}[A-Za-z0-9])?")
_UTF_8 = ("utf-8", "utf8")  # the C SDK writes the latter
_JSON = "application/json"


@check(requirements.CONVENTIONS)
def telemetry_by_component(evidence: Evidence) -> Findings:
    """Telemetry of a component names it in the message property `$.sub`, and nowhere else."""
    for component, numbers in list(evidence.nested.items()):
        yield finding(
            requirements.CONVENTIONS,
            "telemetry-nested",
            f"The device sends component {component} inside the body of its messages.",
            element=component,
            expected=f"a message of the bare values with the property $.sub={component}",
            actual=f"{len(numbers)} messages with an object {component} in their body",
            events=tuple(numbers[:_AT_MOST]),
            remedy="Send one message for each component; markers and component names belong to properties only.",
        )
    unknown: dict[str, list[int]] = {}
    for path, numbers in list(evidence.stray_telemetry.items()):
        of, _ = evidence.as_sent(path)
        if of and of not in evidence.components:
            unknown.setdefault(of, []).extend(numbers)
    for component, numbers in unknown.items():
        yield finding(
            requirements.CONVENTIONS,
            "telemetry-of-unknown-component",
            f"The device sends telemetry of component {component}, which its model does not have.",
            severity=Severity.WARNING,
            element=component,
            expected=f"one of {', '.join(sorted(evidence.components))}" if evidence.components else "no component",
            actual=component,
            events=tuple(sorted(set(numbers))[:_AT_MOST]),
            remedy="Give $.sub the name of the component as the model declares it, in the same letters.",
        )
    return None


@check(requirements.CONVENTIONS, stage=2)
def one_object_a_message(evidence: Evidence) -> Findings:
    """A message holds one object, not an array of them."""
    if evidence.batches:
        yield finding(
            requirements.CONVENTIONS,
            "telemetry-batched",
            "The device sends arrays of objects. IoT Central takes them apart; the conventions do not know them.",
            severity=Severity.WARNING,
            expected="one JSON object a message",
            actual=f"{len(evidence.batches)} messages with an array",
            events=tuple(evidence.batches[:_AT_MOST]),
            remedy="Send each object as a message of its own.",
        )
    return None


@check(requirements.CONVENTIONS, stage=2)
def messages_name_their_content(evidence: Evidence) -> Findings:
    """Messages name content type and encoding, without which the hub's readers get the body in base64."""
    found: dict[str, list[tuple[int, str]]] = {}
    messages = [
        (n, e) for n, e in evidence.of(ev.TelemetryReceived) if e.properties.get("iothub-MessageType") != "Will"
    ]
    if not messages:
        raise NotObservable("No message of the device was seen.")
    for n, message in messages:
        for code, actual in _content(message.content_type, message.content_encoding):
            found.setdefault(code, []).append((n, actual))
    for code, seen in found.items():
        sentence, expected, key = _CONTENT[code]
        yield finding(
            requirements.CONVENTIONS,
            code,
            f"{len(seen)} messages {sentence}{f' {seen[0][1]}' if seen[0][1] else ''}.",
            severity=Severity.WARNING,
            expected=expected,
            actual=seen[0][1] or "none",
            events=tuple(n for n, _ in seen[:_AT_MOST]),
            remedy=f"Set {key} of every message, so that routing queries and IoT Central can read its body.",
        )
    return None


_CONTENT = {
    "content-type-missing": ("name no content type", _JSON, "the content type ($.ct = application/json)"),
    "content-type-mismatch": ("name the content type", _JSON, "the content type ($.ct = application/json)"),
    "encoding-missing": ("name no content encoding", "utf-8", "the content encoding ($.ce = utf-8)"),
    "encoding-unsupported": ("name the content encoding", "utf-8", "the content encoding ($.ce = utf-8)"),
}


def _content(content_type: str | None, encoding: str | None) -> Iterator[tuple[str, str]]:
    """Codes with what was found. Parameters of the type and upper case are no fault (RFC 9110, 8.3.1)."""
    essence, _, parameters = (content_type or "").partition(";")
    charset = re.search(r"charset\s*=\s*\"?([^\s\";]+)", parameters, re.IGNORECASE)
    if not essence.strip():
        yield "content-type-missing", ""
    elif essence.strip().lower() != _JSON:
        yield "content-type-mismatch", content_type or ""
    if encoding:
        if encoding.strip().lower() not in _UTF_8:
            yield "encoding-unsupported", encoding
    elif charset is None:
        yield "encoding-missing", ""
    elif charset[1].lower() not in _UTF_8:
        yield "encoding-unsupported", charset[1]


@check(requirements.CONVENTIONS)
def names_are_legal(evidence: Evidence) -> Findings:
    """Names that are sent or reported without being declared could be declared at all."""
    for kind, strays in (("telemetry", evidence.stray_telemetry), ("property", evidence.stray_reports)):
        for path, numbers in list(strays.items()):
            yield from _name(kind, path, evidence.as_sent(path)[1], numbers)
    return None


def _name(kind: str, path: str, name: str, numbers: list[int]) -> Iterator[Finding]:
    events = tuple(numbers[:_AT_MOST])
    if name == "__t":
        return
    if not _LEGAL.fullmatch(name):
        yield finding(
            requirements.CONVENTIONS,
            "name-illegal",
            f"The device uses the name {name!r} for {kind}, which no model can declare.",
            element=path,
            expected="at most 64 letters, digits and underscores, the first a letter and the last no underscore",
            actual=name,
            events=events,
            remedy="Rename it and declare it in the model.",
        )
    elif name.startswith("_") and kind == "property":  # telemetry: see central_names
        yield finding(
            requirements.CONVENTIONS,
            "name-begins-with-underscore",
            f"The device uses the name {name} for {kind}; names may not begin with an underscore.",
            severity=Severity.WARNING,
            element=path,
            expected="a name that begins with a letter",
            actual=name,
            events=events,
            remedy="Rename it and declare it in the model.",
        )


@check(requirements.CONVENTIONS, stage=2)
def rate_is_bearable(evidence: Evidence) -> Findings:
    """The device leaves room for others: a hub counts the messages of all its devices together."""
    most, first = _busiest(evidence, 1.0)
    if most > FLOOD:
        in_ten, _ = _busiest(evidence, _TORRENT_SECONDS)
        yield finding(
            requirements.CONVENTIONS,
            "telemetry-flood",
            f"The device sent {most} messages within a second, {in_ten} within ten.",
            severity=Severity.ERROR if in_ten > TORRENT else Severity.WARNING,
            expected=f"at most {FLOOD} messages a second (IoT Hub quotas: what an S1 unit takes of all devices)",
            actual=str(most),
            events=(first,),
            remedy="Send less often, or several values in one message; check what triggers a message.",
        )
    return None


def _busiest(evidence: Evidence, seconds: float) -> tuple[int, int]:
    """The most messages within any so many seconds, and the entry at which these begin."""
    recent: deque[tuple[float, int]] = deque()
    most, first = 0, 0
    for t, (n, _) in zip(evidence.times(ev.TelemetryReceived), evidence.of(ev.TelemetryReceived), strict=True):
        recent.append((t, n))
        while recent[0][0] <= t - seconds:
            recent.popleft()
        if len(recent) > most:
            most, first = len(recent), recent[0][1]
    return most, first

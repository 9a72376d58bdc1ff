"""Whether IoT Central would take the device as it is. Warnings only: the conventions ask for none of it.

Sources: IoT Central's pages on payloads, device templates, quotas and limits, and connection troubleshooting.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from harness.checks import requirements
from harness.checks.causes import cause_before
from harness.checks.evidence import Evidence
from harness.checks.refusals import ended_in
from harness.checks.registry import Blocked, Findings, NotObservable, check, finding
from harness.diagnosis import lookup
from harness.dtdl import Capability, decode
from harness.dtdl.model import Element
from harness.record import events as ev
from harness.verdict import Finding, Severity

RESERVED = frozenset(
    {"EventEnqueuedUtcTime", "EventProcessedUtcTime", "PartitionId", "EventHub", "User", "$metadata", "$version"}
)
"""Telemetry names that IoT Central uses itself and ignores from a device."""

GEOSPATIAL = "dtmi:standard:schema:geospatial:"
"""Ids of the geospatial schemas (point, polygon and so on) begin with this; the language defines them as Objects."""

MOST_CAPABILITIES = 300
LARGEST_PROPERTY = 4 * 1024
BURST, BURST_SECONDS = 10, 10
"""Messages a second that one device may send for a while, and what is taken for a while."""

_EVIDENCE_AT_MOST = 10
_DEEPEST = 12
_PUZZLES = {"400209": "central-not-approved", "403012": "central-device-disabled"}


@check(requirements.CENTRAL, stage=0, profile="standard")
def central_provisioning_state(evidence: Evidence) -> Findings:
    """The device is in none of the states in which IoT Central keeps a device out."""
    states = list(_states(evidence))
    if not states and (cause := cause_before(evidence, 2)):
        raise Blocked(cause)
    for n, code, seen in states:
        entry = lookup(code, "central") or lookup(code)
        yield _warning(
            _PUZZLES.get(code, "central-blocked"),
            f"In IoT Central the device would be kept out: {entry.headline if entry else code}.",
            expected="the state Provisioned",
            actual=f"{seen} ({code})",
            events=(n,),
            remedy=entry.maker if entry else "",
        )
    return None


@check(requirements.CENTRAL, profile="standard")
def central_names(evidence: Evidence) -> Findings:
    """No telemetry has a name that IoT Central uses itself, or one that begins with an underscore."""
    declared = {c.path: c.name for c in evidence.capabilities if c.kind == "telemetry"}
    sent = {path: (evidence.as_sent(path)[1], numbers) for path, numbers in evidence.stray_telemetry.items()}
    named = {**{path: (name, _numbers(evidence, path)) for path, name in declared.items()}, **sent}
    for path, (name, numbers) in named.items():
        if name in RESERVED:
            yield _warning(
                "central-name-reserved",
                f"IoT Central ignores telemetry {path}: it uses the name {name} itself.",
                element=path,
                expected=f"a name other than {', '.join(sorted(RESERVED))}",
                actual=name,
                events=tuple(numbers[:_EVIDENCE_AT_MOST]),
                remedy="Give it another name, in the model (with a new version) and on the device.",
            )
        elif name.startswith("_"):
            yield _warning(
                "central-name-underscore",
                f"IoT Central does not take telemetry {path}: its name begins with an underscore.",
                element=path,
                expected="a letter first",
                actual=name,
                events=tuple(numbers[:_EVIDENCE_AT_MOST]),
                remedy="Give it a name that begins with a letter.",
            )
    return None


@check(requirements.CENTRAL, profile="standard")
def central_schemas(evidence: Evidence) -> Findings:
    """The model is DTDL v2, and has no schema that IoT Central takes in part only."""
    if evidence.model is None:
        return None
    newer = {i.id: i.dtdl_version for i in evidence.model.interfaces.values() if (i.dtdl_version or 2) > 2}
    if newer:
        yield _warning(
            "central-dtdl-version",
            "IoT Central makes device templates of DTDL v2 only, and the model is newer.",
            element=next(iter(newer)),
            expected="dtmi:dtdl:context;2",
            actual=", ".join(f"{dtmi}: v{version}" for dtmi, version in newer.items()),
            remedy="Offer the model in DTDL v2 as well, under an id of its own, if IoT Central matters.",
        )
    for capability in evidence.capabilities:
        unfit = sorted({kind for schema in _schemas(capability) for kind in _unfit(schema, _DEEPEST)})
        if unfit:
            words = " and ".join("arrays" if k == "Array" else f"the geospatial type {k}" for k in unfit)
            yield _warning(
                "central-schema",
                f"IoT Central shows {capability.kind} {capability.path} in part only: it does not fully take {words}.",
                element=capability.path,
                expected="a schema without Array and geospatial types",
                actual=", ".join(unfit),
                remedy="Send the parts as telemetry or properties of their own, or as an Object with a field for each; "
                "for a place on a map use IoT Central's own geopoint.",
            )
    return None


@check(requirements.CENTRAL, profile="standard")
def central_template(evidence: Evidence) -> Findings:
    """The model fits into one device template."""
    count = len(evidence.capabilities)
    if count > MOST_CAPABILITIES:
        yield _warning(
            "central-template-size",
            f"The model declares {count} capabilities, and a device template should have {MOST_CAPABILITIES} at most.",
            expected=f"{MOST_CAPABILITIES} or fewer",
            actual=str(count),
            remedy="Join values that belong together into objects.",
        )
    return None


@check(requirements.CENTRAL, stage=2, profile="standard")
def central_payloads(evidence: Evidence) -> Findings:
    """Messages say that they are JSON in UTF-8."""
    wrong: dict[tuple[str, str], list[int]] = defaultdict(list)
    if evidence.first(ev.TelemetryReceived) is None:
        raise NotObservable("No message of the device was seen.")
    for n, message in evidence.of(ev.TelemetryReceived):
        kind, encoding = message.content_type or "", message.content_encoding or ""
        if kind.partition(";")[0].strip().lower() != "application/json":
            wrong["content type", kind].append(n)
        # A charset in the content type says as much; Azure's own validator wants the property.
        if "utf-8" not in f"{encoding};{kind}".lower():
            wrong["content encoding", encoding].append(n)
    for (what, found), numbers in wrong.items():
        expected = "application/json" if what == "content type" else "utf-8"
        yield _warning(
            f"central-{what.replace(' ', '-')}",
            f"{len(numbers)} message(s) come with {f'the {what} {found}' if found else f'no {what}'}, and IoT Central "
            "expects JSON in UTF-8.",
            expected=expected,
            actual=found or "none",
            events=tuple(numbers[:_EVIDENCE_AT_MOST]),
            remedy="Set the message properties `$.ct=application%2Fjson` and `$.ce=utf-8` (in SDKs content_type and "
            "content_encoding); without them a route shows the body as base64.",
        )
    return None


@check(requirements.CENTRAL, profile="standard")
def central_duplicate_names(evidence: Evidence) -> Findings:
    """A telemetry name that several interfaces declare comes with its component."""
    places: dict[str, set[str | None]] = defaultdict(set)
    for c in evidence.capabilities:
        if c.kind == "telemetry":
            places[c.name].add(c.component)
    found: dict[str, list[int]] = defaultdict(list)
    for n, message in evidence.of(ev.TelemetryReceived):
        if message.component is None:
            body, problems = decode(message.payload)
            for name in body if not problems and isinstance(body, Mapping) else ():
                if len(places.get(name, ())) > 1 and None not in places[name]:
                    found[name].append(n)
    for name, numbers in found.items():
        components = ", ".join(sorted(str(c) for c in places[name]))
        yield _warning(
            "central-name-ambiguous",
            f"IoT Central cannot tell whose telemetry {name} is: several components declare it, and none is named.",
            element=name,
            expected=f"`$.sub` with one of {components}",
            actual="no component",
            events=tuple(numbers[:_EVIDENCE_AT_MOST]),
            remedy="Send each component's telemetry in a message of its own, with `$.sub`.",
        )
    return None


@check(requirements.CENTRAL, stage=2, profile="standard")
def central_limits(evidence: Evidence) -> Findings:
    """No reported property is over 4 KB, and no more than ten messages a second come for long."""
    seen: set[str] = set()
    for n, patch in evidence.of(ev.ReportedPatched):
        body, problems = decode(patch.payload)
        for name, value in body.items() if not problems and isinstance(body, Mapping) else ():
            for path, size in _sizes(name, value, evidence.components):
                if size > LARGEST_PROPERTY and path not in seen:
                    seen.add(path)
                    yield _too_large(path, size, n)
    times = evidence.times(ev.TelemetryReceived)
    most = BURST * BURST_SECONDS
    for at, begun in enumerate(times[: max(0, len(times) - most)]):
        if times[at + most] - begun < BURST_SECONDS:
            first = evidence.of(ev.TelemetryReceived)[at][0]
            yield _warning(
                "central-rate",
                f"The device sends more than {BURST} messages a second for {BURST_SECONDS} s, which is throttled.",
                expected=f"{BURST} messages a second, and for a while only",
                actual=f"over {most} messages in {BURST_SECONDS} s",
                events=(first,),
                remedy="Send several values of a component in one message, or send less often.",
            )
            break
    return None


def _states(evidence: Evidence) -> Iterator[tuple[int, str, str]]:
    """(entry, code, what was seen) of the last answer, where it keeps the device out."""
    answered = evidence.final(ev.RegistrationAnswered)
    if answered:
        n, answer = answered
        state = ended_in(answer)
        if state.get("status") == "disabled":
            yield n, "Blocked", "DPS says disabled"
        elif str(state.get("errorCode") or answer.error_code) == "400209":
            yield n, "400209", "DPS says unauthorized"
    read = evidence.final(ev.RegistrationRead)
    if read and read[1].state.get("status") == "disabled":
        yield read[0], "Blocked", "DPS says disabled"
    elif read and str(read[1].state.get("errorCode")) == "400209":
        yield read[0], "400209", "DPS says unauthorized"
    connected = evidence.final(ev.HubConnected)
    if connected and connected[1].error_code == 403012:
        yield connected[0], "403012", "the hub refused the device as disabled"


def _schemas(capability: Capability) -> Iterator[Element]:
    for element in (capability.schema, capability.request, capability.response):
        if element is not None:
            yield element


def _unfit(element: Element, depth: int) -> Iterator[str]:
    """What a schema, or anything it is made of, has of arrays and geospatial types."""
    if element.id.startswith(GEOSPATIAL):
        yield element.id.removeprefix(GEOSPATIAL).partition(";")[0]
        return
    if element.kind == "Array":
        yield "Array"
    if depth == 0:
        return
    inner = [element.element(term) for term in ("schema", "elementSchema", "mapValue")]
    for each in (*inner, *element.elements("fields")):
        if each is not None:
            yield from _unfit(each, depth - 1)


def _sizes(name: str, value: object, components: frozenset[str]) -> Iterator[tuple[str, int]]:
    if name in components and isinstance(value, Mapping):
        for inner, item in value.items():
            yield f"{name}.{inner}", _size(item)
    else:
        yield name, _size(value)


def _size(value: object) -> int:
    """Bytes as IoT Hub counts them in a twin: names and texts in UTF-8, a number 8, a boolean 4."""
    if isinstance(value, Mapping):
        return sum(len(str(k).encode("utf-8", "replace")) + _size(v) for k, v in value.items())
    if isinstance(value, (list, tuple)):
        return sum(map(_size, value))
    if isinstance(value, str):
        return len(value.encode("utf-8", "replace"))
    return 4 if isinstance(value, bool) or value is None else 8


def _too_large(path: str, size: int, n: int) -> Finding:
    return _warning(
        "central-property-size",
        f"Property {path} has {size} bytes, and IoT Central takes {LARGEST_PROPERTY} of one property.",
        element=path,
        expected=f"{LARGEST_PROPERTY} bytes at most",
        actual=f"{size} bytes",
        events=(n,),
        remedy="Split the property, or send it as telemetry or as a file.",
    )


def _numbers(evidence: Evidence, path: str) -> list[int]:
    return [r.n for r in evidence.telemetry.get(path, [])]


def _warning(code: str, message: str, **fields: object) -> Finding:
    return finding(requirements.CENTRAL, code, message, severity=Severity.WARNING, **fields)

"""The connection itself: its transport, its user name, IoT Hub's rules of MQTT, and that it holds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from harness.checks import causes, requirements
from harness.checks.disruptive import goes_away
from harness.checks.dying import how_it_ended, told_by
from harness.checks.evidence import Evidence
from harness.checks.registry import Blocked, Findings, NotObservable, check, finding
from harness.record import events as ev
from harness.verdict import Finding, Severity

_MQTT = ("mqtt", "websocket", "websockets", "mqtt-ws", "wss")
_FIRST_WITH_MODELS = "2020-09-30"
"""The first api-version of the hub's device side that takes `model-id`."""
_REPLACED = (400027, 409002)
_FIGHT = 3
"""Connections replaced by a newer one before it is two clients that fight; a device that lost its network does so once
or twice."""
_RESTLESS = 3
_GUIDE = "Azure IoT Hub developer guide, Communicate with an IoT hub using MQTT"


@check(requirements.DTDL, stage=1)
def transport_is_mqtt(evidence: Evidence) -> Findings:
    """The device speaks MQTT, directly or over WebSockets."""
    connected = evidence.connected
    if connected:
        n, event = connected
        _must_see_wire(evidence)
        if event.transport.lower() in _MQTT:
            return n
        yield _not_mqtt(n, event.transport)
        return n
    sent, refused = evidence.first(ev.TelemetryReceived), evidence.first(ev.DeviceRequestRefused)
    if sent is None and refused is None:
        raise Blocked(causes.why_not_connected(evidence))
    n = sent[0] if sent else refused[0] if refused else 0
    yield _not_mqtt(n, "HTTPS")
    return n


def _not_mqtt(n: int, transport: str) -> Finding:
    return finding(
        requirements.DTDL,
        "transport-not-mqtt",
        f"The device comes to the hub by {transport}; IoT Plug and Play certification asks for MQTT.",
        expected="MQTT on port 8883, or MQTT over WebSockets on port 443",
        actual=transport,
        events=(n,),
        remedy="Configure the device client for MQTT or MQTT over WebSockets.",
    )


@check(requirements.CONVENTIONS, stage=2)
def user_name_is_encoded(evidence: Evidence) -> Findings:
    """What the user name of CONNECT carries besides the model id is URL-encoded."""
    n, event = _connect(evidence)
    query = event.raw_user_name.partition("?")[2]
    for item in query.split("&"):
        name, _, value = item.partition("=")
        if name == "model-id":
            continue  # Microsoft's Node SDK sends it raw, and the hub takes it
        # encodeURIComponent leaves !*'() as they are.
        wrong = re.search(r"[^A-Za-z0-9\-._~!*'()%]|%(?![0-9A-Fa-f]{2})", value)
        if wrong:
            yield finding(
                requirements.CONVENTIONS,
                "user-name-not-encoded",
                f"The value of {name or item} in the user name is not URL-encoded (at {wrong.group()!r}).",
                severity=Severity.WARNING,
                expected="every value percent-encoded",
                actual=value[:200],
                events=(n,),
                remedy="Percent-encode each value of the user name's query; a raw one has broken twin requests.",
            )
    return n


@check(requirements.DTDL, stage=2)
def api_version_knows_models(evidence: Evidence) -> Findings:
    """The api-version of CONNECT is one that takes a model id."""
    n, event = _connect(evidence)
    version = event.api_version.removesuffix("-preview")
    if event.model_id and version < _FIRST_WITH_MODELS:
        yield finding(
            requirements.DTDL,
            "api-version-too-old",
            f"The connection announces a model id with api-version {event.api_version or '(none)'}, which has none.",
            expected=f"api-version={_FIRST_WITH_MODELS} or later",
            actual=event.api_version or "none",
            events=(n,),
            remedy=f"Use api-version {_FIRST_WITH_MODELS} or later in the user name, that is, a newer SDK.",
        )
    return n


@dataclass(frozen=True, slots=True)
class _Rule:
    text: str
    remedy: str


_RULES = {
    "qos-2": _Rule("QoS 2 is not supported", "Publish with QoS 0 or 1."),
    "unknown-topic": _Rule("only the documented topics may be published to", "Publish to the documented topics."),
    "foreign-filter": _Rule(
        "only the documented topic filters may be subscribed to", "Subscribe to the documented filters as they stand."
    ),
    "foreign-will": _Rule(
        "a will is for devices/{device id}/messages/events/ only", "Give the will the device's own events topic."
    ),
    "too-many-filters": _Rule("a connection has at most five topic filters", "Subscribe to fewer filters."),
    "message-too-large": _Rule("a message has at most 256 KB", "Send smaller messages, or upload files."),
    "bad-properties": _Rule("message properties are URL-encoded pairs", "Encode names and values of properties."),
    "no-request-id": _Rule("twin and method topics carry $rid", "Add ?$rid={request id} to the topic."),
    "unknown-method-request": _Rule(
        "a method is answered once, with the $rid of its request", "Answer each request once, with its own $rid."
    ),
    "throttled": _Rule("telemetry beyond the hub's quota closes the connection", "Send less often."),
}
_MQTT_RULE = _Rule("MQTT 3.1.1 itself", "Use a maintained MQTT 3.1.1 library.")
_NOT_HERE = ("dps-",)
"""How a device paces its registration is judged by the trials."""


@check(requirements.CONVENTIONS, stage=1)
def keeps_mqtt_rules(evidence: Evidence) -> Findings:
    """The device breaks no rule of MQTT nor of IoT Hub on it."""
    _must_see_wire(evidence)
    by_rule: dict[str, list[tuple[int, ev.ProtocolViolation]]] = {}
    for n, event in evidence.of(ev.ProtocolViolation):
        if not event.rule.startswith(_NOT_HERE):
            by_rule.setdefault(event.rule, []).append((n, event))
    for name, broken in by_rule.items():
        n, event = broken[0]
        rule = _RULES.get(name, _MQTT_RULE)
        yield finding(
            requirements.CONVENTIONS,
            f"mqtt-{name}",
            f"The device broke a rule of MQTT on IoT Hub ({rule.text}): {event.detail}."
            + (" The hub closed the connection." if event.closed else ""),
            severity=Severity.ERROR if any(e.closed for _, e in broken) else Severity.WARNING,
            expected=rule.text,
            actual=f"{event.detail}" + (f", {len(broken)} times" if len(broken) > 1 else ""),
            events=tuple(n for n, _ in broken[:10]),
            clause=_GUIDE,
            remedy=rule.remedy,
        )
    yield from _silences(evidence)
    for n, request in evidence.of(ev.DeviceRequestRefused)[:1]:
        yield finding(
            requirements.CONVENTIONS,
            "device-request-refused",
            f"The hub refused a request of the device over HTTPS: {request.method} {request.path}: {request.reason}",
            severity=Severity.WARNING,
            expected="requests that the hub accepts",
            actual=f"{request.status} ({request.error_code})",
            events=(n,),
            remedy="Correct the request; `preflight explain` tells what the code means.",
        )
    return None


def _silences(evidence: Evidence) -> Iterator[Finding]:
    silent = [(n, e) for n, e in evidence.of(ev.HubDisconnected) if e.by == "hub" and e.error_code == 404104]
    for n, event in silent[:1]:
        yield finding(
            requirements.CONVENTIONS,
            "mqtt-keep-alive",
            f"The hub closed the connection: {event.reason}.",
            expected="a packet within one and a half times the keep-alive that CONNECT announced",
            actual=event.reason,
            events=(n,),
            clause=_GUIDE,
            remedy="Send PINGREQ within the keep-alive when there is nothing else to send.",
        )


@check(requirements.CONVENTIONS, stage=2)
def one_connection_for_an_identity(evidence: Evidence) -> Findings:
    """No second client comes with the same identity: the newer connection ends the older.

    A device that was told to restart may leave its connection open, which ends with its next one.
    """
    _must_see_wire(evidence)
    replaced = [n for n in _replaced(evidence) if not _asked_for(evidence, n)]
    if replaced:
        yield finding(
            requirements.CONVENTIONS,
            "second-connection",
            f"A newer connection of the same identity replaced the device's connection ({len(replaced)} times).",
            severity=Severity.ERROR if len(replaced) >= _FIGHT else Severity.WARNING,
            expected="one connection at a time",
            actual=f"{len(replaced)} replaced (400027 ConnectionForcefullyClosedOnNewConnection)",
            events=tuple(replaced[:10]),
            remedy="Close the old connection before a new one is opened, and run one device with each identity.",
        )
    return None


def _replaced(evidence: Evidence) -> list[int]:
    """The entries at which a newer connection of the same identity ended one."""
    return [n for n, e in evidence.of(ev.HubDisconnected) if e.by == "hub" and e.error_code in _REPLACED]


@check(requirements.CONVENTIONS, stage=2)
def connection_holds(evidence: Evidence) -> Findings:
    """The device stays connected while it is tested, but for restarts that were asked for."""
    _connect(evidence)
    replaced = _replaced(evidence)
    drops = [n for n, up in evidence.links if not up and n not in replaced and not _asked_for(evidence, n)]
    exited = evidence.final(ev.DeviceExited)
    if evidence.lost is not None and evidence.lost in drops and (case := told_by(evidence, evidence.lost)):
        raise Blocked(f"The connection did not hold: {case} tells over what.{how_it_ended(evidence)}")
    if exited and not exited[1].expected and evidence.lost is not None:
        if not _asked_for(evidence, evidence.lost):
            yield finding(
                requirements.CONVENTIONS,
                "device-ended",
                f"The device's program ended while it was tested, with exit code {exited[1].returncode}.",
                expected="a device that runs until it is stopped",
                actual="\n".join(exited[1].last_lines) or "it printed nothing",
                events=(exited[0],),
                remedy="See what it did last: the entries before this one, and device.log.",
            )
        return None
    if evidence.lost is not None and evidence.lost in drops:
        yield finding(
            requirements.CONVENTIONS,
            "device-disconnected",
            "The device lost its connection while it was tested and did not come back "
            f"({_reason(evidence, drops[-1])}).",
            expected="a connection that holds, or a new one",
            actual="no connection at the end",
            events=(drops[-1],),
            remedy="Connect again whenever the connection ends; what was done just before is in the journal.",
        )
    elif drops:
        yield finding(
            requirements.CONVENTIONS,
            "device-reconnected",
            f"The device lost its connection {len(drops)} time(s) while it was tested ({_reason(evidence, drops[0])}).",
            severity=Severity.WARNING if len(drops) >= _RESTLESS else Severity.INFO,
            expected="a connection that holds",
            actual=f"{len(drops)} new connections",
            events=tuple(drops[:10]),
            remedy="A connection renewed with a new token is as it should be; look into any other.",
        )
    return None


def _asked_for(evidence: Evidence, n: int) -> bool:
    """Whether the last command before entry `n` was one that sends the device away."""
    sent = [(at, path) for path, numbers in evidence.commands_sent.items() for at in numbers if at < n]
    last = max(sent, default=(0, ""))[1]
    return any(c.kind == "command" and c.path == last and goes_away(evidence, c) for c in evidence.capabilities)


def _reason(evidence: Evidence, n: int) -> str:
    return next((f"{e.by}: {e.reason}" for at, e in evidence.of(ev.HubDisconnected) if at == n), "")


def _must_see_wire(evidence: Evidence) -> None:
    if not evidence.shows("wire"):
        raise NotObservable(
            "Azure does not show a device's connections and packets; the local target does (--target local)."
        )


def _connect(evidence: Evidence) -> tuple[int, ev.HubConnected]:
    _must_see_wire(evidence)
    if evidence.connected is None:
        raise Blocked(causes.why_not_connected(evidence))
    return evidence.connected

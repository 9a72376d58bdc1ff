"""Single events and exchanges in words: what was awaited, what came, how it was judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from harness.checks.envelope import MARKER
from harness.checks.evidence import path_of
from harness.dtdl import decode
from harness.record import events as ev
from harness.report.html.exchanges import Exchange
from harness.report.html.payloads import compact
from harness.report.html.safe import clipped
from harness.watch.wording import is_trouble, words

PURPOSES = {
    "exercise": "",
    "again": "the same request again",
    "together": "in one patch with others",
    "unmarked": "without the component's marker",
    "unknown": "with names the model lacks",
    "removed": "deleted",
    "negative": "invalid on purpose",
    "revived": "valid, after the invalid ones",
    "restore": "put back as it was",
    "trial": "",
}
"""Of an exchange, by the names in the record."""

_ANSWER = 160


@dataclass(frozen=True, slots=True)
class Told:
    """An event as a row says it; see `rows.Row`."""

    direction: str
    kind: str
    what: str
    awaited: str = ""
    came: str = ""
    judged: str = ""
    ok: bool | None = None
    elements: tuple[str, ...] = ()


def awaited(e: Exchange) -> str:
    """What an exchange waits for."""
    if e.purpose == "negative":
        return "a refusal: ac of 400 or more" if e.kind == "property" else "a refusal: status of 400 or more"
    if e.purpose == "unknown":
        return "no success; the device stays connected" if e.kind == "command" else "the device ignores it"
    if e.purpose in ("restore", "removed"):
        return "the device takes it"
    return "an acknowledgement: value, ac, av" if e.kind == "property" else "an answer: status 200 to 299"


def came(e: Exchange) -> tuple[str, str, bool | None]:
    """What came, how it is to be read, and whether it is as awaited."""
    if e.ended is None:
        silence = clipped(e.error, _ANSWER) if e.error else "nothing"
        expected = e.purpose in ("unknown", "restore", "removed") or (e.kind == "command" and e.purpose == "negative")
        return silence, "no answer", None if expected else False
    took = duration(e.ended - e.began)
    name = "ac" if e.kind == "property" else "status"
    answer = _answer(e)
    if e.code is None:
        return f"after {took}: {answer}", "answered without ac and av", False if not _lenient(e) else None
    said = f"after {took}: {name} {e.code}{answer}"
    if _lenient(e):
        return said, "answered", None
    if e.purpose == "negative":
        return said, "accepted" if e.ok else "refused", None if e.ok else True
    return said, ("acknowledged" if e.kind == "property" else "answered") if e.ok else "refused", e.ok


def _lenient(e: Exchange) -> bool:
    return e.purpose in ("unknown", "restore", "removed", "unmarked")


def _answer(e: Exchange) -> str:
    if e.kind == "command":
        return "" if e.answer in (None, "", {}) else f", {clipped(compact(e.answer), _ANSWER)}"
    if isinstance(e.answer, Mapping) and "value" in e.answer:
        description = f", “{clipped(e.description, 80)}”" if e.description else ""
        return f", value {clipped(compact(e.answer['value']), _ANSWER)}, av {e.answer.get('av')}{description}"
    return clipped(compact(e.answer), _ANSWER)


def single(event: ev.Event) -> Told:
    """An event that is no part of an exchange and no telemetry."""
    told = (tell(event) for tell in (_run, _trial, _provisioning, _twin))
    return next(filter(None, told), None) or _remaining(event)


def _run(event: ev.Event) -> Told | None:
    match event:
        case ev.RunStarted():
            return Told("run", "run", "the run began", came=f"at {event.started}")
        case ev.TargetOpened():
            return Told("run", "run", f"target {event.target} opened", came="it shows " + ", ".join(event.observes))
        case ev.TargetFailed() | ev.DeviceFailedToStart():
            what = "the target opens" if isinstance(event, ev.TargetFailed) else "the device starts"
            return Told("run", "run", what, "it does", event.message, "failed", False)
        case ev.ModelResolved():
            return Told("run", "run", "model resolved", came=f"{event.model_id} from {event.location}", ok=True)
        case ev.ModelRejected():
            problem = "; ".join(event.problems[:2])
            return Told("run", "run", f"model {event.model_id}", "a valid model", problem, event.reason, False)
        case ev.WaitEnded():
            limit = f"within {event.deadline:g} s"
            came_ = f"{event.saw} after {duration(event.seconds)}"
            return Told("run", "run", "waited", f"{event.waited_for} {limit}", came_, *_met(event.satisfied))
        case ev.ObservationEnded():
            missing = f"not seen: {', '.join(event.missing[:12])}" if event.missing else "everything declared was seen"
            return Told(
                "run",
                "run",
                f"watched telemetry for {duration(event.seconds)}",
                "all declared telemetry",
                missing,
                event.reason,
                not event.missing,
                elements=event.missing,
            )
        case ev.RunInterrupted():
            return Told("run", "run", "interrupted", came=event.message, ok=False, judged="interrupted")
        case ev.HarnessFailed():
            return Told("run", "run", f"the harness failed in {event.where}", came=event.message, ok=False)
        case ev.DeviceStarted():
            return Told("run", "run", "device started", came=event.command)
        case ev.DeviceExited():
            last = "; ".join(event.last_lines[-2:])
            came_ = f"exit code {event.returncode}" + (f": {last}" if last else "")
            return Told("run", "run", "device ended", "", came_, "as ordered" if event.expected else "by itself")
        case ev.RunEnded():
            return Told("run", "run", "the run ended", came=event.verdict.replace("-", " "))
        case ev.ExpectationsStated() | ev.ExerciseEnded():
            return Told("run", "run", event.kind.replace("_", " "))
        case _:
            return None


def _met(satisfied: bool) -> tuple[str, bool]:
    return ("met" if satisfied else "not met"), satisfied


def _trial(event: ev.Event) -> Told | None:
    match event:
        case ev.TrialBegan():
            return Told("run", "trial", f"trial {event.trial} began", came="; ".join(map(fault_words, event.faults)))
        case ev.TrialEnded():
            return Told("run", "trial", f"trial {event.trial} ended", came=f"{event.saw}, {duration(event.seconds)}")
        case _:
            return None


def fault_words(fault: Mapping[str, Any]) -> str:
    """A fault of a plan on one line."""
    return " ".join(f"{name} {value if isinstance(value, str) else compact(value)}" for name, value in fault.items())


def _provisioning(event: ev.Event) -> Told | None:
    match event:
        case ev.RegistrationRequested():
            what = "registration requested"
            return Told("up", "provisioning", what, "a register request with the model id", _model_id(event.payload))
        case ev.RegistrationPolled():
            return Told("up", "provisioning", "registration polled", came="the device asks how it is")
        case ev.RegistrationAnswered():
            wait = f", retry after {event.retry_after} s" if event.retry_after is not None else ""
            code = f" ({event.error_code})" if event.error_code else ""
            return Told("down", "provisioning", "registration answered", came=f"{event.status}{code}{wait}")
        case ev.DeviceEnrolled():
            return Told(
                "run", "provisioning", "device enrolled", came=f"{event.registration_id} by {event.attestation}"
            )
        case _:
            return None


def _model_id(payload: bytes) -> str:
    value = decode(payload)[0]
    inner = value.get("payload") if isinstance(value, Mapping) else None
    found = inner.get("modelId") if isinstance(inner, Mapping) else None
    return f"modelId {found}" if found else "no modelId in the payload"


def _twin(event: ev.Event) -> Told | None:
    match event:
        case ev.ReportedPatched():
            paths = _paths(decode(event.payload)[0])
            took = event.status < 300
            answer = f"version {event.version}" if took else f"refused {event.status}: {event.message}"
            listed = ", ".join(paths[:8]) + (f" and {len(paths) - 8} more" if len(paths) > 8 else "")
            judged = "taken by the hub" if took else "refused by the hub"
            what = f"reported {listed or 'nothing'}"
            return Told("up", "property", what, "", answer, judged, None if took else False, tuple(paths))
        case ev.DesiredChanged():
            paths = _paths(event.patch)
            sent = "delivered" if event.delivered else "not delivered: not connected and subscribed"
            return Told("down", "property", f"desired {', '.join(paths[:8])}", "", sent, elements=tuple(paths))
        case ev.PropertyWritten():
            path = path_of(event.component, event.name)
            return Told("down", "property", f"{path} set", "", event.error or "written", elements=(path,))
        case ev.MethodRequested() | ev.MethodAnswered():
            path = event.name.replace("*", ".", 1)
            asked = isinstance(event, ev.MethodRequested)
            came_ = "" if isinstance(event, ev.MethodRequested) else f"status {event.status}"
            direction, verb = ("down", "invoked") if asked else ("up", "answered")
            return Told(direction, "command", f"{path} {verb}", "", came_, elements=(path,))
        case ev.TwinRead():
            return Told("run", "property", "device twin read by the service")
        case ev.DigitalTwinRead():
            return Told("run", "property", "digital twin read by the service", "its $model", event.error or "read")
        case _:
            return None


def _paths(value: Any) -> list[str]:
    found: list[str] = []
    for name, item in value.items() if isinstance(value, Mapping) else ():
        if isinstance(item, Mapping) and item.get(MARKER) == "c":
            found += [f"{name}.{inner}" for inner in item if inner != MARKER]
        elif not str(name).startswith("$"):
            found.append(str(name))
    return found


_CONNECTION = (
    ev.HandshakeFailed,
    ev.HubConnected,
    ev.HubDisconnected,
    ev.Subscribed,
    ev.Unsubscribed,
    ev.TwinRequested,
    ev.ProtocolViolation,
    ev.DeviceRequestRefused,
)
_KINDS = {
    "provisioning": (
        ev.ProvisioningConnected,
        ev.ProvisioningDisconnected,
        ev.AllocationAnswered,
        ev.DeviceAssigned,
    ),
    "connection": _CONNECTION,
    "cloud-to-device": (ev.C2dEnqueued, ev.C2dDelivered, ev.C2dReturned, ev.C2dSettled, ev.C2dSent, ev.C2dFeedback),
    "upload": (ev.FileUploadStarted, ev.BlobWritten, ev.FileUploadEnded),
    "fault": (ev.FaultPlayed,),
}
_DOWN = (ev.C2dEnqueued, ev.C2dDelivered, ev.C2dSent, ev.DeviceAssigned)


def _remaining(event: ev.Event) -> Told:
    """Everything else, in the words of `preflight monitor`."""
    kind = next((kind for kind, classes in _KINDS.items() if isinstance(event, classes)), "run")
    direction = "down" if isinstance(event, _DOWN) else "run" if kind in ("run", "fault") else "up"
    component, text = words(event)
    said = clipped(f"{component} {text}".strip().replace("; --json has them", ""), 400)
    trouble = is_trouble(event) and not isinstance(event, ev.FaultPlayed)
    return Told(direction, kind, event.kind.replace("_", " "), "", said, "", False if trouble else None)


def duration(seconds: float) -> str:
    """`3.8 ms`, `2.25 s` or `72 s`."""
    if abs(seconds) < 1:
        return f"{seconds * 1000:.3g} ms" if abs(seconds) < 0.1 else f"{seconds * 1000:.0f} ms"
    return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.0f} s"

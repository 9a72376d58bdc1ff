"""Messages and property changes against the model, each as it comes. Pure: entries in, findings out.

Every message is read by an `Evidence` of its own and judged by the checks of the suite, so both speak the same words
and differ in nothing. What a single message cannot show is remembered here: which components are marked already
(reported properties merge, so a later patch may leave the marker out), which desired version was the last, what was
never seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.checks import requirements
from harness.checks.central import central_names
from harness.checks.envelope import IN_PROGRESS, MARKER, MEMBERS, OWN_VALUE, example
from harness.checks.evidence import Evidence, Report, path_of
from harness.checks.messages import (
    messages_name_their_content,
    names_are_legal,
    one_object_a_message,
    telemetry_by_component,
)
from harness.checks.properties import no_undeclared_properties, read_only_property, writable_property
from harness.checks.registry import Blocked, NotObservable, finding
from harness.checks.reporting import initial_values, no_arrays_in_properties
from harness.checks.telemetry import no_undeclared_telemetry, payloads_are_json_objects, telemetry
from harness.dtdl import Capability, Model, check_value, decode
from harness.record import events as ev
from harness.record.events import Entry
from harness.verdict import Finding, Severity

_NO_TEXT = "\ufffd"
"""Stands for what could not be decoded."""
_ANSWER_SECONDS = 10.0
"""A desired change younger than this at the end is not called unanswered."""


@dataclass(frozen=True, slots=True)
class _Desired:
    n: int
    t: float
    version: int


class Judge:
    """Judges one device or module by one model; `model` None judges only what needs none.

    `reported` and `desired_version` are what is known of its twin at the beginning (None: nothing is).
    """

    def __init__(
        self,
        model_id: str | None,
        model: Model | None,
        *,
        reported: Mapping[str, Any] | None = None,
        desired_version: int | None = None,
    ) -> None:
        self._model_id = model_id
        self._model = model
        self._version = desired_version
        self._components = Evidence(model_id, model).components
        self._marked: set[str] = set()
        self._firsts = Evidence(model_id, model)
        self._wanted: dict[tuple[str, int], Any] = {}
        self._unanswered: dict[str, _Desired] = {}
        self._in_progress: dict[str, Report] = {}
        self._mark(reported or {})

    def arrived(self, entry: Entry) -> list[Finding]:
        """What is wrong with this entry; empty for entries that are neither message nor property change."""
        match entry.event:
            case ev.TelemetryReceived() as event:
                return list(self._telemetry(entry, event))
            case ev.ReportedPatched() as event:
                return list(self._reported(entry, event))
            case ev.DesiredChanged() as event:
                self._desired(entry, event)
        return []

    def ended(self, t: float, seconds: float, *, whole: bool) -> list[Finding]:
        """What was never seen in `seconds` of watching that ended at `t` of the record's time.

        Unless the `whole` time that was asked for was watched, what is missing is only a note.
        """
        missing = Severity.WARNING if whole else Severity.INFO
        self._firsts.add(Entry((self._firsts.last.n if self._firsts.last else 0) + 1, t, _over(seconds)))
        found: list[Finding] = []
        for capability in self._firsts.capabilities:
            if capability.kind == "telemetry" and capability.path not in self._firsts.telemetry:
                for one in _run(telemetry, self._firsts, capability):
                    unseen = one.code == "telemetry-not-seen"
                    found.append(replace(one, severity=missing, events=(), remedy=_UNSEEN) if unseen else one)
        for path, report in self._in_progress.items():
            found.append(_unfinished(path, report, missing))
        for path, desired in self._unanswered.items():
            if t - desired.t >= _ANSWER_SECONDS:
                found.append(_not_answered(path, desired, missing))
        return found

    # --- telemetry -----------------------------------------------------------------------------------

    def _telemetry(self, entry: Entry, event: ev.TelemetryReceived) -> Iterator[Finding]:
        one = self._read(entry)
        yield from _unreadable(event, entry.n)
        for found in _run(messages_name_their_content, one):
            yield replace(found, message=found.message.replace("1 messages name", "A message names", 1))
        yield from _malformed("A message", one)
        yield from _run(one_object_a_message, one)
        if self._model is None:
            return
        yield from _dotted(one, event.component)
        yield from _run(telemetry_by_component, one)
        if event.component and event.component not in self._components:
            return
        if any(path not in self._firsts.telemetry for path in one.telemetry) or len(self._firsts.stray_telemetry) < 100:
            self._firsts.add(entry)
        for path in one.telemetry:
            yield from _run(telemetry, one, one.by_path[path])
        for found in _run(central_names, one):
            if found.events:  # it names declared ones too, sent or not
                yield replace(found, severity=Severity.INFO)
        yield from self._strays(one, no_undeclared_telemetry, event.component, "telemetry")

    def _strays(
        self, one: Evidence, undeclared: Callable[..., Iterator[Finding]], component: str | None, kind: str
    ) -> Iterator[Finding]:
        """What is undeclared; where no model could declare it, that alone."""
        illegal = list(_run(names_are_legal, one))
        yield from illegal
        elements = {found.element for found in illegal}
        for found in _run(undeclared, one):
            if found.element not in elements:
                yield self._with_hint(replace(found, actual=found.element), component, kind)

    # --- properties ----------------------------------------------------------------------------------

    def _reported(self, entry: Entry, event: ev.ReportedPatched) -> Iterator[Finding]:
        one = self._read(entry)
        yield from _malformed("A patch of reported properties", one)
        if self._model is None:
            return
        if event.status < 300:
            self._mark(decode(event.payload)[0])
        for found in _run(initial_values, one):
            if found.code not in (
                "initial-value-bare",
                "initial-value-incomplete",
            ):  # said by `_writable`, which knows whether somebody asked
                yield found
        for path, reports in list(one.reports.items()):
            report = reports[-1]
            if report.value is None:
                one.stray_reports.pop(path, None)
                yield _deleted(path, entry.n)
                continue
            capability = one.by_path.get(path)
            if capability is None or capability.kind != "property":
                continue
            if capability.writable:
                yield from self._writable(one, capability, report)
            else:
                yield from _run(read_only_property, one, capability)
        yield from _run(no_arrays_in_properties, one)
        yield from self._strays(one, no_undeclared_properties, None, "property")

    def _writable(self, one: Evidence, capability: Capability, report: Report) -> Iterator[Finding]:
        path, value = capability.path, report.value
        asked = self._unanswered.pop(path, None)
        fits = capability.schema is None or not check_value(capability.schema, value)
        shaped = isinstance(value, Mapping) and bool(MEMBERS & value.keys()) and not (fits and capability.schema)
        if not shaped:
            yield from _run(read_only_property, one, capability)
            yield _unacknowledged(path, report, Severity.ERROR if asked else Severity.WARNING)
            return
        self._in_progress.pop(path, None)
        answered = self._answered(value.get("av"))
        wanted = self._wanted.get((path, answered), value.get("value"))
        write = ev.PropertyWritten("", capability.component, capability.name, wanted, answered, "exercise", after=0)
        one.add(Entry(0, 0.0, write))
        code = value.get("ac")
        if code == IN_PROGRESS:
            self._in_progress[path] = report
        expected = code in (IN_PROGRESS, OWN_VALUE)
        for found in _run(writable_property, one, capability):
            if not (found.code == "ack-code" and expected):
                yield found

    def _answered(self, version: Any) -> int:
        """The desired version that an answer may name: what it names, unless that never was; 0 is the device's own."""
        latest = self._version
        plausible = isinstance(version, int) and not isinstance(version, bool) and version >= 0
        if plausible and (latest is None or version <= latest):
            return int(version)
        return latest or 0

    def _desired(self, entry: Entry, event: ev.DesiredChanged) -> None:
        self._version = max(self._version or 0, event.version)
        for name, value in event.patch.items():
            inner = value.items() if name in self._components and isinstance(value, Mapping) else ()
            for path, item in [(path_of(name, key), v) for key, v in inner] or [(name, value)]:
                if path.startswith("$") or path.endswith(f".{MARKER}"):
                    continue
                if item is None or path not in self._firsts.by_path:
                    self._unanswered.pop(path, None)
                    continue
                if len(self._wanted) < 10_000:
                    self._wanted[path, event.version] = item
                self._unanswered[path] = _Desired(entry.n, entry.t, event.version)

    def _mark(self, patch: Any) -> None:
        for name, value in patch.items() if isinstance(patch, Mapping) else ():
            if value is None:
                self._marked.discard(name)
            elif name in self._components and isinstance(value, Mapping) and value.get(MARKER) == "c":
                self._marked.add(name)

    # --- both ----------------------------------------------------------------------------------------

    def _read(self, entry: Entry) -> Evidence:
        """The evidence of this entry alone, told first what the twin holds already."""
        one = Evidence(self._model_id, self._model)
        if isinstance(entry.event, ev.ReportedPatched):
            markers = ", ".join(f'"{name}": {{"{MARKER}": "c"}}' for name in self._marked)
            one.add(Entry(0, 0.0, ev.ReportedPatched("", None, "", f"{{{markers}}}".encode(), 204)))
        one.add(entry)
        return one

    def _with_hint(self, found: Finding, component: str | None, kind: str) -> Finding:
        """The finding with where the name is declared, if elsewhere."""
        name = _name(found.element, component)
        others = [c for c in self._firsts.capabilities if c.name == name and c.path != found.element]
        same = [c.component or "the root" for c in others if c.kind == kind]
        if same:
            place = "the message property `$.sub`" if kind == "telemetry" else 'an object with "__t": "c"'
            hint = f"It is declared in {', '.join(same)}; name a component by {place}."
            return replace(found, remedy=hint)
        here = self._firsts.by_path.get(found.element)
        if here is not None:
            return replace(found, remedy=f"The model declares it as a {here.kind}, not as a {kind}.")
        return found


_UNSEEN = "If it has a longer interval or an external trigger, raise --duration or trigger it while watching."


def _run(check: Callable[..., Iterator[Finding]], *arguments: Any) -> Iterator[Finding]:
    """The findings of a check of the suite; none where it cannot judge."""
    try:
        yield from check(*arguments)
    except (Blocked, NotObservable):
        return


def _malformed(what: str, one: Evidence) -> Iterator[Finding]:
    for found in _run(payloads_are_json_objects, one):
        yield replace(found, message=f"{what} could not be read. {one.malformed[0].problems[0].message}")


def _unreadable(event: ev.TelemetryReceived, n: int) -> Iterator[Finding]:
    """What should be told of a message beside its body, and is not, or not in UTF-8."""
    if not event.device_id:
        yield finding(
            requirements.D2C,
            "device-id-missing",
            "A message does not say which device sent it.",
            expected="the annotation iothub-connection-device-id",
            actual="none",
            events=(n,),
            remedy="Read messages from the hub's built-in endpoint: who forwards them elsewhere may drop annotations.",
        )
    broken = [name for name, value in {**event.system, **event.properties}.items() if _NO_TEXT in f"{name}{value}"]
    if broken:
        yield finding(
            requirements.CONVENTIONS,
            "message-property-unreadable",
            "A property of a message is no text in UTF-8.",
            severity=Severity.WARNING,
            expected="UTF-8, percent-encoded in the topic",
            actual=", ".join(broken),
            events=(n,),
            remedy="Encode names and values of message properties in UTF-8, then by percent.",
        )


def _over(seconds: float) -> ev.ObservationEnded:
    return ev.ObservationEnded("window-elapsed", seconds)


def _name(path: str, component: str | None) -> str:
    return path[len(component) + 1 :] if component else path


def _dotted(one: Evidence, component: str | None) -> Iterator[Finding]:
    """Names with a dot, which a path of component and name cannot hold; they are taken out of the evidence."""
    for path in [path for path in one.stray_telemetry if "." in _name(path, component)]:
        yield finding(
            requirements.CONVENTIONS,
            "name-illegal",
            f"The device uses the name {_name(path, component)!r} for telemetry, which no model can declare.",
            element=path,
            expected="letters, digits and underscores, beginning with a letter",
            actual=_name(path, component),
            events=tuple(one.stray_telemetry.pop(path)),
            remedy="Rename it and declare it in the model.",
        )


def _deleted(path: str, n: int) -> Finding:
    return finding(
        requirements.DEVICE_TWIN,
        "property-deleted",
        f"The device reports {path} as null, which deletes it from the twin.",
        severity=Severity.INFO,
        element=path,
        actual="null",
        events=(n,),
        remedy="Report a value, if deleting it was not meant.",
    )


def _unacknowledged(path: str, report: Report, severity: Severity) -> Finding:
    return finding(
        requirements.CONVENTIONS,
        "ack-incomplete",
        f"The writable property {path} is reported without ac and av.",
        severity=severity,
        element=path,
        expected=example("the desired $version"),
        actual="the bare value",
        events=(report.n,),
        remedy="Report writable properties with value, ac and av; of its own accord a device says ac 203 and av 0.",
    )


def _unfinished(path: str, report: Report, severity: Severity) -> Finding:
    return finding(
        requirements.DEVICE_TWIN,
        "ack-code",
        f"The change of {path} was announced as in progress (ac 202) and did not finish while it was watched.",
        severity=severity,
        element=path,
        expected="ac = 200 in the end",
        actual="ac = 202",
        events=(report.n,),
        remedy="Report the property again with ac 200 once the change is done.",
    )


def _not_answered(path: str, desired: _Desired, severity: Severity) -> Finding:
    return finding(
        requirements.DEVICE_TWIN,
        "property-not-acknowledged",
        f"The device did not acknowledge {path} after the service set it.",
        severity=severity,
        element=path,
        expected=f"a reported {example(desired.version)}",
        actual="no report of this property",
        events=(desired.n,),
        remedy="Answer every desired change with a reported property that carries value, ac and av.",
    )

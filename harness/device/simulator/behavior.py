"""What a device with a given model says and answers: data in, data out, no I/O.

`ModelDevice` keeps to the IoT Plug and Play conventions; the faulty devices of `faults` wrap it. Whoever
carries the messages (`session`, or a test) asks in this order: `initial_report` once with the desired
section of the twin, then `telemetry` for every round, `on_desired` and `on_command` as they arrive.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from harness.dtdl import Capability, NotInstantiable, check_value, sample

from .limits import encode, pack, twin_sample

Key = tuple[str | None, str]
"""Component (None for the root) and name of a property, a telemetry or a command."""

Patch = dict[str, object]
"""A patch of the reported section, as it is sent."""

MARKER = "__t"
"""Tells a component from a property in a twin: `"__t": "c"` (IoT Plug and Play conventions)."""

ACCEPTED, IN_PROGRESS, OWN_VALUE, REJECTED, NOT_FOUND = 200, 202, 203, 400, 404


@dataclass(frozen=True, slots=True)
class Message:
    """Telemetry of one component. `component` travels as the message property `$.sub`."""

    component: str | None
    values: Mapping[str, object]
    content_type: str = "application/json"
    content_encoding: str = "utf-8"

    @property
    def payload(self) -> bytes:
        return encode(self.values)


@dataclass(frozen=True, slots=True)
class Reply:
    """Answer to a command: an HTTP-like status and the bare value of the response schema (None = no body)."""

    status: int
    payload: Any = None


class Behavior(Protocol):
    """What a device does, as far as its model and the conventions are concerned."""

    def telemetry(self) -> list[Message]:
        """The messages of the next round: every declared telemetry once."""

    def initial_report(self, desired: Mapping[str, object]) -> Patch:
        """What the device reports at start, given the desired section of its twin (`$version` included)."""

    def on_desired(self, desired: object) -> Patch:
        """The answer to a notification of desired properties; empty where there is nothing to say."""

    def on_command(self, name: str, payload: object) -> Reply | None:
        """The answer to the direct method `name` (`component*command` in a component); None is no answer."""


class ModelDevice:
    """The good device. Its values are samples of the model's schemas, the same ones in every run.

    `say` is told, in a sentence, of everything that the device leaves undone.
    """

    def __init__(self, capabilities: Sequence[Capability], say: Callable[[str], None] = lambda sentence: None) -> None:
        self._say = say
        self._components = {c.component for c in capabilities if c.component is not None}
        self._telemetry: dict[Key, Capability] = {}
        self._properties: dict[Key, Capability] = {}
        self._commands: dict[str, Capability] = {}
        self._values: dict[Key, object] = {}
        self._wanted: dict[Key, object] = {}
        self._answered: dict[Key, int] = {}
        self._started_at = 0
        self._round = 0
        for capability in capabilities:
            self._add(capability)

    def _add(self, capability: Capability) -> None:
        key = (capability.component, capability.name)
        try:
            if capability.kind == "command":
                _respond(capability)
                self._commands[command_name(capability)] = capability
            elif capability.schema is None:
                raise NotInstantiable("its schema is unknown")
            elif capability.kind == "telemetry":
                sample(capability.element)
                self._telemetry[key] = capability
            else:
                self._values[key] = twin_sample(capability.element, capability.path)
                self._properties[key] = capability
        except (NotInstantiable, ValueError) as e:
            self._say(f"{capability.kind} {capability.path} is left out: {e}")

    def telemetry(self) -> list[Message]:
        self._round += 1
        groups: dict[str | None, dict[str, object]] = {}
        for (component, name), capability in self._telemetry.items():
            seed = f"{capability.path} {self._round}"
            groups.setdefault(component, {})[name] = sample(capability.element, seed=seed)
        return [Message(component, body) for component, values in groups.items() for body in pack(values)]

    def initial_report(self, desired: Mapping[str, object]) -> Patch:
        answers = self._answers(desired)
        self._started_at = version_of(desired) or 0
        report: dict[Key, object] = {}
        for key, capability in self._properties.items():
            if not capability.writable:
                report[key] = self._values[key]
            else:
                report[key] = answers.get(key) or self._own_value(key, "initial value")
        return as_patch(report)

    def on_desired(self, desired: object) -> Patch:
        if not isinstance(desired, Mapping) or version_of(desired) is None:
            self._say("desired properties without a $version are ignored")
            return {}
        return as_patch(self._answers(desired))

    def on_command(self, name: str, payload: object) -> Reply:
        capability = self._commands.get(name)
        if capability is None:
            return Reply(NOT_FOUND, {"error": f"no command {name}"})
        problem = _objection(capability, payload)
        if problem:
            return Reply(REJECTED, {"error": problem})
        return _respond(capability)

    def _answers(self, desired: Mapping[str, object]) -> dict[Key, object]:
        version = version_of(desired) or 0
        answers = {}
        for key, value in self._entries(desired):
            capability = self._properties.get(key)
            if capability is None or not capability.writable:
                self._say(f"desired {_path(key)} is ignored: the model has no such writable property")
            elif version <= self._answered.get(key, self._started_at):
                self._say(f"desired {_path(key)} is ignored: version {version} is not newer")
            else:
                self._answered[key] = version
                answers[key] = self._answer(key, capability, value, version)
        return answers

    def _entries(self, desired: Mapping[str, object]) -> list[tuple[Key, object]]:
        entries: list[tuple[Key, object]] = []
        for name, value in desired.items():
            if name.startswith("$"):
                continue
            if name not in self._components:
                entries.append(((None, name), value))
            elif isinstance(value, Mapping):
                entries += [((name, n), v) for n, v in value.items() if n != MARKER and not n.startswith("$")]
            elif value is None:
                entries += [(k, None) for k, c in self._properties.items() if k[0] == name and c.writable]
            else:
                self._say(f"desired {name} is ignored: a component is an object of properties")
        return entries

    def _answer(self, key: Key, capability: Capability, value: object, version: int) -> object:
        if value is None:
            self._wanted.pop(key, None)
            return self._own_value(key, "nothing desired any more")
        readings = self._readings(key, value)
        for wanted in readings:
            if not check_value(capability.element, wanted):
                self._wanted[key] = self._values[key] = wanted
                return envelope(wanted, ACCEPTED, version, "accepted")
        problem = check_value(capability.element, readings[0])[0]
        return envelope(self._values[key], REJECTED, version, problem.message)

    def _readings(self, key: Key, value: object) -> list[object]:
        """What a desired `value` may mean, likeliest first.

        Twins notify of what changed within an object; the conventions have the service send it whole; and Azure's page
        on payloads once shows a value wrapped in an object, where all other pages show it bare.
        """
        readings = [merge(self._wanted.get(key), value), merge(None, value)]
        if isinstance(value, Mapping) and value.keys() == {"value"}:
            readings.append(value["value"])
        return readings

    def _own_value(self, key: Key, why: str) -> object:
        return envelope(self._values[key], OWN_VALUE, 0, why)


def envelope(value: object, code: int, version: int, description: str) -> dict[str, object]:
    """The report of a writable property: the value in use, acknowledgement code, version and description."""
    return {"value": value, "ac": code, "av": version, "ad": description}


def as_patch(values: Mapping[Key, object]) -> Patch:
    """Property values by component and name as a patch of the reported section, components marked."""
    patch: Patch = {}
    for (component, name), value in values.items():
        if component is None:
            patch[name] = value
        else:
            section = patch.setdefault(component, {MARKER: "c"})
            assert isinstance(section, dict)
            section[name] = value
    return patch


def command_name(capability: Capability) -> str:
    """The name of the direct method: `command`, or `component*command`."""
    return capability.name if capability.component is None else f"{capability.component}*{capability.name}"


def merge(target: object, patch: object) -> object:
    """RFC 7396, which is how twins change: members that are null go, objects merge, the rest replaces."""
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def _objection(capability: Capability, payload: object) -> str | None:
    """Why the request cannot be carried out. A command without a request takes whatever comes."""
    request = capability.request
    if request is None or (payload is None and request.get("nullable") is True):
        return None
    problems = check_value(request, payload)
    return problems[0].message if problems else None


def _respond(capability: Capability) -> Reply:
    response = capability.response
    return Reply(ACCEPTED, None if response is None else sample(response, seed=capability.path))


def version_of(desired: object) -> int | None:
    """`$version` of the desired section, or of a patch of it; None where it has none."""
    version = desired.get("$version") if isinstance(desired, Mapping) else None
    return version if isinstance(version, int) and not isinstance(version, bool) else None


def _path(key: Key) -> str:
    component, name = key
    return name if component is None else f"{component}.{name}"

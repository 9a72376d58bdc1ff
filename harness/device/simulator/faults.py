"""Ways to misbehave: each changes one thing of a good device, so that a test can see who notices.

A fault changes either the plan of the connection (what is announced, how far the device gets) or the
behavior, by wrapping it. `FAULTS` is the list; several can be combined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeGuard

from harness.dtdl import Capability

from .behavior import MARKER, Behavior, Key, Message, Patch, Reply, command_name
from .conduct import Conduct
from .limits import encode
from .plan import Plan, Reach
from .resilience_faults import RESILIENCE_FAULTS

COMMAND_FAILED = 500
OMIT = object()
"""What an edit returns for a value that is to be left out."""

Edit = Callable[[Key, object], object]


class FaultError(ValueError):
    """A fault was asked for that does not exist or does not apply. The text says what does."""


class Wrapper:
    """A behavior that passes everything on: what a fault does not override stays good."""

    def __init__(self, inner: Behavior, target: Capability | None = None) -> None:
        self.inner = inner
        self.target = target

    @property
    def key(self) -> Key | None:
        return None if self.target is None else (self.target.component, self.target.name)

    def telemetry(self) -> list[Message]:
        return self.inner.telemetry()

    def initial_report(self, desired: Mapping[str, object]) -> Patch:
        return self.report(self.inner.initial_report(desired))

    def on_desired(self, desired: object) -> Patch:
        return self.report(self.inner.on_desired(desired))

    def on_command(self, name: str, payload: object) -> Reply:
        return self.inner.on_command(name, payload)

    def report(self, patch: Patch) -> Patch:
        """Every patch of reported properties passes here on its way out."""
        return patch


class MissingTelemetry(Wrapper):
    def telemetry(self) -> list[Message]:
        return [m for m in edit_messages(self.inner.telemetry(), self._edit) if m.values]

    def _edit(self, key: Key, value: object) -> object:
        return OMIT if key == self.key else value


class MissingProperty(Wrapper):
    def report(self, patch: Patch) -> Patch:
        return edit_patch(patch, self._edit)

    def _edit(self, key: Key, value: object) -> object:
        return OMIT if key == self.key else value


class WrongType(Wrapper):
    """The telemetry, property or command response has another JSON type than its schema's."""

    def telemetry(self) -> list[Message]:
        return edit_messages(self.inner.telemetry(), self._edit)

    def report(self, patch: Patch) -> Patch:
        return edit_patch(patch, self._edit)

    def on_command(self, name: str, payload: object) -> Reply:
        reply = self.inner.on_command(name, payload)
        ours = self.target is not None and self.target.kind == "command" and command_name(self.target) == name
        return replace(reply, payload=mistyped(reply.payload)) if ours and reply.status < 300 else reply

    def _edit(self, key: Key, value: object) -> object:
        if key != self.key:
            return value
        return {**value, "value": mistyped(value["value"])} if is_envelope(value) else mistyped(value)


class BareAck(Wrapper):
    """Writable properties are reported as if they were read-only."""

    def report(self, patch: Patch) -> Patch:
        return edit_patch(patch, self._edit)

    def _edit(self, key: Key, value: object) -> object:
        return value["value"] if is_envelope(value) else value


class CommandError(Wrapper):
    def on_command(self, name: str, payload: object) -> Reply:
        if self.target is not None and command_name(self.target) == name:
            return Reply(COMMAND_FAILED, {"error": "this command always fails"})
        return self.inner.on_command(name, payload)


def mistyped(value: object) -> object:
    """`value` as another JSON type: text becomes a number, everything else text (as 21.5 → "21.5")."""
    return 4711 if isinstance(value, str) else encode(value).decode()


def is_envelope(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, Mapping) and {"value", "ac", "av"} <= value.keys()


def edit_messages(messages: Iterable[Message], edit: Edit) -> list[Message]:
    return [replace(m, values=_edited(m.component, m.values, edit)) for m in messages]


def edit_patch(patch: Patch, edit: Edit) -> Patch:
    """The patch with every property edited; a component of which nothing is left goes as well."""
    edited: Patch = {}
    for name, value in patch.items():
        if isinstance(value, Mapping) and value.get(MARKER) == "c":
            rest = {n: v for n, v in value.items() if n != MARKER}
            section = _edited(name, rest, edit)
            edited |= {name: {MARKER: "c", **section}} if section else {}
        else:
            edited |= _edited(None, {name: value}, edit)
    return edited


def _edited(component: str | None, values: Mapping[str, object], edit: Edit) -> dict[str, object]:
    edited = {name: edit((component, name), value) for name, value in values.items()}
    return {name: value for name, value in edited.items() if value is not OMIT}


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of the library. `of` names the kinds of capability it can hit; empty = it takes no path.

    One that changes the conduct needs a device without an SDK (`raw`).
    """

    help: str
    of: tuple[str, ...] = ()
    plan: Callable[[Plan], Plan] | None = None
    behavior: type[Wrapper] | None = None
    conduct: Callable[[Conduct], Conduct] | None = None

    @property
    def raw(self) -> bool:
        return self.conduct is not None


FAULTS: Mapping[str, Fault] = {
    "missing-telemetry": Fault("never sends the telemetry PATH", of=("telemetry",), behavior=MissingTelemetry),
    "missing-property": Fault("never reports the property PATH", of=("property",), behavior=MissingProperty),
    "wrong-type": Fault(
        "gives PATH another JSON type (text for a number, a number for text)",
        of=("telemetry", "property", "command"),
        behavior=WrongType,
    ),
    "command-error": Fault("answers the command PATH with status 500", of=("command",), behavior=CommandError),
    "bare-ack": Fault("reports writable properties without value, ac and av", behavior=BareAck),
    "no-dps-model-id": Fault("registers without the model id", plan=lambda p: replace(p, dps_payload=None)),
    "no-hub-model-id": Fault("connects to the hub without the model id", plan=lambda p: replace(p, hub_model_id=None)),
    "silent": Fault("never connects to anything", plan=lambda p: replace(p, reach=Reach.NOWHERE)),
    "no-hub": Fault("registers, never connects to the hub", plan=lambda p: replace(p, reach=Reach.PROVISIONED)),
    "exit-early": Fault(
        "ends with status 3 before it registers", plan=lambda p: replace(p, reach=Reach.NOWHERE, ends=True)
    ),
    **{name: Fault(text, conduct=change) for name, (text, change) in RESILIENCE_FAULTS.items()},
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """A fault as asked for: `name` or `name=path`."""

    name: str
    path: str | None

    @property
    def fault(self) -> Fault:
        return FAULTS[self.name]

    def change(self, plan: Plan) -> Plan:
        """The plan with this fault in it; the same plan where the fault lies in the behavior."""
        return self.fault.plan(plan) if self.fault.plan is not None else plan

    def conduct(self, conduct: Conduct) -> Conduct:
        """The conduct with this fault in it."""
        return self.fault.conduct(conduct) if self.fault.conduct is not None else conduct


def choose(text: str) -> Chosen:
    """Read `name` or `name=path`. Raises FaultError."""
    name, _, path = text.partition("=")
    if name not in FAULTS:
        raise FaultError(f"There is no fault `{name}`. Choose one of: {', '.join(FAULTS)}.")
    if bool(path) != bool(FAULTS[name].of):
        wanted = f"{name}=PATH, as {name}=thermostat1.temperature" if FAULTS[name].of else f"{name}, without a path"
        raise FaultError(f"The fault `{text}` is written {wanted}.")
    return Chosen(name, path or None)


def misbehaving(device: Behavior, chosen: Iterable[Chosen], capabilities: Sequence[Capability]) -> Behavior:
    """`device` with the faults wrapped around it. Raises FaultError where the model has no such path."""
    for choice in chosen:
        if choice.fault.behavior is not None:
            device = choice.fault.behavior(device, _target(choice, capabilities))
    return device


def _target(choice: Chosen, capabilities: Sequence[Capability]) -> Capability | None:
    if choice.path is None:
        return None
    possible = {c.path: c for c in capabilities if c.kind in choice.fault.of}
    if choice.path not in possible:
        kinds = " or ".join(choice.fault.of)
        raise FaultError(
            f"The fault `{choice.name}={choice.path}` does not apply: the model has no such {kinds}. "
            f"It has: {', '.join(possible) or 'none'}."
        )
    return possible[choice.path]

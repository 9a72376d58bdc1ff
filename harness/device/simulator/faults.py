"""Ways to misbehave: each changes one thing of a good device, so that a test can see who notices.

A fault changes either the plan of the connection (what is announced, how far the device gets) or the
behavior, by wrapping it. `FAULTS` is the list; several can be combined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from harness.dtdl import Capability

from .behavior import Behavior, Key, Message, Patch, Reply
from .command_faults import COMMAND_FAULTS
from .conduct import Conduct
from .connection_faults import CONNECTION_FAULTS
from .oddities import ODD_BEHAVIOR, ODDITIES
from .plan import Plan, Reach
from .registration_faults import REGISTRATION_FAULTS
from .resilience_faults import RESILIENCE_FAULTS
from .telemetry_faults import TELEMETRY_FAULTS
from .twin_faults import TWIN_FAULTS
from .wire_faults import WIRE_FAULTS
from .wrapping import Make, Wrapper, edit_messages, edit_patch, is_envelope, mistyped


class FaultError(ValueError):
    """A fault was asked for that does not exist or does not apply. The text says what does."""


class WrongType(Wrapper):
    """The telemetry, property or command response has another JSON type than its schema's."""

    def telemetry(self) -> list[Message]:
        return edit_messages(self.inner.telemetry(), self._edit)

    def report(self, patch: Patch) -> Patch:
        return edit_patch(patch, self._edit)

    def on_command(self, name: str, payload: object) -> Reply | None:
        reply = self.inner.on_command(name, payload)
        ours = self.target is not None and self.target.kind == "command" and self.method == name
        return replace(reply, payload=mistyped(reply.payload)) if reply and ours and reply.status < 300 else reply

    def _edit(self, key: Key, value: object) -> object:
        if key != self.key:
            return value
        return {**value, "value": mistyped(value["value"])} if is_envelope(value) else mistyped(value)


@dataclass(frozen=True, slots=True)
class Fault:
    """One entry of the library. `of` names the kinds of capability it can hit; empty = it takes no path.

    One that changes the conduct needs a device without an SDK (`raw`).
    """

    help: str
    of: tuple[str, ...] = ()
    plan: Callable[[Plan], Plan] | None = None
    behavior: Make | None = None
    conduct: Callable[[Conduct], Conduct] | None = None

    @property
    def raw(self) -> bool:
        return self.conduct is not None


_OF_BEHAVIOR = (TELEMETRY_FAULTS, TWIN_FAULTS, COMMAND_FAULTS, ODD_BEHAVIOR)
_OF_CONDUCT = (REGISTRATION_FAULTS, CONNECTION_FAULTS, WIRE_FAULTS, RESILIENCE_FAULTS, ODDITIES)

FAULTS: Mapping[str, Fault] = {
    "wrong-type": Fault(
        "gives PATH another JSON type (text for a number, a number for text)",
        of=("telemetry", "property", "command"),
        behavior=WrongType,
    ),
    "no-dps-model-id": Fault("registers without the model id", plan=lambda p: replace(p, dps_payload=None)),
    "no-hub-model-id": Fault("connects to the hub without the model id", plan=lambda p: replace(p, hub_model_id=None)),
    "silent": Fault("never connects to anything", plan=lambda p: replace(p, reach=Reach.NOWHERE)),
    "no-hub": Fault("registers, never connects to the hub", plan=lambda p: replace(p, reach=Reach.PROVISIONED)),
    "exit-early": Fault(
        "ends with status 3 before it registers", plan=lambda p: replace(p, reach=Reach.NOWHERE, ends=True)
    ),
    **{name: Fault(f.help, of=f.of, behavior=f.make) for table in _OF_BEHAVIOR for name, f in table.items()},
    **{name: Fault(text, conduct=change) for table in _OF_CONDUCT for name, (text, change) in table.items()},
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

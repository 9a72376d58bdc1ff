"""Ways to go wrong in what is sent: names, components and values of telemetry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from .behavior import MARKER, Message
from .dying import Away, die
from .wrapping import OMIT, Make, Wrapper, messages, telemetry_value


@dataclass(frozen=True, slots=True)
class BehaviorFault:
    """A line of these tables: what it does, the kinds of capability it takes a path of, and its wrapper."""

    help: str
    of: tuple[str, ...]
    make: Make


_ONE = ("telemetry",)
_LAST_ROUND = 12


def _renamed(rename: str) -> Make:
    """Beside what is right one more value, under a name that no model (of ours) declares."""
    return messages(lambda m: [replace(m, values={**m.values, rename: 1})] if m.component is None else [m])


def _capitals(message: Message) -> list[Message]:
    return [replace(message, values={name.capitalize(): value for name, value in message.values.items()})]


def _without_component(message: Message) -> list[Message]:
    return [replace(message, component=None)]


def _nested(message: Message) -> list[Message]:
    if message.component is None:
        return [message]
    return [replace(message, component=None, values={message.component: {MARKER: "c", **message.values}})]


def _of_another(message: Message) -> list[Message]:
    return [message if message.component is None else replace(message, component=message.component + "x")]


def _wrapped(message: Message) -> list[Message]:
    return [replace(message, values={"telemetry": message.values})] if message.component is None else [message]


def _beyond(value: object) -> object:
    return 2**40 if isinstance(value, int) else value


def _foreign_member(value: object) -> object:
    return {**value, "preflight": 1} if isinstance(value, Mapping) else value


class _Leaves(Wrapper):
    """Does its work for a while, and then no more."""

    _rounds = 0

    def telemetry(self) -> list[Message]:
        self._rounds += 1
        if self._rounds > _LAST_ROUND:
            self.leave()
        return self.inner.telemetry()

    def leave(self) -> None:
        die("old age")


class _LetsGo(_Leaves):
    def leave(self) -> None:
        raise Away


TELEMETRY_FAULTS: Mapping[str, BehaviorFault] = {
    "missing-telemetry": BehaviorFault("never sends the telemetry PATH", _ONE, telemetry_value(lambda v: OMIT)),
    "no-telemetry": BehaviorFault("never sends anything", (), messages(lambda m: [])),
    "end-later": BehaviorFault(f"ends after {_LAST_ROUND} rounds of telemetry", (), _Leaves),
    "go-later": BehaviorFault(f"disconnects after {_LAST_ROUND} rounds of telemetry, for good", (), _LetsGo),
    "telemetry-null": BehaviorFault("sends null for PATH", _ONE, telemetry_value(lambda v: None)),
    "telemetry-too-large": BehaviorFault("sends a number too large for an integer", _ONE, telemetry_value(_beyond)),
    "telemetry-more-fields": BehaviorFault(
        "adds a field to the object PATH that its schema lacks", _ONE, telemetry_value(_foreign_member)
    ),
    "telemetry-capitals": BehaviorFault("writes names of telemetry with a capital letter", (), messages(_capitals)),
    "telemetry-without-component": BehaviorFault(
        "sends the telemetry of components as if it were the root's", (), messages(_without_component)
    ),
    "telemetry-nested": BehaviorFault("puts components into the body, with their marker", (), messages(_nested)),
    "telemetry-of-another": BehaviorFault("names components that the model lacks", (), messages(_of_another)),
    "telemetry-wrapped": BehaviorFault("wraps the root's telemetry in an object `telemetry`", (), messages(_wrapped)),
    "telemetry-undeclared": BehaviorFault("sends a value that the model lacks", (), _renamed("preflight")),
    "telemetry-reserved-name": BehaviorFault("sends a value named as IoT Central names its own", (), _renamed("User")),
    "telemetry-underscore": BehaviorFault("sends a value whose name begins with _", (), _renamed("_preflight")),
    "telemetry-illegal-name": BehaviorFault("sends a value that no model can declare", (), _renamed("pre flight")),
}

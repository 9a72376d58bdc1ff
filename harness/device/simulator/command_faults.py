"""Ways to go wrong with commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from .behavior import ACCEPTED, NOT_FOUND, REJECTED, Reply
from .dying import Away, die
from .limits import encode
from .running import pause
from .telemetry_faults import BehaviorFault
from .wrapping import Wrapper, command

_ONE = ("command",)
COMMAND_FAILED = 500
_SLOW = 8.0
"""Seconds, beyond the shortest time-out that IoT Hub takes."""

Good = Callable[[], Reply | None]
"""The good device's reply."""


def _with(edit: Callable[[Reply], Reply | None]) -> Callable[[object, Good], Reply | None]:
    """Edits the reply to a request that was carried out."""

    def answer(payload: object, good: Good) -> Reply | None:
        reply = good()
        return edit(reply) if reply is not None and reply.status < 300 else reply

    return answer


def _late(payload: object, good: Good) -> Reply | None:
    pause(_SLOW)
    return good()


def _needs_body(payload: object, good: Good) -> Reply | None:
    return Reply(REJECTED, {"error": "an empty request"}) if payload in (None, "", {}) else good()


def _away(payload: object, good: Good) -> Reply | None:
    raise Away


def _rejected(edit: Callable[[], Reply | None]) -> Callable[[object, Good], Reply | None]:
    """What becomes of a request that the good device refuses."""

    def answer(payload: object, good: Good) -> Reply | None:
        reply = good()
        return edit() if reply is not None and reply.status == REJECTED else reply

    return answer


class _Slashes(Wrapper):
    """Knows the commands of its components as `component/command`."""

    def on_command(self, name: str, payload: object) -> Reply | None:
        return Reply(NOT_FOUND) if "*" in name else self.inner.on_command(name.replace("/", "*"), payload)


class _Once(Wrapper):
    """The target works the first time."""

    _done = False

    def on_command(self, name: str, payload: object) -> Reply | None:
        reply = self.inner.on_command(name, payload)
        if name != self.method or reply is None or reply.status >= 300:
            return reply
        done, self._done = self._done, True
        return Reply(COMMAND_FAILED, {"error": "not twice"}) if done else reply


class _Unknown(Wrapper):
    """Commands that the model lacks get another reply."""

    reply: Reply | None = None

    def on_command(self, name: str, payload: object) -> Reply | None:
        reply = self.inner.on_command(name, payload)
        return self.reply if reply is not None and reply.status == NOT_FOUND else reply


class _UnknownAccepted(_Unknown):
    reply = Reply(ACCEPTED)


class _GoesForGood(Wrapper):
    """Answers, and goes away for good at the next thing it would do."""

    _going = False

    def on_command(self, name: str, payload: object) -> Reply | None:
        reply = self.inner.on_command(name, payload)
        self._going = self._going or name == self.method
        return reply

    def telemetry(self):  # type: ignore[no-untyped-def]
        if self._going:
            raise Away
        return self.inner.telemetry()


COMMAND_FAULTS: Mapping[str, BehaviorFault] = {
    "command-error": BehaviorFault(
        "answers the command PATH with status 500",
        _ONE,
        command(lambda payload, good: Reply(COMMAND_FAILED, {"error": "this command always fails"})),
    ),
    "command-silent": BehaviorFault("does not answer the command PATH", _ONE, command(lambda payload, good: None)),
    "command-slow": BehaviorFault(f"answers the command PATH after {_SLOW:g} s", _ONE, command(_late)),
    "command-slashes": BehaviorFault("knows commands of components as component/command", (), _Slashes),
    "command-needs-body": BehaviorFault("refuses an empty request of PATH", _ONE, command(_needs_body)),
    "command-response-twice": BehaviorFault(
        "serialises the response of PATH twice",
        _ONE,
        command(_with(lambda r: replace(r, payload=encode(r.payload).decode()))),
    ),
    "command-response-named": BehaviorFault(
        "puts the response of PATH into an object",
        _ONE,
        command(_with(lambda r: Reply(r.status, {"value": r.payload}))),
    ),
    "command-response-missing": BehaviorFault(
        "answers PATH without a response", _ONE, command(_with(lambda r: Reply(r.status)))
    ),
    "command-response-undeclared": BehaviorFault(
        "answers PATH, which has none, with a response", _ONE, command(_with(lambda r: Reply(r.status, {"done": True})))
    ),
    "command-once": BehaviorFault("fails the command PATH from the second time on", _ONE, _Once),
    "command-unknown-accepted": BehaviorFault("answers unknown commands with status 200", (), _UnknownAccepted),
    "command-unknown-silent": BehaviorFault("does not answer unknown commands", (), _Unknown),
    "command-takes-anything": BehaviorFault(
        "takes any request of PATH", _ONE, command(_rejected(lambda: Reply(ACCEPTED)))
    ),
    "command-invalid-silent": BehaviorFault(
        "does not answer invalid requests of PATH", _ONE, command(_rejected(lambda: None))
    ),
    "command-invalid-dies": BehaviorFault(
        "ends at an invalid request of PATH", _ONE, command(_rejected(lambda: die("an invalid request")))
    ),
    "command-dies": BehaviorFault("ends at the command PATH", _ONE, command(lambda payload, good: die("a command"))),
    "command-goes-away": BehaviorFault("disconnects at the command PATH, for good", _ONE, command(_away)),
    "command-no-return": BehaviorFault("answers the command PATH and goes away for good", _ONE, _GoesForGood),
}

"""What a simulated device is made of, whichever way it talks: its model, how it ends, and where it says so."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from .settings import Settings

if TYPE_CHECKING:
    from .behavior import Behavior
    from .faults import Chosen

FAILED, UNUSABLE, ENDED_EARLY = 1, 2, 3
"""Exit codes: the services refused or were not there; the settings or the model; the fault `exit-early`."""

SHOWN = 300
"""Characters of a payload that a log line shows."""

Say = Callable[[str], None]


class SessionError(Exception):
    """The simulator cannot go on. The text says why and what to do; `code` is the exit code."""

    def __init__(self, text: str, code: int = FAILED) -> None:
        super().__init__(text)
        self.code = code


class Stopped(BaseException):
    """A signal asked the program to end. No `except Exception` of the SDK may swallow it."""


def play_until_stopped(play: Callable[[], int], say: Say) -> int:
    """Play until a signal stops it; the exit code. Call it on the main thread."""
    try:
        with _stopping_on_signals():
            return play()
    except Stopped:
        say("stopped")
        return 0
    except SessionError as e:
        say(str(e))
        return e.code


def device_of(settings: Settings, chosen: Sequence[Chosen], say: Say) -> Behavior:
    """The behavior that the settings and faults name. Raises SessionError."""
    # Imported this late to let the registration go first.
    from harness.dtdl import ModelError, ModelNotFound, Repository, ResolutionError

    from .behavior import ModelDevice
    from .faults import FaultError, misbehaving

    try:
        with Repository(settings.models) as repository:
            resolved = repository.resolve(settings.model_id)
        capabilities = resolved.model.capabilities(settings.model_id)
    except (ModelNotFound, ModelError, ResolutionError, ValueError) as e:
        raise SessionError(str(e), UNUSABLE) from None
    except KeyError as e:  # not an Interface
        raise SessionError(f"{settings.model_id} cannot be played: {e.args[0]}.", UNUSABLE) from None
    say(f"model read from {resolved.location}: {len(capabilities)} telemetries, properties and commands")
    try:
        return misbehaving(ModelDevice(capabilities, say), chosen, capabilities)
    except FaultError as e:
        raise SessionError(str(e), UNUSABLE) from None


def pause(seconds: float) -> None:
    """Do nothing for so long; a signal ends it."""
    while seconds > 0:
        # Bounded, because Windows runs signal handlers between two waits only.
        step = min(seconds, 1.0)
        threading.Event().wait(step)
        seconds -= step


def idle() -> NoReturn:
    """Do nothing more, until a signal."""
    while True:
        pause(3600)


def shown(value: object) -> str:
    """A payload as a log line has it."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text)} characters)"


@contextmanager
def _stopping_on_signals() -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        for each in signals:
            signal.signal(each, signal.SIG_DFL)
        raise Stopped

    names = ("SIGTERM", "SIGINT", "SIGBREAK")
    signals = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {each: signal.signal(each, stop) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)

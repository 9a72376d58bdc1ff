"""What a trial is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.checks import trials as t

if TYPE_CHECKING:
    from harness.run.trials.stage import Stage


@dataclass(frozen=True, slots=True)
class Trial:
    """`name` is one of `harness.checks.trials`, `title` says what happens, for the progress line.

    `conduct` disturbs and waits, and returns what ended it in a few words; the checks judge. `faults`, in the words of
    a fault plan, are ordered before. `fresh`: the device is started anew, after that; `moves`: in another ID scope. A
    trial that is not fresh needs a connected device.
    """

    name: str
    title: str
    conduct: Callable[[Stage], Awaitable[str]]
    faults: tuple[Mapping[str, Any], ...] = ()
    fresh: bool = False
    moves: bool = False


IN_TIME = "what was awaited"
NOTHING = t.NOTHING


def saw(found: bool) -> str:
    """How a trial ended whose last wait found something, or nothing."""
    return IN_TIME if found else NOTHING

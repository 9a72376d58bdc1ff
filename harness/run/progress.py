"""What a waiting person sees: what is awaited, how much of it was seen, and the time left.

The core tells a `Progress` and never looks at a terminal; the plugin supplies one that draws.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Protocol


class Progress(Protocol):
    def phase(self, text: str) -> contextlib.AbstractContextManager[None]:
        """Something is waited for, as a sentence, while the context is open."""

    def deadline(self, seconds: float) -> contextlib.AbstractContextManager[None]:
        """The wait under way ends after so many seconds at the latest."""

    def update(self, what: str, seen: int, awaited: int) -> None:
        """So many of the awaited things were seen."""


class Quiet:
    """Draws nothing."""

    @contextlib.contextmanager
    def phase(self, text: str) -> Iterator[None]:
        yield

    @contextlib.contextmanager
    def deadline(self, seconds: float) -> Iterator[None]:
        yield

    def update(self, what: str, seen: int, awaited: int) -> None:
        pass

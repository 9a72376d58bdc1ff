"""What keeps a device from being tested: one cause, told apart by its code."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Cause:
    """`code` is the finding's; `text` says in a sentence what happened, `remedy` what the maker does, `tail` what the
    device printed last. `events` are entry numbers of the record.
    """

    code: str
    text: str
    remedy: str = ""
    tail: str = ""
    events: tuple[int, ...] = ()

    def with_(self, **changes: Any) -> Cause:
        """The same with some fields changed."""
        return replace(self, **changes)

    def __str__(self) -> str:
        """The cause as one paragraph, for everything that it blocks."""
        return " ".join(part for part in (self.text, self.remedy) if part) + self.tail

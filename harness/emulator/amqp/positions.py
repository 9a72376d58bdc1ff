"""Where a receiver starts to read: Event Hubs' selector filters, parsed and looked up in a partition.

amqp.annotation.x-opt-offset > '-1' | '@latest' | '4120'
amqp.annotation.x-opt-sequence-number >= '17'
amqp.annotation.x-opt-enqueued-time > '1714550400000'
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.emulator.amqp.journal import Partition

SELECTOR = "apache.org:selector-filter:string"
_FORM = re.compile(
    r"\s*amqp\.annotation\.x-opt-(offset|sequence-number|enqueued-?time(?:utc)?)\s*(>=?)\s*'?(@latest|-?\d{1,19})'?\s*",
    re.IGNORECASE,
)


class InvalidPosition(ValueError):
    """The filter has no form that Event Hubs knows, or points behind the partition's end."""


@dataclass(frozen=True, slots=True)
class Position:
    """`what` is offset, sequence-number or enqueued-time; `value` None is the end of the partition."""

    what: str
    value: int | None
    inclusive: bool

    def start_in(self, partition: Partition) -> int:
        """Return the sequence number to read first. Raises InvalidPosition for one that cannot be."""
        value = self.value
        if value is None:
            # "From the last event on" and "after the last event" are different things to ask for.
            return max(partition.next_sequence - 1, 0) if self.inclusive else partition.next_sequence
        if self.what == "enqueued-time":
            return partition.after_time(value, self.inclusive)
        last = partition.last
        if self.what == "offset":
            if value > (last.offset if last else -1):
                raise InvalidPosition(f"the offset {value} lies behind the last one, {last.offset if last else -1}")
            return partition.after_offset(value, self.inclusive)
        if value > partition.next_sequence - 1:
            raise InvalidPosition(f"the sequence number {value} lies behind the last, {partition.next_sequence - 1}")
        return max(value if self.inclusive else value + 1, partition.first_sequence)


FROM_START = Position("offset", -1, False)


def parse_selector(text: str) -> Position:
    """Raises InvalidPosition."""
    found = _FORM.fullmatch(text)
    if found is None:
        raise InvalidPosition(f"not a selector of Event Hubs: {text[:200]!r}")
    name = found[1].lower()
    what = "enqueued-time" if name.startswith("enqueued") else name
    value = None if found[3].lower() == "@latest" else int(found[3])
    return Position(what, value, found[2] == ">=")

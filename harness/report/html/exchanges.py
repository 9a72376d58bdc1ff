"""What was asked of a device and what it answered, put together from the single events of the record."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.checks.acknowledging import acknowledgement
from harness.checks.evidence import Evidence, path_of
from harness.record import events as ev
from harness.record.events import Entry


@dataclass(frozen=True, slots=True)
class Exchange:
    """A property set and acknowledged, or a command invoked and answered.

    `events` are the entries it consists of, the first of them when it began; `began` and `ended` are seconds since the
    run began, `ended` None where no answer came. `ok` is whether the answer was a success.
    """

    kind: str
    path: str
    purpose: str
    events: tuple[int, ...]
    began: float
    ended: float | None
    sent: Any
    has_payload: bool
    code: int | None
    answer: Any
    description: str = ""
    error: str = ""

    @property
    def ok(self) -> bool:
        return self.code is not None and 200 <= self.code < 300


def exchanges(evidence: Evidence, entries: Sequence[Entry]) -> list[Exchange]:
    """All of them in one evidence, in the order they began."""
    found = [*_properties(evidence, entries), *_commands(evidence, entries)]
    return sorted(found, key=lambda e: e.events[0])


def _properties(evidence: Evidence, entries: Sequence[Entry]) -> Iterator[Exchange]:
    told = {e.version: n for n, e in evidence.of(ev.DesiredChanged)}
    for path, writes in evidence.writes.items():
        for n, write in writes:
            ack = None if write.error else acknowledgement(evidence, path, write.after, write.version)
            desired = told.get(write.version) if write.version is not None else None
            events = tuple(sorted({m for m in (n, desired, ack.n if ack else None) if m}))
            answer = ack.value if ack else None
            envelope = answer if isinstance(answer, Mapping) and "ac" in answer else {}
            code = envelope.get("ac")
            yield Exchange(
                "property",
                path,
                write.purpose,
                events,
                entries[(desired or n) - 1].t,
                ack.t if ack else None,
                write.value,
                True,
                code if isinstance(code, int) else None,
                answer,
                str(envelope.get("ad") or ""),
                write.error,
            )


def _commands(evidence: Evidence, entries: Sequence[Entry]) -> Iterator[Exchange]:
    requested: dict[str, list[tuple[int, ev.MethodRequested]]] = defaultdict(list)
    for n, request in evidence.of(ev.MethodRequested):
        requested[request.name.replace("*", ".", 1)].append((n, request))
    answered = {(e.name, e.request_id): n for n, e in evidence.of(ev.MethodAnswered)}
    sent: dict[str, list[tuple[int, ev.CommandSent]]] = defaultdict(list)
    for n, command in evidence.of(ev.CommandSent):
        sent[path_of(command.component, command.name)].append((n, command))
    for path, calls in sent.items():
        bounds = [n for n, _ in calls[1:]] + [len(entries) + 1]
        for (n, call), until in zip(calls, bounds, strict=True):
            wire = next(((m, r) for m, r in requested.get(path, ()) if n < m < until), None)
            reply = answered.get((wire[1].name, wire[1].request_id)) if wire else None
            returned = next(((m, r) for m, r in evidence.returns.get(path, ()) if n < m < until), None)
            yield _command(entries, path, n, call, wire[0] if wire else None, reply, returned)


def _command(
    entries: Sequence[Entry],
    path: str,
    n: int,
    call: ev.CommandSent,
    wire: int | None,
    reply: int | None,
    returned: tuple[int, ev.CommandReturned] | None,
) -> Exchange:
    events = tuple(sorted(m for m in (n, wire, reply, returned[0] if returned else None) if m))
    result = returned[1] if returned else None
    return Exchange(
        "command",
        path,
        call.purpose,
        events,
        entries[n - 1].t,
        entries[returned[0] - 1].t if returned and result and result.status is not None else None,
        call.payload,
        call.has_payload,
        result.status if result else None,
        result.payload if result else None,
        "",
        result.error if result else "no answer is in the record",
    )

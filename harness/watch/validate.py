"""`preflight validate` without its command line: every device of a source judged by its model while it works."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from harness.checks import requirements
from harness.checks.evidence import Evidence
from harness.checks.model import model_is_found, model_is_valid
from harness.checks.registry import Blocked, finding
from harness.dtdl import Model
from harness.record import events as ev
from harness.record.events import Entry
from harness.verdict import Finding, Severity
from harness.watch.choosing import Choice
from harness.watch.content import harmless
from harness.watch.following import Ended, Taken, follow
from harness.watch.judging import Judge
from harness.watch.kinds import identity_of
from harness.watch.ledger import Ledger, Row
from harness.watch.source import Known, Seen, Source

Resolution = ev.ModelResolved | ev.ModelRejected
Resolve = Callable[[str], tuple[Model | None, Resolution]]
Identity = tuple[str, str | None]


@dataclass
class _Device:
    """A device or module under judgement. `announced` is None as long as it is unknown."""

    judge: Judge
    model_id: str | None
    announced: str | None
    known: Known | None
    since: float
    problems: tuple[Finding, ...] = ()
    judged: int = 0


@dataclass
class Watched:
    """What was judged so far; also readable when the watch was interrupted."""

    ledger: Ledger
    messages: int = 0
    patches: int = 0
    began: float = field(default_factory=time.time)
    listening: bool = False
    ended: Ended | None = None
    known: Sequence[Known] = ()
    last_t: float = 0.0
    last_came: float | None = None

    @property
    def judged(self) -> int:
        return self.messages + self.patches


class Validation:
    """Judges what a source tells. `found` is called with each new finding, `say` with sentences beside them.

    `model` is the one to judge by, with its id; None takes what each device announces, looked up with `resolve`,
    which may block.
    """

    def __init__(
        self,
        source: Source,
        choice: Choice,
        minimum: Severity,
        resolve: Resolve,
        *,
        model: tuple[str, Model] | None = None,
        found: Callable[[Row], None] = lambda row: None,
        say: Callable[[str], None] = lambda sentence: None,
    ) -> None:
        self.watched = Watched(Ledger(minimum))
        self._source = source
        self._choice = choice
        self._resolve = resolve
        self._model = model
        self._found = found
        self._say = say
        self._devices: dict[Identity, _Device] = {}
        self._models: dict[str, tuple[Model | None, Resolution]] = {}
        self._past = False
        self._count: int | None = None

    async def watch(self, *, past: bool = False, count: int | None = None, duration: float | None = None) -> None:
        """Judge until `count` messages and patches were judged or `duration` seconds are over. Raises Broken."""
        self._past, self._count = past, count
        self.watched.ended = await follow(
            self._source, self._take, listening=self._listening, past=past, duration=duration
        )

    def finish(self) -> None:
        """Add what only the end can show. To be called once, however the watch ended."""
        now = time.time()
        whole = self.watched.ended is Ended.TIME_OVER
        came = self.watched.last_came
        # Not by the times of events: the service's clock and this computer's may differ.
        t = self.watched.last_t + time.monotonic() - came - self._source.lag if came is not None else 0.0
        for identity, device in self._devices.items():
            seconds = max(0.0, now - device.since)
            self._note(now, identity, device, device.judge.ended(t, seconds, whole=whole))
        if not self.watched.judged:
            self._add(now, "", None, [self._nothing()])

    async def _listening(self, known: Sequence[Known]) -> None:
        self.watched.known = known
        self._choice.learn(known)
        self.watched.began = time.time()
        self.watched.listening = True
        by = self._model[0] if self._model else "its own model"
        self._say(f"Listening to {self._source.name}. Each device is judged by {by}. Ctrl-C ends it.")
        for one in known:
            identity = (one.device_id, one.module_id)
            if one.connected and self._choice.wants_identity(*identity):
                await self._begin(identity, one.model_id, one, time.time())

    async def _take(self, seen: Seen) -> Taken:
        entry = seen.entry
        self.watched.last_t, self.watched.last_came = entry.t, time.monotonic()
        if not self._choice.wants(entry.event):
            return Taken.PASSED_OVER
        identity = identity_of(entry.event)
        if isinstance(entry.event, ev.HubConnected) and entry.event.return_code == 0:
            await self._connected(identity, entry.event, seen.time)
        if not isinstance(entry.event, (ev.TelemetryReceived, ev.ReportedPatched, ev.DesiredChanged)):
            return Taken.PASSED_OVER
        device = self._devices.get(identity)
        if device is None:
            known = next((k for k in self.watched.known if (k.device_id, k.module_id) == identity), None)
            announced = entry.event.model_id if isinstance(entry.event, ev.TelemetryReceived) else None
            announced = announced or (known.model_id if known else None)
            device = await self._begin(identity, announced, known, seen.time)
        return self._judge(seen, identity, device)

    def _judge(self, seen: Seen, identity: Identity, device: _Device) -> Taken:
        entry = seen.entry
        found = device.judge.arrived(entry)
        if isinstance(entry.event, ev.DesiredChanged):
            return Taken.PASSED_OVER
        if not device.judged:
            found = [*device.problems, *found]
        device.judged += 1
        self._note(seen.time, identity, device, found)
        if isinstance(entry.event, ev.TelemetryReceived):
            self.watched.messages += 1
        else:
            self.watched.patches += 1
        return Taken.ENOUGH if self.watched.judged == self._count else Taken.USED

    async def _connected(self, identity: Identity, event: ev.HubConnected, when: float) -> None:
        device = self._devices.get(identity)
        if device is not None and device.announced == event.model_id:
            return
        known = device.known if device else None
        if device is not None and self._model is None and device.judged:
            self._note(
                when, identity, device, device.judge.ended(self.watched.last_t, when - device.since, whole=False)
            )
        await self._begin(identity, event.model_id, known, when)

    async def _begin(self, identity: Identity, announced: str | None, known: Known | None, when: float) -> _Device:
        """Start to judge a device; what is wrong with its model is told with its first message."""
        model_id, model, problems = await self._model_of(identity, announced)
        # With the past, what it reported comes by itself.
        reported = known.reported if known is not None and not self._past else {}
        version = known.desired.get("$version") if known is not None else 1
        judge = Judge(model_id, model, reported=reported, desired_version=version)
        device = self._devices[identity] = _Device(judge, model_id, announced, known, when, tuple(problems))
        return device

    async def _model_of(
        self, identity: Identity, announced: str | None
    ) -> tuple[str | None, Model | None, list[Finding]]:
        if self._model is not None:
            model_id, given = self._model
            return model_id, given, [] if announced == model_id else [_differs(model_id, announced)]
        if announced is None:
            return None, None, [_no_model()]
        if announced not in self._models:
            self._models[announced] = await asyncio.to_thread(self._resolve, announced)
            if isinstance(event := self._models[announced][1], ev.ModelResolved):
                self._say(f"{_named(identity)} is judged by {harmless(announced)}, found in {event.location}.")
        model, event = self._models[announced]
        return announced, model, list(_rejected(event))

    def _note(self, when: float, identity: Identity, device: _Device, findings: Iterable[Finding]) -> None:
        self._add(when, _named(identity), device.model_id, findings)

    def _add(self, when: float, device: str, model_id: str | None, findings: Iterable[Finding]) -> None:
        for one in findings:
            row = self.watched.ledger.add(when, device, model_id, one)
            if row is not None:
                self._found(row)

    def _nothing(self) -> Finding:
        chosen = [k for k in self.watched.known if self._choice.wants_identity(k.device_id, k.module_id)]
        connected = sum(k.connected for k in chosen)
        return finding(
            requirements.D2C,
            "nothing-judged",
            f"No message and no property change came, so nothing is known to be right. "
            f"Devices watched: {len(chosen)}; connected when it began: {connected}.",
            expected="at least one message or reported property",
            actual="none",
            remedy="Start the device, or watch longer with --duration; `preflight monitor` shows what it does."
            + (f" {self._source.hint}" if self._source.hint else ""),
        )


def _rejected(event: Resolution) -> Iterable[Finding]:
    evidence = Evidence().extend([Entry(1, 0.0, event)])
    for check in (model_is_found, model_is_valid):
        try:
            for one in check(evidence):
                yield replace(one, events=())
        except Blocked:
            continue


def _no_model() -> Finding:
    return finding(
        requirements.DTDL,
        "connect-without-model-id",
        "The device announced no model id, so only the form of its messages was judged.",
        expected="model-id in the user name of its connection",
        actual="none",
        remedy="Let the device announce its model id, or name the model with --model-id.",
    )


def _differs(model_id: str, announced: str | None) -> Finding:
    return finding(
        requirements.DTDL,
        "model-ids-differ",
        f"The device announced {announced or 'no model id'}; it is judged by {model_id}, as --model-id says.",
        severity=Severity.INFO,
        expected=model_id,
        actual=announced or "none",
    )


def _named(identity: Identity) -> str:
    device, module = identity
    return harmless(f"{device}/{module}" if module else device)

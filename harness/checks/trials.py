"""Which trial answers which check, and how a check reads what happened in it.

A trial is a run in the run: the device is disturbed, or started anew, and what it does then is evidence of that
alone. The checks of resilience and security judge trials; `harness.run.trials` conducts them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from harness.checks import bounds
from harness.checks.evidence import Evidence
from harness.checks.registry import Blocked, Judge, NotObservable, check
from harness.checks.tls_causes import began_tls
from harness.record import events as ev
from harness.record.events import Entry

KEEP_ALIVE = "keep-alive"
OLD_PATCH = "old-patch"
HUB_CUT = "hub-cut"
HUB_BUSY = "hub-busy"
TOKEN_EXPIRED = "token-expired"
HUB_MOVED = "hub-moved"
HUB_DISABLED = "hub-disabled"
TWIN_ERRORS = "twin-errors"
DPS_THROTTLED = "dps-throttled"
DPS_FAILING = "dps-failing"
DPS_CUT = "dps-cut"
UNKNOWN_CA = "unknown-ca"
WRONG_NAME = "wrong-name"
EXPIRED = "expired-certificate"
OTHER_SCOPE = "other-scope"
RESTART = "restart"

NOT_BEGUN = "not begun: "
"""How `TrialEnded.saw` begins where the trial could not begin; the reason follows."""
FAILED = "failed: "
"""The same where the harness failed in the middle of it."""
INTERRUPTED = "interrupted"
NOTHING = "nothing in time"
"""The same where the last wait found nothing."""
SILENT = "nothing more, as when it was refused before"
"""The same of a device that does nothing more when it is refused, which a trial before had shown at length."""

LET_IN = "the device to connect to a server that it can trust"
"""What is waited for (`WaitEnded`) between a bad certificate at the device's start and one at its return to the hub."""
ENABLED = "the enabled device to come back"
"""What is waited for (`WaitEnded`) once a disabled device is enabled again."""

SPOKEN = (ev.ProvisioningConnected, ev.HubConnected, ev.RegistrationRequested)
"""What a device says first over TLS, and thus to a server whose certificate it took."""

REPROVISION = "Microsoft's guidance on device reconnections: 401, 403, 404 or ten failures lead back to DPS"
"""The clause of what leads a device back to DPS."""

TOO_LONG, A_MOMENT = 3, 3.0
"""Intervals and further seconds without a message after which a device has stopped sending."""

TRIALS_OF: dict[str, tuple[str, ...]] = {}
"""The trials that a check needs, by the check's name."""


def trial_check(requirement: str, *trials: str) -> Callable[[Judge], Judge]:
    """Register a check of the full profile that judges these trials."""

    def register(judge: Judge) -> Judge:
        TRIALS_OF[judge.__name__] = trials
        return check(requirement, stage=2, profile="full")(judge)

    return register


@dataclass(frozen=True, slots=True)
class Tried:
    """A trial that is over: its own evidence, and that of the ordinary run. `n` is the entry that ended it."""

    name: str
    evidence: Evidence
    run: Evidence
    n: int
    saw: str
    seconds: float

    @property
    def ended(self) -> str:
        """A sentence, with a space before it, where the device's program ended in the trial; else empty."""
        exited = self.evidence.final(ev.DeviceExited)
        if exited is None or exited[1].expected:
            return ""
        return f" The device process ended with exit code {exited[1].returncode}."

    def seconds_after(self, entry: Entry) -> float:
        """From an entry of the trial to its end."""
        return next(end.t for end in self.run.entries(ev.TrialEnded) if end.n == self.n) - entry.t

    def last(self, *classes: type[ev.Event]) -> tuple[int, ...]:
        """The last few entries of these classes and the end of the trial, for a finding's evidence."""
        return (*(entry.n for entry in self.evidence.entries(*classes)[-3:]), self.n)


def tried(evidence: Evidence, name: str) -> Tried:
    """The trial of this name. Raises NotObservable, Blocked."""
    found = evidence.trials.get(name)
    if found is None:
        if not evidence.shows("faults"):
            raise NotObservable(
                "Services that fail on order are needed for it, which this target has not; the local target has them "
                "(--target local)."
            )
        raise Blocked("The run ended before this was tried.")
    end = next(((n, e) for n, e in evidence.of(ev.TrialEnded) if e.trial == name), None)
    if end is None or end[1].saw == INTERRUPTED:
        raise Blocked("The run was interrupted while this was tried.")
    n, event = end
    for start, words in ((NOT_BEGUN, ""), (FAILED, "The harness failed while this was tried: ")):
        if event.saw.startswith(start):
            raise Blocked(words + event.saw[len(start) :])
    return Tried(name, found, evidence, n, event.saw, event.seconds)


# --- reading what happened ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request to DPS (`register` or a poll) and its answer, if one came."""

    asked: Entry
    register: bool
    answered: Entry | None = None

    @property
    def answer(self) -> ev.RegistrationAnswered | None:
        return self.answered.event if self.answered else None  # type: ignore[return-value]


def exchanges(evidence: Evidence) -> list[Exchange]:
    """Requests to DPS with their answers: by order, for request ids repeat themselves in some SDKs."""
    found: list[Exchange] = []
    for entry in evidence.entries(ev.RegistrationRequested, ev.RegistrationPolled, ev.RegistrationAnswered):
        if not isinstance(entry.event, ev.RegistrationAnswered):
            found.append(Exchange(entry, isinstance(entry.event, ev.RegistrationRequested)))
        elif found and found[-1].answered is None:
            found[-1] = Exchange(found[-1].asked, found[-1].register, entry)
    return found


def attempts(evidence: Evidence) -> list[tuple[Entry, ev.HubConnected]]:
    """Every CONNECT of the device to the hub, accepted or not."""
    return [(entry, entry.event) for entry in evidence.entries(ev.HubConnected)]  # type: ignore[misc]


def played(evidence: Evidence, do: str) -> Entry | None:
    """The first fault of this kind that was played."""
    entries = evidence.entries(ev.FaultPlayed)
    return next((entry for entry in entries if entry.event.do == do), None)  # type: ignore[attr-defined]


def dropped(evidence: Evidence) -> Entry | None:
    """When the hub cut the device's connection, first."""
    return next(iter(evidence.entries(ev.HubDisconnected)), None)


def refused(evidence: Evidence) -> tuple[Entry, ev.HubConnected] | None:
    """The first CONNECT that was refused."""
    return next(((entry, e) for entry, e in attempts(evidence) if e.return_code != 0), None)


def accepted_after(evidence: Evidence, n: int) -> tuple[Entry, ev.HubConnected] | None:
    """The first CONNECT accepted after an entry."""
    return next(((entry, e) for entry, e in attempts(evidence) if e.return_code == 0 and entry.n > n), None)


def registered_after(evidence: Evidence, n: int) -> Entry | None:
    """The first register request after an entry."""
    return next((entry for entry in evidence.entries(ev.RegistrationRequested) if entry.n > n), None)


def overtaken(evidence: Evidence) -> tuple[int, int] | None:
    """The delivery (entry, version) of a desired change that came after a newer one; None where all came in order."""
    newest = 0
    for n, change in evidence.of(ev.DesiredChanged):
        if change.delivered and change.version < newest:
            return n, change.version
        newest = max(newest, change.version if change.delivered else 0)
    return None


def ended_handshake(evidence: Evidence, after: int = 0) -> int | None:
    """The first TLS handshake after an entry that came to nothing; what only probed the port has not seen the
    certificate."""
    return next((n for n, e in evidence.of(ev.HandshakeFailed) if n > after and began_tls(e)), None)


def cut_off_again(evidence: Evidence) -> int | None:
    """The entry with which a device that was let in after bad certificates was cut off, to be shown another one."""
    let_in = next((n for n, e in evidence.of(ev.WaitEnded) if e.waited_for == LET_IN and e.satisfied), None)
    return None if let_in is None else next((n for n, _ in evidence.of(ev.HubDisconnected) if n > let_in), None)


def spoken_after(evidence: Evidence, n: int) -> list[Entry]:
    """What a device said after an entry to a server whose certificate it took."""
    return [entry for entry in evidence.entries(*SPOKEN) if entry.n > n]


def failures_before(tried: Tried, n: int) -> int:
    """How many CONNECTs were refused in a trial before an entry."""
    return sum(1 for entry, e in attempts(tried.evidence) if e.return_code != 0 and entry.n < n)


def usual_gap(run: Evidence, trial: str) -> float | None:
    """The longest time between two messages in the ordinary run and in trials but this; None where none is known.

    What lies across a lost connection says nothing of it. Messages that come several at once show their interval only
    when the next ones have come: where all was silent much longer than any gap before the device was disturbed, none
    is known.
    """
    parts = (run, *(evidence for name, evidence in run.trials.items() if name != trial))
    gaps: list[float] = []
    for part in parts:
        entries = part.entries(ev.TelemetryReceived, ev.HubDisconnected, ev.HubConnected)
        gaps += [
            part.moment(other) - part.moment(one)
            for one, other in itertools.pairwise(entries)
            if isinstance(one.event, ev.TelemetryReceived) and isinstance(other.event, ev.TelemetryReceived)
        ]
    longest = max(gaps, default=None)
    return None if longest is None or _silence(run, trial) > TOO_LONG * longest + A_MOMENT else longest


def _silence(run: Evidence, trial: str) -> float:
    """Seconds that the device sent nothing before the first trial, or in this one before its connection was cut."""
    found = [0.0]
    cut = dropped(run.trials[trial]) if trial in run.trials else None
    parts = (run, *run.trials.values())
    sent = sorted(
        (entry for part in parts for entry in part.entries(ev.TelemetryReceived, ev.HubConnected)),
        key=lambda entry: entry.n,
    )
    for end in (*run.entries(ev.TrialBegan)[:1], *([cut] if cut else [])):
        before = [entry for entry in sent if entry.n < end.n]
        found += [end.t - entry.t for entry in before[-1:]]
    return max(found)


def usual_wait(run: Evidence, trial: str) -> float | None:
    """The longest time that a device which was started takes to send something: its usual gap, or until its first
    message in the ordinary run; None where it is not known to be within `bounds.IN_SERVICE`."""
    gap = usual_gap(run, trial)
    connected = next((entry.t for entry, e in attempts(run) if e.return_code == 0), None)
    if gap is None or connected is None:
        return None
    longest = max(gap, run.times(ev.TelemetryReceived)[0] - connected) if run.first(ev.TelemetryReceived) else gap
    return longest if longest <= bounds.IN_SERVICE else None


def refused_in(tried_: Tried) -> int:
    """The entry of the refused CONNECT. Raises Blocked where there was none."""
    found = refused(tried_.evidence)
    if found is None:
        raise Blocked(f"The device did not try to reconnect in this trial.{tried_.ended}")
    return found[0].n


def back_in(tried_: Tried, n: int) -> int:
    found = accepted_after(tried_.evidence, n)
    if found is None:
        raise Blocked(f"The device did not come back after the hub had been busy.{tried_.ended}")
    return found[0].n

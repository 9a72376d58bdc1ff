"""Resilience of the twin: what was desired meanwhile, what comes late, what is refused."""

from __future__ import annotations

from harness.checks import bounds, requirements
from harness.checks import trials as t
from harness.checks.acknowledging import taken_up
from harness.checks.envelope import answers
from harness.checks.evidence import Evidence
from harness.checks.registry import Blocked, Findings, NotObservable, finding
from harness.record import events as ev
from harness.verdict import Severity

_RECONNECTION_FLOW = "IoT Hub developer guide, device reconnection flow: ignore patches whose $version is not newer"


@t.trial_check(requirements.RESILIENCE, t.HUB_BUSY)
def restores_desired_state(evidence: Evidence) -> Findings:
    """A desired property that was changed while the device was away is acknowledged when it is back."""
    tried = t.tried(evidence, t.HUB_BUSY)
    t.refused_in(tried)
    write = next(((path, n, w) for path, all_ in tried.evidence.writes.items() for n, w in all_ if not w.error), None)
    if write is None:
        raise NotObservable("There is no writable property that the device acknowledged in the ordinary run.")
    path, n, written = write
    back = t.back_in(tried, n)
    answer = taken_up(tried.evidence, path, written, back)
    if answer is None:
        yield finding(
            requirements.RESILIENCE,
            "desired-missed",
            f"{path} was set while the device was away, and it never acknowledged that after it had come back."
            f"{tried.ended}",
            element=path,
            expected=f"a report of {path} with av {written.version}",
            actual="none",
            events=(n, back, tried.n),
            remedy="After every connect read the whole twin, compare the desired $version with the last one dealt "
            "with, and handle what is new. The hub queues no patches for a device that is away.",
        )
        return tried.n
    return answer.n


@t.trial_check(requirements.RESILIENCE, t.TWIN_ERRORS)
def survives_twin_errors(evidence: Evidence) -> Findings:
    """Twin operations are answered with 429 and 500: the device lives on and is still of use."""
    tried = t.tried(evidence, t.TWIN_ERRORS)
    struck = [(n, e.at) for n, e in tried.evidence.of(ev.FaultPlayed)]
    if not struck:
        raise Blocked(f"The device neither read nor reported its twin in this trial.{tried.ended}")
    if not _is_of_use(tried):
        yield finding(
            requirements.RESILIENCE,
            "twin-error-not-survived",
            f"Twin operations were answered with errors ({', '.join(at for _, at in struck)}), and the device was of "
            f"no use any more.{tried.ended}",
            expected="a device that lives on, and acknowledges what is desired later, answers a command or sends on",
            actual=tried.saw,
            events=(*(n for n, _ in struck), tried.n),
            remedy="Expect twin operations to fail: after a wait repeat what was answered 429 or 5xx; note others.",
        )
    return tried.n


def _is_of_use(tried: t.Tried) -> bool:
    """By what it was asked, or by its telemetry. Raises NotObservable."""
    if tried.ended:
        return False
    write = next(((path, w) for path, all_ in tried.evidence.writes.items() for _, w in all_ if not w.error), None)
    if write is not None:
        path, written = write
        return taken_up(tried.evidence, path, written, written.after) is not None
    returned = tried.evidence.final(ev.CommandReturned)
    struck = tried.evidence.entries(ev.FaultPlayed)[-1]
    if returned is not None and returned[1].status is not None:
        return True
    if any(n > struck.n for n, _ in tried.evidence.of(ev.TelemetryReceived)):
        return True
    if returned is not None:
        return False
    usual = t.usual_wait(tried.run, tried.name)
    if usual is None or tried.seconds_after(struck) < bounds.IN_SERVICE + usual:
        raise NotObservable(
            "The device has neither a writable property nor a harmless command that it dealt with in the ordinary run, "
            "and it sends too seldom to show by that whether it is still of use."
        )
    return False


@t.trial_check(requirements.RESILIENCE, t.OLD_PATCH)
def ignores_old_patches(evidence: Evidence) -> Findings:
    """A patch of an older version that arrives after a newer one is not applied."""
    tried = t.tried(evidence, t.OLD_PATCH)
    if not tried.evidence.writes:
        raise NotObservable("There is no writable property that the device acknowledged in the ordinary run.")
    late = t.overtaken(tried.evidence)
    if late is None:
        raise Blocked(f"The device was not told of an older version after a newer one in this trial.{tried.ended}")
    n, version = late
    reports = [(path, r) for path in tried.evidence.writes for r in tried.evidence.reports.get(path, [])]
    applied = [(p, r) for p, r in reports if r.n > n and answers(r.value, version)]
    if applied:
        path, report = applied[0]
        yield finding(
            requirements.RESILIENCE,
            "old-patch-applied",
            f"A patch of {path} with version {version} arrived after a newer one, and the device applied it.",
            severity=Severity.WARNING,
            clause=_RECONNECTION_FLOW,
            element=path,
            expected=f"a patch of version {version} is ignored once a newer version was dealt with",
            actual=f"a report with av {version}",
            events=(n, report.n),
            remedy="Remember the highest desired $version, of patches and twin reads, and ignore what is not newer.",
        )
    elif tried.ended:
        yield finding(
            requirements.RESILIENCE,
            "old-patch-not-survived",
            f"A patch with version {version} arrived after a newer one.{tried.ended}",
            clause=_RECONNECTION_FLOW,
            expected=f"a patch of version {version} is ignored once a newer version was dealt with",
            actual="the device's program ended",
            events=(n, *tried.last(ev.HubDisconnected, ev.DeviceExited)),
            remedy="Remember the highest desired $version, of patches and twin reads, and ignore what is not newer.",
        )
    elif tried.saw == t.NOTHING:
        raise Blocked("The device answered no change after the late one, so whether it ignored that was not seen.")
    return n

"""Resilience of a device that the hub refuses: it was moved, disabled, or its token is over.

MQTT says all of it by CONNACK 5. The bounds are in `harness.checks.bounds`, each with its reason.
"""

from __future__ import annotations

from typing import Any

from harness.checks import bounds, requirements
from harness.checks import trials as t
from harness.checks.evidence import Evidence
from harness.checks.registry import Findings, NotObservable, finding
from harness.record import events as ev
from harness.verdict import Finding, Severity


@t.trial_check(requirements.RESILIENCE, t.HUB_MOVED)
def reregisters_when_moved(evidence: Evidence) -> Findings:
    """The hub does not know the device any more (404, which MQTT says by CONNACK 5): DPS tells it its new hub."""
    tried = t.tried(evidence, t.HUB_MOVED)
    refused = t.refused_in(tried)
    registered = t.registered_after(tried.evidence, refused)
    if registered is None:
        yield from _not_reregistered(tried, refused)
        return tried.n
    back = t.accepted_after(tried.evidence, registered.n)
    if back is None:
        yield _finding(
            "not-back-after-reregistration",
            f"The device asked DPS for its hub again, but did not connect to it.{tried.ended}",
            clause=t.REPROVISION,
            expected="a connection to the assigned hub",
            actual=f"none in {tried.seconds:.0f} s",
            events=(refused, registered.n, tried.n),
            remedy="Connect to the hub that DPS assigns, with credentials for it, after every registration.",
        )
        return tried.n
    return back[0].n


@t.trial_check(requirements.RESILIENCE, t.HUB_DISABLED)
def returns_after_disabled(evidence: Evidence) -> Findings:
    """The device is disabled (403, CONNACK 5) and enabled again a little later: it is back, without a hand."""
    tried = t.tried(evidence, t.HUB_DISABLED)
    refused = t.refused_in(tried)
    back = t.accepted_after(tried.evidence, refused)
    if back is None:
        enabled = any(wait.waited_for == t.ENABLED for _, wait in tried.evidence.of(ev.WaitEnded))
        what = "after it was enabled again it did not come back" if enabled else "it did nothing more"
        yield _finding(
            "gives-up-when-refused",
            f"The hub refused the device, which was disabled, and {what}.{tried.ended}",
            clause=t.REPROVISION,
            expected="another registration and another try, with growing waits",
            actual=f"{t.failures_before(tried, tried.n)} CONNECT(s), no accepted one in {tried.seconds:.0f} s",
            events=(refused, *tried.last(ev.HubConnected, ev.RegistrationRequested)),
            remedy="After CONNACK 5 register with DPS again. Where that does not help, go on with growing waits: "
            "an operator may enable the device again at any time.",
        )
        return tried.n
    return back[0].n


@t.trial_check(requirements.RESILIENCE, t.TOKEN_EXPIRED)
def renews_token(evidence: Evidence) -> Findings:
    """The hub refuses the device's token as expired: it comes back with a new one."""
    tried = t.tried(evidence, t.TOKEN_EXPIRED)
    refused = t.refused_in(tried)
    connects = t.attempts(tried.evidence)
    first, mark = next((entry.t, e.token_mark) for entry, e in connects if entry.n == refused)
    if not mark:
        raise NotObservable("The device has no token: it proves itself with a certificate.")
    same = [entry for entry, e in connects if entry.n > refused and e.token_mark == mark]
    reused = [entry.n for entry in same if entry.t - first > bounds.TOKENS_ALIKE]
    back = t.accepted_after(tried.evidence, refused)
    if back is not None and not reused:
        return back[0].n
    if reused:
        yield _finding(
            "expired-token-reused",
            "The hub refused the device's token as expired, and the device showed the same one again, "
            f"{len(reused)} time(s){'' if back is None else ', before it came with another'}.{tried.ended}",
            severity=Severity.ERROR if back is None else Severity.WARNING,
            clause=t.REPROVISION,
            expected="another token (another `se` and signature) at the next CONNECT",
            actual="the same token",
            events=(refused, *reused[:5]),
            remedy="Make a new token for every connection, and before the old one is over. Keep the clock right. Where "
            "an SDK keeps its token, register with DPS and make a new client.",
        )
    else:
        yield _finding(
            "token-not-renewed",
            f"The hub refused the device's token as expired, and the device did not come back with a new one."
            f"{tried.ended}",
            clause=t.REPROVISION,
            expected="a CONNECT with another token",
            actual=f"none in {tried.seconds:.0f} s",
            events=(refused, tried.n),
            remedy="After CONNACK 5 make a new token and connect again; where that fails, register with DPS.",
        )
    return back[0].n if back else tried.n


def _not_reregistered(tried: t.Tried, refused: int) -> Findings:
    failures = t.failures_before(tried, tried.n)
    last = t.attempts(tried.evidence)[-1][0]
    trying = not tried.ended and failures > 1 and failures <= bounds.FAILURES_BEFORE_DPS
    trying = trying and tried.evidence.last is not None and tried.evidence.last.t - last.t < bounds.REFUSED_SILENCE
    trying = trying and tried.saw != t.SILENT
    yield _finding(
        "reregistration-not-seen" if trying else "never-reregisters",
        f"The hub no longer knew the device (CONNACK 5), and the device did not ask DPS for another."
        f"{' It was still trying the old one.' if trying else ''}{tried.ended}",
        severity=Severity.WARNING if trying else Severity.ERROR,
        clause=t.REPROVISION,
        expected="a register request after the refusal, or after ten of them",
        actual=f"{failures} refused CONNECT(s), no register request in {tried.seconds:.0f} s",
        events=(refused, *tried.last(ev.HubConnected)),
        remedy="After CONNACK 5 register with DPS again; SDKs leave that to the application. Reset what says that the "
        "device is provisioned.",
    )
    return tried.n


def _finding(code: str, message: str, **fields: Any) -> Finding:
    return finding(requirements.RESILIENCE, code, message, **fields)

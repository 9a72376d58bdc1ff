"""Security of the transport: a device does not talk to a server that it cannot trust."""

from __future__ import annotations

from harness.checks import requirements
from harness.checks import trials as t
from harness.checks.evidence import Evidence
from harness.checks.registry import Blocked, Findings, finding
from harness.checks.tls_causes import tls_cause
from harness.record import events as ev


@t.trial_check(requirements.SECURITY, t.UNKNOWN_CA)
def refuses_unknown_ca(evidence: Evidence) -> Findings:
    """The server's certificate is of a CA that the device was not told to trust."""
    remedy = "Verify the server's certificate chain against the CAs that the device trusts; do not switch that off."
    return (yield from _refuses(t.tried(evidence, t.UNKNOWN_CA), "of an unknown CA", remedy))


@t.trial_check(requirements.SECURITY, t.WRONG_NAME)
def refuses_wrong_name(evidence: Evidence) -> Findings:
    """The server's certificate is good, but for another host."""
    remedy = "Compare the host name with the names in the certificate: a chain alone says nothing about the server."
    return (yield from _refuses(t.tried(evidence, t.WRONG_NAME), "for another host", remedy))


@t.trial_check(requirements.SECURITY, t.EXPIRED)
def refuses_expired_certificate(evidence: Evidence) -> Findings:
    """The server's certificate is over."""
    remedy = "Check the dates of the certificate; set the device's clock before (NTP) where it has none that lasts."
    return (yield from _refuses(t.tried(evidence, t.EXPIRED), "that has expired", remedy))


def _refuses(tried: t.Tried, what: str, remedy: str) -> Findings:
    spoke = tried.evidence.entries(*t.SPOKEN)
    if spoke:
        yield finding(
            requirements.SECURITY,
            "bad-certificate-accepted",
            f"The server showed a certificate {what}, and the device went on and said who it is.",
            expected="the device ends the TLS handshake",
            actual=f"{spoke[0].event.kind.replace('_', ' ')} over that connection",
            events=(spoke[0].n,),
            remedy=remedy,
        )
        return spoke[0].n
    refused = t.ended_handshake(tried.evidence)
    if refused is None:
        probes = tried.evidence.of(ev.HandshakeFailed)
        instead = f" {tls_cause(probes).text}" if probes else ""
        raise Blocked(f"The device did not connect by TLS in this trial.{instead}{tried.ended}")
    return refused

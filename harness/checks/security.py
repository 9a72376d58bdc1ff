"""Security of the transport: a device does not talk to a server that it cannot trust."""

from __future__ import annotations

from harness.checks import requirements
from harness.checks import trials as t
from harness.checks.evidence import Evidence
from harness.checks.registry import Blocked, Findings, finding
from harness.checks.tls_causes import tls_cause
from harness.record import events as ev
from harness.verdict import Severity


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
    refused = t.ended_handshake(tried.evidence)
    again = t.cut_off_again(tried.evidence)
    spoke = t.spoken_after(tried.evidence, 0)
    at = ""
    if refused is not None and (not spoke or spoke[0].n > refused):
        spoke = [] if again is None else t.spoken_after(tried.evidence, again)
        at = " of the hub, though it refused one at its start"
    if spoke:
        yield finding(
            requirements.SECURITY,
            "bad-certificate-accepted",
            f"The server showed a certificate {what}, and the device went on and said who it is"
            f"{' to the server' + at if at else ''}.",
            expected="the device ends the TLS handshake",
            actual=f"{spoke[0].event.kind.replace('_', ' ')} over that connection",
            events=(spoke[0].n,),
            remedy=remedy,
        )
        return spoke[0].n
    if refused is None:
        probes = tried.evidence.of(ev.HandshakeFailed)
        instead = f" {tls_cause(probes).text}" if probes else ""
        raise Blocked(f"The device did not connect by TLS in this trial.{instead}{tried.ended}")
    if again is None or t.ended_handshake(tried.evidence, again) is None:
        yield finding(
            requirements.SECURITY,
            "hub-certificate-not-tried",
            "The device refused the certificate at its start. Whether it does so at the hub was not seen: "
            + ("it did not connect after that." if again is None else "it did not come back to it."),
            severity=Severity.INFO,
            expected="a device that comes back to its hub and ends the TLS handshake",
            actual="no connection in time",
            events=(refused, tried.n),
            remedy="See that the connection to the hub verifies its server as that to DPS does.",
        )
    return refused

"""Why a connection came to nothing before its first packet, each way in one sentence.

The target says why in OpenSSL's words (`ALERT_UNKNOWN_CA`), or in its own where no alert came.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.checks.cause import Cause
from harness.record import events as ev

_CA = "Install the CA certificate that was printed at the start, on a device process the file that SSL_CERT_FILE names."

_CAUSES: tuple[tuple[tuple[str, ...], Cause], ...] = (
    (
        ("unknown_ca",),
        Cause("ca-not-trusted", "The device reached port 8883 but does not trust the CA of the target", _CA),
    ),
    (
        ("certificate_expired",),
        Cause(
            "certificate-expired",
            "The device reached port 8883 but says that the target's certificate has expired",
            "Set the device's clock (NTP) before it connects: the certificate is new.",
        ),
    ),
    (
        ("bad_certificate", "certificate_unknown", "unsupported_certificate"),
        Cause(
            "certificate-refused",
            "The device reached port 8883 but refused the target's certificate: its host name, its date or its CA",
            "Use the endpoint exactly as it was printed, for the certificate is for that name; set the device's clock; "
            "then install the CA certificate.",
        ),
    ),
    (
        ("protocol_version", "unsupported_protocol", "version_too_low"),
        Cause(
            "tls-version",
            "The device reached port 8883 but speaks neither TLS 1.2 nor 1.3",
            "Enable TLS 1.2 in the device's TLS library; IoT Hub takes nothing older.",
        ),
    ),
    (
        ("handshake_failure", "no_shared_cipher", "no_suitable"),
        Cause(
            "tls-parameters",
            "The device reached port 8883 but shares no TLS parameters with the target",
            "Enable ECDHE suites with AES-GCM and the curve P-256; the local target's certificate has an EC key, so "
            "ECDHE-ECDSA is needed here, and ECDHE-RSA on Azure.",
        ),
    ),
    (
        ("wrong_version_number", "what came is not tls", "http_request", "packet_length_too_long"),
        Cause(
            "tls-not-used",
            "The device reached port 8883 but does not speak TLS there",
            "Switch on TLS for the MQTT connection: neither DPS nor IoT Hub has a port without it.",
        ),
    ),
    (
        ("without a word", "not a byte came"),
        Cause(
            "tls-not-begun",
            "Something opened a TCP connection to port 8883 and sent nothing",
            "If it was the device: its TLS never began. See that it has memory and entropy for TLS and that its "
            "time-out is not too short; a port scan or a firewall between looks the same.",
        ),
    ),
    (
        ("in the middle of the handshake",),
        Cause(
            "tls-broken-off",
            "The device began TLS on port 8883 and broke it off without an alert",
            "Most often it does not trust the CA, and says so in its own log only. " + _CA,
        ),
    ),
    (
        ("before connect",),
        Cause(
            "left-before-connect",
            "The device agreed on TLS and left without a CONNECT",
            "Node.js and others check the certificate only then: use the endpoint exactly as it was printed, and have "
            "the device trust the CA. " + _CA,
        ),
    ),
)
_OTHER = Cause(
    "tls-failed",
    "The device reached port 8883 but TLS failed",
    "Most often the device does not trust the CA that was printed at the start: install it on the device.",
)
_PROBES = ("tls-not-begun",)
_NO_TLS = (*_PROBES, "tls-not-used")


def tls_cause(failed: Sequence[tuple[int, ev.HandshakeFailed]]) -> Cause:
    """The cause of the last failure; of one that says nothing (a probe of the port) only where there is no other."""
    read = [(n, event.reason, _cause(event.reason)) for n, event in failed]
    n, reason, cause = next((r for r in reversed(read) if r[2].code not in _PROBES), read[-1])
    return cause.with_(text=f"{cause.text} ({reason}).", events=(n,))


def began_tls(failed: ev.HandshakeFailed) -> bool:
    """Whether TLS was begun, so that the failure may be the client's answer to the certificate it was shown."""
    return _cause(failed.reason).code not in _NO_TLS


def _cause(reason: str) -> Cause:
    lowered = reason.lower().replace(" ", "_")
    words = (reason.lower(), lowered)
    return next((c for keys, c in _CAUSES if any(key in text for key in keys for text in words)), _OTHER)

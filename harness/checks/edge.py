"""Edge Managed and Edge Secured-core: what a harness can see of them, and what a person has to look at.

Nobody certifies for them any more but for Secured-core, whose evidence is gathered on the device itself. So the few
things that show on the wire are notes of the full profile, and the rest is a list (`MANUAL`) for the reports.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.checks import requirements
from harness.checks.evidence import Evidence
from harness.checks.registry import Findings, NotObservable, check, finding
from harness.record import events as ev
from harness.verdict import Severity

SUITES = {
    "009c": "TLS_RSA_WITH_AES_128_GCM_SHA256",
    "003c": "TLS_RSA_WITH_AES_128_CBC_SHA256",
    "009e": "TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
    "c02b": "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    "c02f": "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
    "c023": "TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256",
    "c027": "TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
}
"""The suites that Edge Secured-core names, by IANA number in hex."""

_RUNTIME = ("$edgeAgent", "$edgeHub")


@dataclass(frozen=True, slots=True)
class Manual:
    """A requirement that no harness on the wire can judge, and what a person looks at instead."""

    requirement: str
    look_at: str


MANUAL: tuple[Manual, ...] = (
    Manual("EdgeManaged.EdgeRT", "A module deployed from the hub starts; the container engine is Moby."),
    Manual(
        "EdgeManaged.PhysicalDevice", "The device comes with IoT Edge installed, on an operating system of tier 1 or 2."
    ),
    Manual("SecuredCore.Hardware.Identity", "A TPM 2.0 is there, and DPS enrolled the device by its endorsement key."),
    Manual("SecuredCore.Hardware.MemoryProtection", "IOMMU or SMMU is on for every outside port that can do DMA."),
    Manual("SecuredCore.Hardware.SecureEnclave", "Optional: the security agent reaches a secure enclave."),
    Manual(
        "SecuredCore.Firmware.Protection", "Firmware with measured boot and hardening, or scanned by an approved party."
    ),
    Manual("SecuredCore.Firmware.SecureBoot", "UEFI secure boot, or U-Boot verified boot, is on."),
    Manual("SecuredCore.Firmware.Attestation", "Boot logs and measurements reach Azure Attestation."),
    Manual("SecuredCore.Protection.SignedUpdates", "Unsigned updates of system, drivers and applications are refused."),
    Manual("SecuredCore.Protection.CodeIntegrity", "dm-verity and IMA are on (Windows: HVCI)."),
    Manual("SecuredCore.Protection.NetworkServices", "No service that listens on the network runs as root."),
    Manual("SecuredCore.Protection.Baselines", "The benchmarks of the system's configuration were run."),
    Manual("SecuredCore.Encryption.Storage", "Storage is encrypted by default with XTS-AES of 128 bits or more."),
    Manual(
        "SecuredCore.Encryption.TLS",
        "The seven named suites work on every connection, and not only on that to the hub.",
    ),
    Manual(
        "SecuredCore.Built-in.Security", "The Defender micro agent runs; Configuration_Certification_Check is TRUE."
    ),
    Manual("SecuredCore.Manageability.Configuration", "The device is configured through OSConfig."),
    Manual("SecuredCore.Update", "Audit: an update was sent to the device by a service and installed."),
    Manual("SecuredCore.Policy.Protection.Debug", "Debug functions are off, or need authorization."),
    Manual("SecuredCore.Policy.Manageability.Reset", "User data can be removed, and the last good state restored."),
    Manual("SecuredCore.Policy.Updates.Duration", "Updates are promised for 60 months, where buyers can read it."),
    Manual("SecuredCore.Policy.Vuln.Disclosure", "There is a public way to report vulnerabilities."),
    Manual("SecuredCore.Policy.Vuln.Fixes", "High and critical vulnerabilities are fixed within 180 days."),
)


@check(requirements.SECURED_CORE_TLS, stage=2, profile="full")
def edge_tls(evidence: Evidence) -> Findings:
    """The device speaks TLS 1.2 or newer and offers the suites that Edge Secured-core names."""
    connected = evidence.connected
    if connected is None or not connected[1].tls_version:
        raise NotObservable("The target does not show the device's TLS; the local one does (--target local).")
    n, event = connected
    if event.tls_version not in ("TLSv1.2", "TLSv1.3"):
        yield finding(
            requirements.SECURED_CORE_TLS,
            "tls-too-old",
            f"The device connected with {event.tls_version}.",
            severity=Severity.WARNING,
            expected="TLSv1.2 or TLSv1.3",
            actual=event.tls_version,
            events=(n,),
            remedy="Enable TLS 1.2 or newer and disable what is older.",
        )
    offered = set(event.tls_offered.split())
    if not offered:
        raise NotObservable("The target does not show which cipher suites the device offers; MQTT on 8883 does.")
    missing = [name for number, name in SUITES.items() if number not in offered]
    if missing:
        yield finding(
            requirements.SECURED_CORE_TLS,
            "tls-suites-missing",
            f"The device does not offer {len(missing)} of the {len(SUITES)} cipher suites of Edge Secured-core.",
            severity=Severity.INFO,
            expected=", ".join(SUITES.values()),
            actual=f"not offered: {', '.join(missing)}",
            events=(n,),
            remedy="Of matter for Edge Secured-core only: enable them in the device's TLS library.",
        )
    return n


@check(requirements.EDGE_RUNTIME, stage=2, profile="full")
def edge_runtime(evidence: Evidence) -> Findings:
    """The IoT Edge runtime connects: its agent and its hub, as modules of the device."""
    found = {e.module_id: n for n, e in evidence.of(ev.HubConnected) if e.return_code == 0 and e.module_id in _RUNTIME}
    if not found:
        raise NotObservable("No IoT Edge runtime connected; for Edge Managed a person looks at the device itself.")
    yield from ()
    return max(found.values())


@check(requirements.SECURED_CORE_IDENTITY, stage=1, profile="full")
def edge_identity(evidence: Evidence) -> Findings:
    """The device registered with its TPM."""
    enrolled, assigned = evidence.final(ev.DeviceEnrolled), evidence.first(ev.DeviceAssigned)
    if enrolled is None or assigned is None or enrolled[1].attestation != "tpm":
        raise NotObservable("The device did not register with a TPM; --attestation tpm lets it.")
    yield from ()
    return assigned[0]

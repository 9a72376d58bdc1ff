"""What services of Azure refuse, and what keeps one from them, in plain words: whose move it is, and which."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from harness.diagnosis import lookup

RIGHTS = {
    "RegistryRead": "`registryRead`, `registryReadWrite` or `iothubowner`",
    "RegistryWrite": "`registryReadWrite` or `iothubowner`",
    "ServiceConnect": "`service` or `iothubowner`",
    "EnrollmentRead": "`provisioningserviceowner`, or one of your own with Enrollment Read",
    "EnrollmentWrite": "`provisioningserviceowner`, or one of your own with Enrollment Write",
    "RegistrationRead": "`provisioningserviceowner`, or one of your own with Registration Status Read",
    "RegistrationWrite": "`provisioningserviceowner`, or one of your own with Registration Status Write",
}
"""Policies that include a right, of a hub and of DPS."""

ROLES = {
    "RegistryRead": "IoT Hub Registry Contributor",
    "RegistryWrite": "IoT Hub Registry Contributor",
    "ServiceConnect": "IoT Hub Data Contributor",
    "EnrollmentRead": "Device Provisioning Service Data Contributor",
    "EnrollmentWrite": "Device Provisioning Service Data Contributor",
    "RegistrationRead": "Device Provisioning Service Data Contributor",
    "RegistrationWrite": "Device Provisioning Service Data Contributor",
}
"""Roles of Microsoft Entra ID that include it."""

LOGIN = "The login (Microsoft Entra ID)"

_PLAIN = {
    403002: "The hub has used up its messages of the day: it takes more after 00:00 UTC, or with another unit or tier.",
    404103: "DeviceNotConnected: the device is not connected, or has not subscribed to commands (direct methods).",
    403012: "The device is disabled in the hub: enable it there.",
    404001: "The hub does not know the device.",
    504101: "The device did not answer in time.",
    403004: "Fifty messages wait for the device already: purge its queue.",
    403010: "The hub's tier (basic) has no such operation: use a free or standard hub.",
}
"""What a person is told beside the code and the service's own words."""


def refusal(status: int | None, code: int | None, message: str, *, right: str = "", who: str = "") -> str:
    """What a service answered, with what it means and what to do. `right` is what the call takes, `who` made it."""
    head = f"{code or status}: {message}" if message else f"HTTP {status}"
    said = _meaning(status, code, right, who)
    return f"{head.rstrip('. ')}. {said}" if said else head


def _meaning(status: int | None, code: int | None, right: str, who: str) -> str:
    if code in _PLAIN:
        return _PLAIN[code]
    if status == 401 or code in (401001, 401002, 401003):
        return _unauthorized(right, who)
    if status == 403 and code is None and right:
        return _unauthorized(right, who)
    if status == 429:
        return "The service is throttled: too much was asked of it at once, by this run or by others. Try again later."
    entry = lookup(str(code), "hub") if code in (403001, 403800, 404012, 413001, 429002, 429003) else None
    return f"{entry.headline}." if entry else ""


def _unauthorized(right: str, who: str) -> str:
    if who == LOGIN:
        role = f": it needs the role `{ROLES[right]}`" if right in ROLES else ""
        return f"{who} may not do this{role}. A role that was just given takes some minutes to come into force."
    needs = f" The call takes the right {right}, which is in the policy {RIGHTS[right]}." if right in RIGHTS else ""
    return (
        f"The {who or 'policy'} may not do this, its key is not the present one, or this computer's clock is "
        f"wrong.{needs}"
    )


def unreachable(host: str, error: BaseException) -> str:
    """Why a service could not be reached, and what to look at. `error` may wrap the cause."""
    text = f"{host} could not be reached"
    for cause in _causes(error):
        if isinstance(cause, socket.gaierror):
            return f"{text}: there is no such host, or no name service. Check the host's name and the network."
        if isinstance(cause, ssl.SSLCertVerificationError):
            return (
                f"{text}: its certificate is not trusted ({cause.verify_message}). For an emulator or a private "
                "endpoint name its CA with --azure-ca FILE; a proxy that opens TLS has one too."
            )
        if isinstance(cause, ConnectionRefusedError):
            return f"{text}: nothing listens there. Check host and port."
        if isinstance(cause, TimeoutError) or "timed out" in str(cause).lower():
            return f"{text}: no answer came in time. Check the network, and that a firewall lets it pass."
    last = list(_causes(error))[-1]
    return f"{text}: {type(last).__name__}: {str(last)[:200]}"


def may_pass(error: BaseException) -> bool:
    """Whether a network error may be over in a while: an untrusted certificate is not."""
    return not any(isinstance(c, ssl.SSLCertVerificationError) for c in _causes(error))


def never_sent(error: BaseException) -> bool:
    """Whether no request went out: making it again cannot do anything twice."""
    kinds = (socket.gaierror, ConnectionRefusedError, ssl.SSLError)
    names = {"NewConnectionError", "ConnectTimeoutError", "ConnectTimeout", "NameResolutionError"}
    return any(isinstance(c, kinds) or type(c).__name__ in names for c in _causes(error))


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what it wraps, in causes, contexts, arguments and the attributes of requests and msrest."""
    waiting, seen = [error], set()
    while waiting:
        one = waiting.pop(0)
        if id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        wrapped = (one.__cause__, one.__context__, *one.args, getattr(one, "reason", None))
        inner = (getattr(one, "inner_exception", None), getattr(one, "exc_value", None))
        waiting += [w for w in (*wrapped, *inner) if isinstance(w, BaseException)]

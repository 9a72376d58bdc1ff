"""A physical device: its owner starts it; we say with which settings."""

from __future__ import annotations

from collections.abc import Callable

from harness.device.credentials import Credentials
from harness.record import events as ev

_CERTIFICATE = """\
Copy the certificate and its private key to the device; embedded C samples want both in one file. They are kept for
the next runs. Whoever has the private key can pass for the device: keep it secret."""
_TPM = """\
The device proves itself with its TPM, whose endorsement key is enrolled. It has to register over HTTPS, on port 443:
DPS takes no TPM over MQTT."""

_EXISTING = """\
The device keeps the credentials it has. Let it register with DPS anew: clear a cached assignment and restart it."""


class ExternalDevice:
    """Prints the connection settings. The key goes to the terminal only: its owner has to type it in."""

    def __init__(self, emit: Callable[[ev.Event], None], say: Callable[[str], None]) -> None:
        self._emit = emit
        self._say = say

    def start(self, credentials: Credentials) -> None:
        rows, advice = _shown(credentials)
        width = max(map(len, rows)) + 3
        lines = [f"  {name + ':':{width}}{value}" for name, value in rows.items()]
        self._say("\n".join(["Configure the device with these settings and start it:", *lines, *advice]))
        self._emit(ev.DeviceStarted(command="external", pid=None))

    def stop(self) -> None:
        """Nothing to stop: the device is its owner's."""


def _shown(credentials: Credentials) -> tuple[dict[str, str], list[str]]:
    """The settings by name, and lines of advice to put under them."""
    rows, files = credentials.public(), credentials.certificate
    if credentials.existing:
        return rows, _EXISTING.splitlines()
    if files is not None:
        named = {"Device certificate": files.certificate, "Private key": files.key, "Both in one file": files.both}
        return rows | {name: str(path) for name, path in named.items()}, _CERTIFICATE.splitlines()
    if credentials.primary_key:
        return {**rows, "Symmetric key": credentials.primary_key}, []
    return rows, _TPM.splitlines()

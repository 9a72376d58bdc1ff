"""What was tested, and with what: the facts at the head of the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.checks.requirements import DEVICE_INFORMATION
from harness.record import events as ev
from harness.report.html.payloads import compact
from harness.report.html.safe import clipped

if TYPE_CHECKING:
    from harness.run import Run


def facts(run: Run, summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Name and value, in the order of the page."""
    evidence = run.evidence
    device = evidence.expectations.device
    connected = evidence.connected[1] if evidence.connected else None
    started = evidence.first(ev.RunStarted)
    settings: Mapping[str, Any] = started[1].settings if started else {}
    found = [
        ("Device", device.name or summary["device_id"] or "never connected"),
        ("Firmware", device.firmware or _reported(run, "swVersion") or "not stated"),
        ("Device id", summary["device_id"] or "none: it never connected"),
        ("Model", summary["model_id"] or "unknown"),
        ("SDK", _sdk(run)),
        ("Connection", _connection(connected)),
        ("TLS", (connected.tls_version if connected else "") or "not seen by this target"),
        ("Target", summary["target"]),
        (
            "Profile",
            f"{run.profile}" + (f", window {settings['window']:g} s" if _is_number(settings, "window") else ""),
        ),
        ("Started", started[1].started if started else "not recorded"),
        ("Took", _seconds(summary["timing"].get("finished"))),
        ("Run as", str(settings.get("dut") or run.settings.dut or "not recorded")),
    ]
    if device.gateway:
        found.insert(3, ("Gateway", device.gateway))
    return found


def settings_in_force(run: Run) -> list[tuple[str, str]]:
    """As recorded, without secrets."""
    started = run.evidence.first(ev.RunStarted)
    values = started[1].settings if started else {}
    return [(str(k), v if isinstance(v, str) else clipped(compact(v), 400)) for k, v in values.items()]


def _is_number(settings: Mapping[str, Any], name: str) -> bool:
    return isinstance(settings.get(name), (int, float))


def _seconds(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f} s"


def _sdk(run: Run) -> str:
    """DeviceClientType as the device announced it, else what it told DPS."""
    connected = run.evidence.connected
    if connected and connected[1].client_type:
        return connected[1].client_type
    told = run.evidence.final(ev.ProvisioningConnected)
    return (told[1].client_version if told else "") or "not announced (DeviceClientType)"


def _connection(connected: ev.HubConnected | None) -> str:
    if connected is None:
        return "never connected to the hub"
    if not connected.transport:
        return ", ".join(filter(None, ("by the hub's word", connected.authentication)))
    parts = [connected.transport, connected.authentication, f"keep-alive {connected.keep_alive} s"]
    return ", ".join(p for p in parts if p)


def _reported(run: Run, name: str) -> str:
    """A value of the DeviceInformation interface, as the device reported it last."""
    for c in run.evidence.capabilities:
        if c.name == name and c.interface == DEVICE_INFORMATION and run.evidence.reports.get(c.path):
            value = run.evidence.reports[c.path][-1].value
            return value if isinstance(value, str) else compact(value)
    return ""

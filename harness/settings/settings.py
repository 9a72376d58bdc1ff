"""The settings of a run, as they are in force."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

from harness.expectations import Expectations
from harness.settings import redactions
from harness.settings.options import OPTIONS

EXTERNAL = "external"
"""The `dut` of a physical device, which its owner starts."""


EXTERNAL_CONNECT_TIMEOUT = 600.0
"""Seconds: a person has to configure a physical device and start it."""

FLEET = "fleet"
"""The tables of preflight.toml that stand for a device each (`harness.fleet` reads them)."""

GLOBAL_DPS = "global.azure-devices-provisioning.net"
"""Where devices of all DPS instances of Azure register."""

SMOKE_WINDOW = 10.0
"""Seconds: `--profile smoke` is done in under 15."""


class SettingsError(Exception):
    """A setting is unknown or has an impossible value. The text says which, where, and what is possible."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings in force. Durations are in seconds. `origins` says where each was set.

    `expectations` is what the maker states about the device; `notes` is what of it could not be taken up. `device` is
    its name in a fleet; None where preflight.toml has no fleet.
    """

    dut: str | None = None
    device: str | None = None
    model_id: str | None = None
    models: tuple[str, ...] = ()
    target: str = "local"
    attestation: str = "symmetric-key"
    endorsement_key: str | None = None
    registration_id: str = "preflight-device"
    window: float = 60.0
    connect_timeout: float = 60.0
    ack_timeout: float = 30.0
    command_timeout: float = 30.0
    trial_timeout: float = 120.0
    listen: str = "127.0.0.1"
    profile: str = "standard"
    reports: Path = Path("reports")
    state: Path = Path(".preflight")
    strict: bool = False
    bundle: Path | None = None
    sign: Path | None = None
    replay: Path | None = None
    test_cases: Path | None = None
    hub_connection_string: str | None = field(default=None, repr=False)
    dps_connection_string: str | None = field(default=None, repr=False)
    event_hub_connection_string: str | None = field(default=None, repr=False)
    consumer_group: str = "$Default"
    hub_host: str | None = None
    dps_host: str | None = None
    id_scope: str | None = None
    dps_endpoint: str = GLOBAL_DPS
    azure_ca: Path | None = None
    enrollment: str = "individual"
    device_id: str | None = None
    webhook: str | None = field(default=None, repr=False)
    keep: bool = False
    redact: tuple[redactions.Listed, ...] = field(default=(), repr=False)
    root: Path = field(default_factory=Path)
    origins: Mapping[str, str] = field(default_factory=dict)
    expectations: Expectations = field(default_factory=Expectations)
    notes: tuple[str, ...] = ()

    @property
    def is_smoke(self) -> bool:
        """Whether the run is the quickest one."""
        return self.profile == "smoke"

    def as_record(self) -> dict[str, Any]:
        """The settings as they stand in the record and the reports: none that is secret, or without effect."""
        left_out = {"origins", "root", "expectations", "notes"}
        left_out |= {o.attribute for o in OPTIONS if o.secret or (o.azure and self.target != "azure")}
        return {
            f.name.replace("_", "-"): _plain(getattr(self, f.name))
            for f in fields(self)
            if f.name not in left_out and getattr(self, f.name) is not None
        }

    def secrets(self) -> tuple[str, ...]:
        """What of the settings must not reach a file or screen: secret texts, and the keys in them."""
        texts = [str(getattr(self, o.attribute) or "") for o in OPTIONS if o.secret and not o.repeat]
        codes = _CODES.findall(self.webhook or "")
        parts = [part for text in texts for part in (text, *_KEYS.findall(text))]
        return tuple(filter(None, (*parts, *codes, *map(unquote_plus, codes))))


_CODES = re.compile(r"[?&]code=([^&#]+)")
_KEYS = re.compile(r"(?i)SharedAccess(?:Key|Signature)\s*=\s*([^;\s]+)")


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else list(value) if isinstance(value, tuple) else value

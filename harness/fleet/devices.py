"""The devices of a fleet, from the `[[fleet]]` tables of preflight.toml.

A table has a `name` and what differs from the rest of the file, in the same keys and tables. So each device has
`Settings` of its own, as if preflight.toml had been written for it alone.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.expectations import nearest
from harness.settings import FLEET, VARIABLES, Settings, SettingsError, load, toml

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,46}[A-Za-z0-9])?")
"""It is a folder's name, a part of a test's name and of a registration id (X.509: 64 characters at most)."""

_OF_THE_RUN = ("bundle", "replay", "reports", "sign")
"""Keys that one device of a fleet cannot have for itself."""
_OF_A_DEVICE = ("dut", "model-id", "registration-id", "endorsement-key", "test-cases", "device-id")
"""Options that are about one device, and so need `--device` where there are several."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """The devices to test, each with its settings (`Settings.device` is its name), and the folder of their reports.

    `whole`: these are all of them, and not the one that `--device` names.
    """

    devices: tuple[Settings, ...]
    reports: Path
    whole: bool

    def groups(self) -> dict[str, str]:
        """For each device the first one that it cannot be tested beside: they share an address, whose port is fixed."""
        first: dict[str, str] = {}
        found = {}
        for settings in self.devices:
            name = settings.device or ""
            bound = settings.target == "local" and ("listen" in settings.origins or sys.platform == "darwin")
            found[name] = first.setdefault(settings.listen, name) if bound else name
        return found


def load_fleet(
    command_line: Mapping[str, Any], environment: Mapping[str, str], root: Path, cwd: Path | None = None
) -> Fleet | None:
    """The fleet of the preflight.toml in `root`; None where it has none, or a recorded run is judged again.

    The parameters are those of `settings.load`. Raises SettingsError.
    """
    tables = toml(root / "preflight.toml").get(FLEET)
    chosen = command_line.get("device") or environment.get(VARIABLES["device"])
    replayed = command_line.get("replay") or environment.get(VARIABLES["replay"])
    if tables is None or replayed:
        if chosen and not (replayed and not command_line.get("device")):
            what = "--device" if command_line.get("device") else VARIABLES["device"]
            why = "--replay judges one recorded run" if replayed else "preflight.toml has no [[fleet]]"
            raise SettingsError(f"{what} chooses a device of a fleet, but {why}: leave it out.")
        return None
    if not isinstance(tables, list) or not tables or not all(isinstance(each, Mapping) for each in tables):
        raise SettingsError("preflight.toml: `fleet` must be a list of tables: write [[fleet]] above each device.")
    names = _names(tables)
    if chosen and chosen not in names:
        raise SettingsError(
            f"The fleet has no device {chosen!r}{nearest(chosen, names)}. Its devices: {', '.join(names)}."
        )
    _refuse_for_several(command_line, environment, (chosen,) if chosen else names)
    devices, problems = [], []
    for name, own in zip(names, tables, strict=True):
        given = (command_line, environment) if name == (chosen or name) else _of_all(command_line, environment)
        try:
            devices.append(_device(name, own, load(*given, root, cwd, _keys(own))))
        except SettingsError as e:
            problems.append(f"Device {name} of the fleet: {e}")
    problems += _same_registration(devices)
    if problems:
        raise SettingsError("\n".join(problems))
    reports = devices[0].reports.parent
    return Fleet(tuple(d for d in devices if d.device == (chosen or d.device)), reports, whole=not chosen)


def _names(tables: Sequence[Mapping[str, Any]]) -> list[str]:
    names: list[str] = []
    problems = []
    for number, own in enumerate(tables, 1):
        name = own.get("name")
        where = f"preflight.toml: device {number} of the fleet"
        if name is None:
            problems.append(f"{where} has no `name`, which its tests and its report folder are called by.")
        elif not isinstance(name, str) or not _NAME.fullmatch(name):
            problems.append(
                f"{where}: name = {name!r} cannot be used. Letters, digits and . _ - inside make a name, of 48 "
                "characters at most: it is a folder's, too."
            )
        elif name.lower() in (n.lower() for n in names):
            problems.append(
                f"{where} is named {name!r}, as one before it: give each its own name (case is no difference)."
            )
        names.append(str(name))
    if problems:
        raise SettingsError("\n".join(problems))
    return names


def _keys(own: Mapping[str, Any]) -> dict[str, Any]:
    """What one device's table says but for its name. Raises SettingsError."""
    for key in _OF_THE_RUN:
        if key in own:
            raise SettingsError(f"`{key}` is of the whole run: write it above the first [[fleet]], or leave it out.")
    if FLEET in own:
        raise SettingsError("a device of a fleet has no fleet itself.")
    return {key: value for key, value in own.items() if key != "name"}


def _device(name: str, own: Mapping[str, Any], settings: Settings) -> Settings:
    """The settings with what follows from the name. Raises SettingsError."""
    if settings.dut is None:
        raise SettingsError("it has no `dut`: give the command line that starts it, or `external`.")
    if settings.model_id is None:
        raise SettingsError(
            "it has no `model-id`. The tests of a fleet are made from the models before any device is started, "
            "so the model cannot be discovered."
        )
    registration_id = settings.registration_id
    if "registration-id" not in settings.origins and settings.attestation != "tpm":
        registration_id = f"preflight-{name.lower()}"
    bundle = settings.bundle and settings.bundle.with_name(f"{settings.bundle.stem}-{name}{settings.bundle.suffix}")
    return replace(
        settings, device=name, registration_id=registration_id, reports=settings.reports / name, bundle=bundle
    )


def _same_registration(devices: Sequence[Settings]) -> Iterator[str]:
    """DPS knows no difference of case in a registration id."""
    first: dict[str, str] = {}
    for settings in devices:
        other = first.setdefault(settings.registration_id.lower(), settings.device or "")
        if other != settings.device:
            yield (
                f"Devices {other} and {settings.device} of the fleet have the same registration id, "
                f"{settings.registration_id}: DPS takes them for one device. Give each its own, or none."
            )


def _refuse_for_several(command_line: Mapping[str, Any], environment: Mapping[str, str], names: Sequence[str]) -> None:
    for name in _OF_A_DEVICE:
        given = f"--{name}" if command_line.get(name) else VARIABLES[name] if environment.get(VARIABLES[name]) else ""
        if given and len(names) > 1:
            raise SettingsError(
                f"{given} is about one device, and preflight.toml has a fleet of {len(names)} ({', '.join(names)}). "
                "Say with --device NAME which of them is meant."
            )


def _of_all(command_line: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """What is given to every device of the fleet, and not only to the one that was chosen."""
    variables = {VARIABLES[name] for name in _OF_A_DEVICE}
    return (
        {name: value for name, value in command_line.items() if name not in _OF_A_DEVICE},
        {name: value for name, value in environment.items() if name not in variables},
    )

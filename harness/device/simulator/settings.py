"""What the simulator is told: connection settings by the names Microsoft's samples read, and its own.

A device process of the harness gets these in its environment, whatever SDK it is written with.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SECURITY_TYPE = "IOTHUB_DEVICE_SECURITY_TYPE"
ENDPOINT = "IOTHUB_DEVICE_DPS_ENDPOINT"
ID_SCOPE = "IOTHUB_DEVICE_DPS_ID_SCOPE"
REGISTRATION_ID = "IOTHUB_DEVICE_DPS_DEVICE_ID"
KEY = "IOTHUB_DEVICE_DPS_DEVICE_KEY"
MODEL_ID = "PREFLIGHT_MODEL_ID"
MODELS = "PREFLIGHT_MODELS"
"""Locations of models, one a line (directories and URLs may hold `:`, `;`, commas and spaces)."""

DEFAULT_MODELS = ("dtdl_models", "https://devicemodels.azure.com")
DEFAULT_INTERVAL = 1.0


class SettingsError(Exception):
    """A setting is missing or unusable. The text names the variable and says what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a simulated device needs to know. `interval` is in seconds; `key` is base64."""

    endpoint: str
    id_scope: str
    registration_id: str
    key: str = field(repr=False)
    model_id: str
    models: tuple[str, ...]
    interval: float = DEFAULT_INTERVAL


def read(
    environment: Mapping[str, str],
    *,
    model_id: str | None = None,
    models: Sequence[str] = (),
    interval: float = DEFAULT_INTERVAL,
) -> Settings:
    """Options where given, the environment otherwise. Raises SettingsError, naming all that is missing."""
    security = environment.get(SECURITY_TYPE, "DPS")
    if security.upper() != "DPS":
        raise SettingsError(
            f"{SECURITY_TYPE} is {security!r}, but the simulator connects through DPS only: set it to DPS."
        )
    needed = {n: environment.get(n, "").strip() for n in (ENDPOINT, ID_SCOPE, REGISTRATION_ID, KEY, MODEL_ID)}
    needed[MODEL_ID] = model_id or needed[MODEL_ID]
    missing = [name for name, value in needed.items() if not value]
    if missing:
        raise SettingsError(_missing(missing))
    _check_key(needed[KEY])
    if not 0 < interval < 1e6:
        raise SettingsError(f"--interval {interval:g} cannot be used: a number of seconds above 0 is expected.")
    listed = tuple(line.strip() for line in environment.get(MODELS, "").splitlines() if line.strip())
    return Settings(
        endpoint=needed[ENDPOINT],
        id_scope=needed[ID_SCOPE],
        registration_id=needed[REGISTRATION_ID],
        key=needed[KEY],
        model_id=needed[MODEL_ID],
        models=tuple(models) or listed or DEFAULT_MODELS,
        interval=interval,
    )


def _missing(names: list[str]) -> str:
    if names == [MODEL_ID]:
        return f"No model to simulate: set {MODEL_ID} in the environment or give --model-id."
    return (
        f"Not set in the environment: {', '.join(names)}. A test run sets them for its device "
        "(pytest --dut 'preflight simulate'); to run the simulator by hand, take them from "
        "`preflight emulator` or from your Device Provisioning Service."
    )


def _check_key(key: str) -> None:
    try:
        base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        raise SettingsError(
            f"{KEY} is not base64: copy the whole symmetric key of the enrollment, with any = at its end."
        ) from None

"""The settings of a run: command line over environment over preflight.toml over defaults.

One table describes every setting (`options.py`); the pytest options, the environment names (`PREFLIGHT_` and the name
in upper case), the keys of preflight.toml and the messages about wrong ones all come from it.
"""

from __future__ import annotations

from harness.settings.loading import load, toml
from harness.settings.options import OPTIONS, SERVICE_SECRETS, VARIABLES, Option
from harness.settings.settings import EXTERNAL, FLEET, GLOBAL_DPS, Settings, SettingsError
from harness.settings.values import tpm_registration_id

__all__ = [
    "EXTERNAL",
    "FLEET",
    "GLOBAL_DPS",
    "OPTIONS",
    "SERVICE_SECRETS",
    "VARIABLES",
    "Option",
    "Settings",
    "SettingsError",
    "load",
    "toml",
    "tpm_registration_id",
]

"""What goes together: options without effect are refused, and what is missing is asked for."""

from __future__ import annotations

from harness.settings.options import OPTIONS
from harness.settings.settings import EXTERNAL, Settings, SettingsError


def checked(settings: Settings) -> Settings:
    """The settings themselves. Raises SettingsError."""
    return _check_azure(_check_files(_check_attestation(settings)))


def _check_attestation(settings: Settings) -> Settings:
    tpm = settings.attestation == "tpm"
    if tpm and settings.endorsement_key is None and settings.replay is None:
        raise SettingsError(
            "--attestation tpm: DPS has to know the public endorsement key of the device's TPM. Read it from the TPM "
            "(`tpm2_createek -c ek.ctx -u ek.pub`, then `base64 -w0 ek.pub`) and give it with --endorsement-key BASE64."
        )
    if not tpm and settings.origins.get("endorsement-key") == "the command line":
        raise SettingsError(
            f"--endorsement-key is for --attestation tpm, and the attestation is {settings.attestation}: "
            "add that option or leave this one out."
        )
    return settings


def _check_files(settings: Settings) -> Settings:
    if settings.sign is not None and settings.bundle is None:
        raise SettingsError("--sign signs a bundle: name its file with --bundle FILE too.")
    if settings.replay is not None and not settings.replay.is_file():
        raise SettingsError(f"--replay: there is no file {settings.replay}.")
    if settings.test_cases is not None and not settings.test_cases.is_file():
        raise SettingsError(f"--test-cases: there is no file {settings.test_cases}.")
    if settings.replay is not None and settings.origins.get("test-cases") == "the command line":
        raise SettingsError(
            "--test-cases does not go with --replay: a recorded run is judged by what was stated when it ran."
        )
    return settings


def _check_azure(settings: Settings) -> Settings:
    """Options without effect are refused, and what the Azure target cannot do without is asked for."""
    if settings.replay is not None:
        return settings
    if settings.target != "azure":
        for option in OPTIONS:
            if option.azure and settings.origins.get(option.name) == "the command line":
                raise SettingsError(
                    f"--{option.name} is for --target azure, and the target is {settings.target}: add that option or "
                    "leave this one out."
                )
        return settings
    if settings.origins.get("listen") == "the command line":
        raise SettingsError("--listen is for the local target, which listens; --target azure does not.")
    if settings.hub_connection_string is None and settings.hub_host is None:
        raise SettingsError(
            "--target azure: the hub is not named. Put the connection string of one of its policies into "
            "PREFLIGHT_HUB_CONNECTION_STRING, or give --hub-host HOST and log in with Microsoft Entra ID (`az login`). "
            "docs/azure.md says where to find them and what rights are needed."
        )
    made = settings.device_id is None
    if made and settings.dps_connection_string is None and settings.dps_host is None:
        raise SettingsError(
            "--target azure: the DPS instance is not named. Put the connection string of one of its policies into "
            "PREFLIGHT_DPS_CONNECTION_STRING, or give --dps-host HOST; or name a device that exists with --device-id."
        )
    if settings.id_scope is None and (made or settings.dut != EXTERNAL):
        raise SettingsError(
            "--target azure: the ID scope of the DPS instance is not known, and the device needs it. It stands on the "
            "instance's page (`az iot dps show --query properties.idScope`): give it with --id-scope SCOPE."
        )
    if settings.hub_connection_string is None and settings.event_hub_connection_string is None:
        raise SettingsError(
            "--target azure with --hub-host: telemetry is read from the hub's built-in endpoint, with a key. Put that "
            "endpoint's connection string (the hub's page, Built-in endpoints) into "
            "PREFLIGHT_EVENT_HUB_CONNECTION_STRING."
        )
    if settings.enrollment == "group" and settings.attestation != "symmetric-key":
        raise SettingsError(
            f"--enrollment group makes a group whose devices have derived keys, and the attestation is "
            f"{settings.attestation}: use --attestation symmetric-key or --enrollment individual."
        )
    if settings.webhook is not None and settings.origins.get("webhook") == "the command line" and not made:
        raise SettingsError(
            "--webhook goes into the enrollment that a run makes, and with --device-id it makes none: leave one out."
        )
    if settings.azure_ca is not None and not settings.azure_ca.is_file():
        raise SettingsError(f"--azure-ca: there is no file {settings.azure_ca}.")
    return settings

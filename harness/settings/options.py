"""The table of settings: pytest's options, names in the environment and keys of preflight.toml all come from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from harness.settings import redactions
from harness.settings.values import flag, in_base64, locations, path, seconds, some_text, webhook


@dataclass(frozen=True, slots=True)
class Option:
    """One setting. `name` is as on the command line and in preflight.toml.

    `also` are other names in the environment, those of Microsoft's samples. What is `secret` stands in no record and
    no message. What is `azure` has an effect on that target only. What is not `filed` is no key of preflight.toml.
    """

    name: str
    help: str
    read: Callable[[Any], Any] = some_text
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    repeat: bool = False
    flag: bool = False
    also: tuple[str, ...] = ()
    secret: bool = False
    azure: bool = False
    filed: bool = True

    @property
    def attribute(self) -> str:
        return self.name.replace("-", "_")

    @property
    def environment(self) -> str:
        return "PREFLIGHT_" + self.attribute.upper()


OPTIONS = (
    Option("dut", "the device under test: a command line, or `external` for a physical one", metavar="COMMAND"),
    Option("device", "the one device of the fleet in preflight.toml to test", metavar="NAME", filed=False),
    Option("model-id", "DTMI of the device's root interface; discovered when absent", metavar="DTMI"),
    Option(
        "models",
        "where models are: a directory or URL in device-model-repository layout",
        locations,
        "LOCATION",
        repeat=True,
    ),
    Option("target", "where the device is tested", choices=("local", "azure")),
    Option("attestation", "how the device proves itself to DPS", choices=("symmetric-key", "x509", "tpm")),
    Option(
        "endorsement-key",
        "public endorsement key of the device's TPM (TPM2B_PUBLIC in base64), for --attestation tpm",
        in_base64,
        "BASE64",
    ),
    Option("registration-id", "the device's registration id in DPS", metavar="ID"),
    Option(
        "window",
        "how long telemetry is watched, at most, where nothing stated about it asks for longer",
        seconds,
        "SECONDS",
    ),
    Option("connect-timeout", "how long the device may take to register and to connect", seconds, "SECONDS"),
    Option("ack-timeout", "how long the device may take to acknowledge a writable property", seconds, "SECONDS"),
    Option(
        "trial-timeout",
        "how long each wait of a trial of the full profile may take, at most; to come up the device has its "
        "--connect-timeout",
        seconds,
        "SECONDS",
    ),
    Option(
        "command-timeout",
        "how long the device may take to answer a command; the hub waits 5 to 300 s for it",
        seconds,
        "SECONDS",
    ),
    Option(
        "listen",
        "address the local target listens on; a LAN address for a physical device",
        metavar="ADDRESS",
    ),
    Option(
        "profile",
        "how much is tested: smoke = everything declared once, in under 15 s; standard = also negative tests and "
        "cloud-to-device messages (the default); full = also resilience, by trials",
        choices=("smoke", "standard", "full"),
    ),
    Option("reports", "folder the reports go to", path, "DIR"),
    Option(
        "state",
        "folder that lasts from run to run: the local target's certificates, the identities and keys of physical "
        "devices, notes of what was made in Azure",
        path,
        "DIR",
    ),
    Option("strict", "warnings fail the run", flag, flag=True),
    Option("bundle", "make one zip of the run for a manual review, in this file", path, "FILE"),
    Option("sign", "sign the bundle with this Ed25519 private key (PEM)", path, "KEY"),
    Option("replay", "judge a recorded run again, without a device", path, "JOURNAL"),
    Option(
        "redact",
        "mask this in every report and on the screen: a text, a /regular expression/, or env:NAME for what a variable "
        "holds; adds to preflight.toml's",
        redactions.read,
        "TEXT",
        repeat=True,
        secret=True,
    ),
    Option(
        "test-cases",
        "an AICS test-case file, stated over preflight.toml; `preflight test-cases` writes one",
        path,
        "FILE",
    ),
    *(
        replace(option, help=f"{option.help} (--target azure)", azure=True)
        for option in (
            Option(
                "hub-connection-string",
                "of a policy of the hub; best from the environment",
                metavar="STRING",
                also=("IOTHUB_CONNECTION_STRING",),
                secret=True,
            ),
            Option(
                "dps-connection-string",
                "of a policy of the DPS instance; best from the environment",
                metavar="STRING",
                also=("PROVISIONING_SERVICE_CONNECTION_STRING", "IOT_PROVISIONING_SERVICE_CONNECTION_STRING"),
                secret=True,
            ),
            Option(
                "event-hub-connection-string",
                "of the hub's built-in endpoint; found with the hub's own when left out",
                metavar="STRING",
                secret=True,
            ),
            Option("consumer-group", "consumer group of the built-in endpoint to read with", metavar="NAME"),
            Option("hub-host", "the hub's host, for Microsoft Entra ID in place of a string", metavar="HOST"),
            Option("dps-host", "the DPS instance's host, for Microsoft Entra ID", metavar="HOST"),
            Option(
                "id-scope",
                "ID scope of the DPS instance",
                metavar="SCOPE",
                also=("PROVISIONING_IDSCOPE", "IOTHUB_DEVICE_DPS_ID_SCOPE"),
            ),
            Option(
                "dps-endpoint",
                "the host that the device registers with",
                metavar="HOST",
                also=("PROVISIONING_HOST", "IOTHUB_DEVICE_DPS_ENDPOINT"),
            ),
            Option("azure-ca", "CA certificates (PEM) of an emulator or a private endpoint", path, "FILE"),
            Option("enrollment", "what is made in DPS for the device", choices=("individual", "group")),
            Option("device-id", "a device of the hub that exists: nothing is made for it, or removed", metavar="ID"),
            Option(
                "webhook",
                "URL of the allocation webhook, which shows what the device registers with; best from the environment",
                webhook,
                "URL",
                secret=True,
            ),
            Option("keep", "leave what was made in Azure for the device, enrollment and identity", flag, flag=True),
        )
    ),
)


VARIABLES = {o.name: o.environment for o in OPTIONS}
"""Each option's name in the environment."""

SERVICE_SECRETS = frozenset(name for o in OPTIONS if o.secret for name in (o.environment, *o.also))
"""Names in the environment of what opens a service: a device process must inherit none of them."""

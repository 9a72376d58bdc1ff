"""Which services a command is about: the options that name them, over the environment, over preflight.toml."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from harness.azure.connection_strings import DpsConnection, EventHubConnection, HubConnection
    from harness.azure.provisioning import Provisioning
    from harness.settings import Settings
    from harness.target.service import HubService

T = TypeVar("T")

STATE = Path(".preflight")


class Unclear(Exception):
    """Nothing says what is meant, or two things do; the text is a sentence that says what to do."""


def add_local(parser: argparse.ArgumentParser) -> argparse._ArgumentGroup:
    """The options that name an emulator."""
    group = parser.add_argument_group("where", "an emulator, found by itself where one runs with this folder; or Azure")
    group.add_argument(
        "--target", choices=("local", "azure"), help="default: that of PREFLIGHT_TARGET or preflight.toml, else local"
    )
    group.add_argument("--emulator", metavar="URL", type=_url, help="control endpoint of a standalone emulator")
    group.add_argument(
        "--state", metavar="DIR", type=Path, help="state folder of the emulator to find (default: .preflight)"
    )
    return group


def add_azure(group: argparse._ArgumentGroup, *, dps: bool = False, events: bool = True) -> None:
    """The options that name services in Azure."""
    group.add_argument(
        "--hub",
        metavar="STRING",
        help="connection string of a policy of the hub; better kept in PREFLIGHT_HUB_CONNECTION_STRING",
    )
    if dps:
        group.add_argument(
            "--dps",
            metavar="STRING",
            help="connection string of a policy of the DPS; better kept in PREFLIGHT_DPS_CONNECTION_STRING",
        )
    if events:
        group.add_argument(
            "--event-hub",
            metavar="STRING",
            help="that of its built-in endpoint, PREFLIGHT_EVENT_HUB_CONNECTION_STRING (default: asked of the hub)",
        )
        group.add_argument(
            "--consumer-group", metavar="NAME", help="consumer group of that endpoint (default: $Default)"
        )
    group.add_argument("--azure-ca", metavar="FILE", help="CA certificates (PEM) to trust, of a private endpoint")


_NAMES = {
    "target": "target",
    "hub": "hub-connection-string",
    "dps": "dps-connection-string",
    "event_hub": "event-hub-connection-string",
    "consumer_group": "consumer-group",
    "azure_ca": "azure-ca",
    "redact": "redact",
}


def settings_of(args: argparse.Namespace, say: Callable[[str], None]) -> Settings:
    """The settings in force; `say` is told what was indiscreet. Raises Unclear."""
    from harness.settings import SettingsError, load

    given = {name: getattr(args, key, None) for key, name in _NAMES.items()}
    try:
        settings = load({k: v for k, v in given.items() if v is not None}, os.environ, Path.cwd(), checked=False)
    except SettingsError as error:
        raise Unclear(str(error)) from None
    for note in settings.notes:
        say(_renamed(note))
    return settings


def is_azure(args: argparse.Namespace, settings: Settings) -> bool:
    """Whether Azure is meant. Raises Unclear where the options say both."""
    named = [option for option in ("hub", "dps", "event_hub") if getattr(args, option, None)]
    local = [option for option in ("emulator", "state") if getattr(args, option, None) is not None]
    azure = args.target == "azure" or bool(named)
    if azure and (local or args.target == "local"):
        ours = f"--{local[0]}" if local else "--target local"
        theirs = f"--{named[0].replace('_', '-')}" if named else "--target azure"
        raise Unclear(f"{ours} is about the emulator and {theirs} about Azure: leave one of them out.")
    return azure or (settings.target == "azure" and args.target is None and not local)


class AzureServices:
    """The services in Azure that the settings name; each is made when it is asked for. Raises Unclear."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        if settings.azure_ca is not None and not settings.azure_ca.is_file():
            raise Unclear(f"--azure-ca: there is no file {settings.azure_ca}.")

    @property
    def hub(self) -> HubConnection | None:
        """None where the hub is named by its host alone."""
        from harness.azure.connection_strings import parse_hub

        text = self.settings.hub_connection_string
        if text is None and self.settings.hub_host is None:
            raise Unclear(
                "The hub is not named. Put the connection string of one of its policies into "
                "PREFLIGHT_HUB_CONNECTION_STRING (on the portal: the hub's page, Shared access policies)."
            )
        return None if text is None else _parsed(parse_hub, text)

    @property
    def dps(self) -> DpsConnection | None:
        """None where no DPS is named, or only by its host."""
        from harness.azure.connection_strings import parse_dps

        text = self.settings.dps_connection_string
        return None if text is None else _parsed(parse_dps, text)

    @property
    def events(self) -> EventHubConnection | HubConnection:
        """What messages are read from."""
        from harness.azure.connection_strings import parse_event_hub

        text = self.settings.event_hub_connection_string
        if text is not None:
            return _parsed(parse_event_hub, text)
        hub = self.hub
        if hub is None:
            raise Unclear(
                "With --hub-host, messages are read with a key all the same: put the connection string of the hub's "
                "built-in endpoint into PREFLIGHT_EVENT_HUB_CONNECTION_STRING."
            )
        return hub

    @property
    def hub_name(self) -> str:
        hub = self.hub
        return hub.hostname if hub is not None else str(self.settings.hub_host)

    def hub_service(self, patience: float = 10.0) -> HubService:
        """`patience` is how long a busy hub is asked again, in seconds."""
        from harness.azure.retrying import Patience
        from harness.target.service import HubService

        hub = self.hub
        if hub is not None:
            return HubService(hub.text, self.settings.azure_ca, patience=Patience(patience))
        host = str(self.settings.hub_host)
        return HubService("", self.settings.azure_ca, host=host, login=_login(), patience=Patience(patience))

    def provisioning(self, patience: float = 10.0) -> Provisioning | None:
        """None where no DPS is named."""
        from harness.azure.provisioning import Provisioning
        from harness.azure.retrying import Patience

        dps, host, ca_path = self.dps, self.settings.dps_host, self.settings.azure_ca
        if dps is None and host is None:
            return None
        login = None if dps is not None else _login()
        return Provisioning(dps, ca_path, host=host or "", login=login, patience=Patience(patience))


def control_of(args: argparse.Namespace) -> str:
    """The control endpoint of the emulator that is meant. Raises Unclear."""
    from harness.emulator.announcing import running

    if args.emulator is not None:
        return str(args.emulator)
    state = args.state or STATE
    found = running(state)
    if not found:
        raise Unclear(
            f"No emulator runs with the state folder {state}. Start `preflight emulator` in this folder, or name one: "
            "--emulator URL (what it calls control), --state DIR (its state folder); or --target azure."
        )
    if len(found) > 1:
        several = "".join(f"\n  --emulator {one.control}   hub {one.hub_host}" for one in found)
        raise Unclear(f"Several emulators run with the state folder {state}; name one:{several}")
    return found[0].control


def _parsed(parse: Callable[[str], T], text: str) -> T:
    from harness.azure.connection_strings import ConnectionStringError

    try:
        return parse(text)
    except ConnectionStringError as error:
        raise Unclear(str(error)) from None


def _login() -> Any:
    try:
        from azure.identity import DefaultAzureCredential
    except ImportError:
        raise Unclear(
            "To log in with Microsoft Entra ID azure-identity is needed: python -m pip install 'pnp-preflight[azure]'."
        ) from None
    return DefaultAzureCredential()


def _renamed(note: str) -> str:
    """A note about settings, in the names of these commands' options."""
    for key, name in _NAMES.items():
        note = note.replace(f"--{name}", f"--{key.replace('_', '-')}")
    return note


def _url(text: str) -> str:
    import contextlib
    from urllib.parse import urlsplit

    with contextlib.suppress(ValueError):
        parts = urlsplit(text)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return text
    raise argparse.ArgumentTypeError(f"{text!r} is not a URL such as http://127.0.0.1:41234")

"""Which services a command is about: the options that name them, over the environment, over preflight.toml."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.settings import Settings
    from harness.target.azure.access import Access

STATE = Path(".preflight")
PATIENCE = 10.0
"""Seconds for which a busy service in Azure is asked again."""


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


@contextmanager
def azure_access(settings: Settings) -> Iterator[Access]:
    """The services in Azure that the settings name; what is wrong with one is, inside, Unclear."""
    from harness.target import TargetError
    from harness.target.azure.access import Access

    if settings.azure_ca is not None and not settings.azure_ca.is_file():
        raise Unclear(f"--azure-ca: there is no file {settings.azure_ca}.")
    try:
        yield Access(settings)
    except TargetError as error:
        raise Unclear(str(error)) from None


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

"""`preflight doctor`: what keeps a pre-flight from working here, each thing with its cure."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from textwrap import wrap
from typing import TYPE_CHECKING, Any

from harness.cli import FINDINGS, GOOD, USAGE
from harness.cli.control import Unreachable, fetch
from harness.cli.services import STATE, Unclear, add_azure, add_local, azure_access, control_of, is_azure, settings_of

if TYPE_CHECKING:
    from harness.doctor.examining import Services
    from harness.doctor.result import Result
    from harness.settings import Settings

_CHECK = 13
_INDENT = 9 + _CHECK
_WIDEST = 110

EPILOG = """\
For the local target: packages, folders, the ports it listens on; where an emulator runs, also whether it can be reached
and trusted. For Azure: names, the ports 8883, 443 and 5671, certificates, this computer's clock, and what the policies
may do. Nothing is changed anywhere.

examples:
  preflight doctor
  preflight doctor --listen 192.168.1.10
  preflight doctor --target azure             of services named by PREFLIGHT_HUB_CONNECTION_STRING and others
  preflight doctor --target azure --json

Exit codes: 0 no failure, 1 failures, 2 usage.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "doctor",
        help="look for what keeps a pre-flight from working: network, certificates, clock, credentials, ports",
        description="Look for what keeps a pre-flight from working on this computer and in this network.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    group = add_local(parser)
    group.add_argument("--listen", metavar="ADDRESS", help="address that the local target is to listen on")
    add_azure(group, dps=True)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Exit code, see the epilog."""

    def say(sentence: str) -> None:
        print(f"preflight doctor: {sentence}", file=sys.stderr)

    try:
        settings = settings_of(args, say)
        azure = is_azure(args, settings)
        found = _of_azure(settings) if azure else _of_local(args, settings)
    except Unclear as error:
        say(str(error))
        return USAGE
    if args.json:
        document = {"target": "azure" if azure else "local", "results": [result.document() for result in found]}
        print(json.dumps(document, indent=2, ensure_ascii=False))
    else:
        _print(found)
    return FINDINGS if any(result.outcome.value == "failed" for result in found) else GOOD


def _of_azure(settings: Settings) -> list[Result]:
    from harness.azure.retrying import Patience
    from harness.doctor.examining import Services, computer, host_of, services
    from harness.doctor.machine import roots
    from harness.doctor.result import skipped
    from harness.target.service import HubService

    wrong: list[Result] = []
    at_once = Patience(0.0)
    by_login = settings.dps_host is not None and settings.dps_connection_string is None
    login = by_login or (settings.hub_host is not None and settings.hub_connection_string is None)
    with azure_access(settings) as named:
        hub = _read(lambda: named.hub_connection, "hub", wrong)
        dps = _read(lambda: named.dps_connection, "DPS", wrong)
        events = (
            _read(lambda: named.telemetry, "messages", wrong) if hub or settings.event_hub_connection_string else None
        )
        hub_host = host_of(hub, settings.hub_host)
        hub_service = (
            _read(lambda: named.hub(HubService, at_once), "hub", wrong) if hub or (hub_host and login) else None
        )
        dps_service = _read(lambda: named.provisioning(at_once), "DPS", wrong) if dps or by_login else None
    asked = Services(
        hub_host=hub_host,
        dps_host=host_of(dps, settings.dps_host),
        dps_endpoint=settings.dps_endpoint,
        ca_path=settings.azure_ca,
        events=events,
        group=settings.consumer_group,
        hub=hub_service,
        dps=dps_service,
    )
    here = computer(settings, azure=True, login=login)
    if asked.dps_host is None and not any(result.subject == "DPS" for result in wrong):
        wrong.append(skipped("credentials", "DPS", "none is named (PREFLIGHT_DPS_CONNECTION_STRING)"))
    return [*here, roots(), *wrong, *asyncio.run(services(asked, os.environ))]


def _read(read: Callable[[], Any], what: str, wrong: list[Result]) -> Any:
    """What a connection string names; a wrong one is a result like any other."""
    from harness.doctor.result import failed
    from harness.target import TargetError

    try:
        return read()
    except TargetError as error:
        said, _, cure = str(error).partition(". ")
        wrong.append(failed("credentials", what, said, cure))
        return None


def _of_local(args: argparse.Namespace, settings: Settings) -> list[Result]:
    from dataclasses import replace

    from harness.doctor.examining import computer, local, services
    from harness.doctor.result import failed
    from harness.emulator.announcing import running

    state = args.state or (settings.state if settings.state.is_dir() else STATE)
    settings = replace(settings, listen=args.listen or settings.listen, state=state)
    if args.emulator is None and not running(state):
        return local(settings)
    here = computer(settings, azure=False)
    try:
        control = control_of(argparse.Namespace(emulator=args.emulator, state=state))
        ends = fetch(control, "/status")
        return [*here, *asyncio.run(services(_emulated(ends), {}))]
    except Unreachable as error:
        said, _, cure = str(error).partition(". ")
        return [*here, failed("emulator", args.emulator or str(state), said, cure)]


def _emulated(ends: dict[str, Any]) -> Services:
    """The running emulator as services to be looked at."""
    from harness.azure.connection_strings import ConnectionStringError, parse_event_hub, parse_hub
    from harness.azure.retrying import Patience
    from harness.doctor.examining import Services
    from harness.target.service import HubService

    try:
        hub = parse_hub(ends["hubConnectionString"])
        ca_path = Path(ends["caPath"])
        text = ends.get("eventHubConnectionString")
        return Services(
            hub_host=hub.host,
            ca_path=ca_path,
            events=parse_event_hub(text) if text else None,
            hub=HubService(hub.text, ca_path, patience=Patience(0.0)),
        )
    except (KeyError, TypeError, ConnectionStringError):
        raise Unreachable("What answers is not the control endpoint of an emulator of this version.") from None


def _print(found: Sequence[Result]) -> None:
    """A line a result, folded below its columns; its cure under it."""
    from rich.text import Text

    from harness.watch.content import harmless
    from harness.watch.showing import Screen

    styles = {"ok": "green", "warning": "yellow", "failed": "bold red", "skipped": "dim"}
    screen = Screen()
    width = min(screen.width, _WIDEST)
    for result in found:
        said = (f"{result.subject}: {result.detail}", result.cure)
        lines = [line for text in said for line in wrap(harmless(text), width - _INDENT, break_on_hyphens=False)]
        head = Text(f"{result.outcome.value:9}", styles[result.outcome.value]).append(
            f"{result.check:{_CHECK}}", "bold"
        )
        for n, line in enumerate(lines):
            screen.print((head if n == 0 else Text(" " * _INDENT)) + Text(line), soft_wrap=True)
    count = {name: sum(result.outcome.value == name for result in found) for name in ("failed", "warning")}
    print(f"{_counted(count['failed'], 'failure')}, {_counted(count['warning'], 'warning')}.")


def _counted(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"

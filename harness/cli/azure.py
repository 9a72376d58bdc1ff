"""`preflight azure cleanup`: what runs against Azure have left there, listed and removed."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli import FINDINGS, GOOD, USAGE

if TYPE_CHECKING:
    from harness.azure.ledger import Made
    from harness.settings import Settings
    from harness.target.azure.leftovers import Removal

EPILOG = """\
Every run notes what it makes in Azure before it makes it, in azure.json of its state folder (.preflight, if nothing
else is set), and removes it at its end. What a killed run has left is removed here. Nothing is removed that does not
carry the mark of the run that is noted, nothing of a run that still goes on, and nothing that was kept on purpose
(--keep) unless --kept is given.

The state folder and connection strings are taken from the environment and preflight.toml, as `pytest --target azure`
takes them.

examples:
  preflight azure cleanup --list
  preflight azure cleanup
  preflight azure cleanup --kept --json

Exit codes: 0 nothing is left (or, with --list, nothing is noted), 1 something is left, 2 wrong options or settings.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser("azure", help="what runs against Azure have left there")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    cleanup = commands.add_parser(
        "cleanup",
        help="remove what interrupted runs have left",
        description="Remove enrollments, registration records and devices that interrupted runs have left in Azure.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    cleanup.add_argument("--list", action="store_true", help="only list them")
    cleanup.add_argument("--kept", action="store_true", help="also what was kept on purpose (--keep)")
    cleanup.add_argument(
        "--state",
        metavar="DIR",
        type=Path,
        help="state folder of the runs (default: that of PREFLIGHT_STATE or preflight.toml, else .preflight)",
    )
    cleanup.add_argument(
        "--azure-ca", metavar="FILE", type=Path, help="CA certificates of an emulator or a private one"
    )
    cleanup.add_argument("--json", action="store_true", help="print what is found, and what became of it, as JSON")
    cleanup.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Exit code, see the epilog."""
    from harness.azure.ledger import Ledger, LedgerError
    from harness.settings import SettingsError, load
    from harness.target import TargetError

    try:
        ledger = Ledger(args.state or load({}, os.environ, Path.cwd(), checked=False).state)
        entries = ledger.entries()
        due = [one for one in entries if (args.kept or not one.kept) and not one.in_use]
        left = [one for one in entries if one not in due]
        if args.list or not due:
            _list(entries, as_json=args.json)
            return FINDINGS if args.list and entries else GOOD
        removals = _remove(due, ledger, _settings(args))
    except (LedgerError, SettingsError, TargetError) as e:
        print(f"preflight azure cleanup: {e}", file=sys.stderr)
        return USAGE
    _tell(removals, left, as_json=args.json)
    return GOOD if all(r.done for r in removals) else FINDINGS


def _settings(args: argparse.Namespace) -> Settings:
    """As a run would have them: a device that exists asks for the least."""
    from harness.settings import load

    given: dict[str, Any] = {
        "target": "azure",
        "device-id": "cleanup",
        "dut": "external",
        "attestation": "symmetric-key",
    }
    if args.azure_ca is not None:
        given["azure-ca"] = str(args.azure_ca)
    return load({**given, "enrollment": "individual"}, os.environ, Path.cwd())


def _remove(due: list[Made], ledger: Any, settings: Settings) -> list[Removal]:
    from harness.target.azure.access import services
    from harness.target.azure.leftovers import remove

    hub, dps = services(settings)
    try:
        return remove(due, ledger, dps, hub)
    finally:
        hub.close()
        if dps is not None:
            dps.close()


def _list(entries: list[Made], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps([{**asdict(one), "in_use": one.in_use} for one in entries], indent=1))
        return
    for one in entries:
        state = "in use" if one.in_use else "kept" if one.kept else "left behind"
        print(f"{state:12} {one}, made {one.made}")
    if not entries:
        print("Nothing is noted: no run has left anything in Azure.")


def _tell(removals: list[Removal], left: list[Made], *, as_json: bool) -> None:
    if as_json:
        rows = [{**asdict(r.made), "done": r.done, "said": r.said} for r in removals]
        print(json.dumps(rows, indent=1))
        return
    for removal in removals:
        print(removal.said)
    for one in left:
        print(f"{one} is left: it {'belongs to a run that goes on' if one.in_use else 'was kept; see --kept'}.")

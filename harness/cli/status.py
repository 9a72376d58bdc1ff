"""`preflight status DEVICE`: how a device stands with DPS and its hub, and what to do about it."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from harness.cli import FINDINGS, GOOD, USAGE
from harness.cli.control import Unreachable, fetch
from harness.cli.services import (
    PATIENCE,
    Unclear,
    add_azure,
    add_local,
    azure_access,
    control_of,
    is_azure,
    settings_of,
)

if TYPE_CHECKING:
    from harness.settings import Settings
    from harness.watch.standing import Facts, Standing

UNNAMED = "none is named. Put the connection string of one of its policies into PREFLIGHT_DPS_CONNECTION_STRING."

EPILOG = """\
examples:
  preflight status pump-1                     on the `preflight emulator` that runs with this folder
  preflight status pump-1 --target azure      of a hub and DPS named by PREFLIGHT_HUB_CONNECTION_STRING and
                                              PREFLIGHT_DPS_CONNECTION_STRING
  preflight status pump-1 --json

The states are those of `preflight explain`: Provisioned, Registered, Blocked, Unapproved, Unassigned.
Exit codes: 0 good (also while it is not connected, if it was before), 1 something to mend, 2 usage.
"""

_WIDEST = 100
_INDENT = 13


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "status",
        help="say how a device stands: registered, connected, enabled, and what to do",
        description="Say whether a device is registered, enabled and connected, which model it announced, and what to "
        "do if it is not.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("device", metavar="DEVICE", help="device id")
    parser.add_argument("--registration-id", metavar="ID", help="its registration id in DPS, if it is another")
    add_azure(add_local(parser), dps=True, events=False)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Exit code, see the epilog."""
    from harness.watch.standing import standing

    def say(sentence: str) -> None:
        print(f"preflight status: {sentence}", file=sys.stderr)

    try:
        settings = settings_of(args, say)
        azure = is_azure(args, settings)
        facts = _of_azure(args, settings) if azure else _of_emulator(args, control_of(args))
    except Unclear as error:
        say(str(error))
        return USAGE
    except Unreachable as error:
        say(str(error))
        return FINDINGS
    found = standing(facts)
    if args.json:
        print(json.dumps({"target": "azure" if azure else "local", **found.document()}, indent=2, ensure_ascii=False))
    else:
        print("\n".join(_shown(found, min(shutil.get_terminal_size((80, 24)).columns, _WIDEST))))
    asked_in_vain = facts.hub_unasked or facts.dps_unasked not in ("", UNNAMED)
    return FINDINGS if found.troubles or asked_in_vain else GOOD


def _of_emulator(args: argparse.Namespace, control: str) -> Facts:
    from harness.watch.standing import Facts

    device, registration_id = args.device, args.registration_id
    ends, twins = fetch(control, "/status"), fetch(control, "/twins")
    dps, logs = fetch(control, "/registrations"), fetch(control, "/logs")
    try:
        found = _first(dps["registrations"], device, registration_id)
        enrolled = _first(dps["enrollments"], device, registration_id)
        name = registration_id or str((found or enrolled or {}).get("registrationId", device))
        twin = next((t for t in twins if t.get("deviceId") == device and not t.get("moduleId")), None)
        return Facts(
            device, name, found, enrolled, twin, hub=str(ends.get("hubHost", "")), refused=_refused(logs, name)
        )
    except (KeyError, TypeError, AttributeError):
        raise Unreachable(
            f"What answers at {control} is not the control endpoint of an emulator of this version."
        ) from None


def _first(documents: list[dict[str, Any]], device: str, registration_id: str | None) -> dict[str, Any] | None:
    """The one of this registration id; without one, whose device it is."""
    names = [("deviceId", device), ("registrationId", device)]
    if registration_id is not None:
        names = [("registrationId", registration_id)]
    for key, wanted in names:
        for document in documents:
            if str(document.get(key, "")).lower() == wanted.lower():
                return document
    return None


def _refused(logs: list[dict[str, str]], registration_id: str) -> str:
    """What was said to the last try to register, if it was refused."""
    for row in reversed(logs):
        if row.get("Category") != "DeviceOperations":
            continue
        if str(json.loads(row["properties_s"]).get("id", "")).lower() == registration_id.lower():
            failed = row.get("Level") == "Error"
            return f"{row.get('ResultSignature', '')}: {row.get('ResultDescription', '')}" if failed else ""
    return ""


def _of_azure(args: argparse.Namespace, settings: Settings) -> Facts:
    from harness.azure.provisioning import ProvisioningError
    from harness.azure.retrying import Patience
    from harness.target.service import HubService, ServiceError
    from harness.watch.standing import Facts

    name = args.registration_id or args.device
    with azure_access(settings) as access:
        hub, dps = access.hub(HubService, Patience(PATIENCE)), access.provisioning(Patience(PATIENCE))
    registration, enrollment, twin = None, None, None
    dps_unasked = UNNAMED
    hub_unasked = ""
    if dps is not None:
        dps_unasked = ""
        try:
            registration, enrollment = dps.registration(name), dps.enrollment(name)
        except ProvisioningError as error:
            dps_unasked = str(error)
        finally:
            dps.close()
    try:
        twin = hub.device_twin(args.device)
    except ServiceError as error:
        if error.status != 404:
            hub_unasked = str(error)
    finally:
        hub.close()
    return Facts(args.device, name, registration, enrollment, twin, access.hub_host, dps_unasked, hub_unasked)


def _shown(found: Standing, width: int) -> Iterator[str]:
    from harness.watch.content import harmless

    def paragraphs(label: str, text: str) -> Iterator[str]:
        first = f"{label:{_INDENT}}"
        yield from textwrap.wrap(
            harmless(text),
            width,
            initial_indent=first,
            subsequent_indent=" " * _INDENT,
            break_long_words=False,
            break_on_hyphens=False,
        )

    for label, text in found.rows:
        yield from paragraphs(label, text)
    for note in found.notes:
        yield from paragraphs("note", note)
    for trouble in found.troubles:
        yield from paragraphs("to mend", trouble.message)
        yield from paragraphs("you", trouble.remedy)

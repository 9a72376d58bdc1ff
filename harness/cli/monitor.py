"""`preflight monitor`: what devices do, live."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from harness.cli import FINDINGS, GOOD, USAGE
from harness.cli.services import Unclear
from harness.cli.watching import (
    add_source,
    harmless_streams,
    number,
    run_until_ended,
    sayer,
    seconds,
    source_of,
)

if TYPE_CHECKING:
    from harness.watch.choosing import Choice
    from harness.watch.monitor import Watched

KINDS = ("telemetry", "reported", "desired", "commands", "connection", "dps", "c2d", "upload", "fault")

EPILOG = """\
kinds: telemetry; reported and desired properties; commands and their answers; connection (connects, disconnects,
subscriptions, broken rules); dps (provisioning); c2d (messages to devices); upload (files); fault (played on order).

examples:
  preflight monitor                                       everything of every device
  preflight monitor --device "pump-*" --kind telemetry --component motor
  preflight monitor --kind reported --kind desired        property changes only
  preflight monitor --json --properties > events.jsonl    for a program: one object a line
  preflight monitor --device pump-1 --kind telemetry --count 1 --timeout 30     wait for a message
  preflight monitor --target azure --device "pump-*"      of a hub named by PREFLIGHT_HUB_CONNECTION_STRING

Exit codes: 0 ended by Ctrl-C, --count or --timeout; 1 the stream broke, or --timeout came before --count; 2 usage.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "monitor",
        help="show what devices do, live",
        description="Show messages, property changes, commands and connections of the devices of a running "
        "`preflight emulator`\nwhile they happen; or messages, property changes and connections of a hub in Azure.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_source(parser)
    which = parser.add_argument_group("what is shown")
    which.add_argument("--device", metavar="ID", help="of this device; * and ? stand for any characters")
    which.add_argument("--module", metavar="ID", help="of this module")
    which.add_argument("--component", metavar="NAME", help='of this component; "" for the root')
    which.add_argument("--interface", metavar="DTMI", help="of devices that announced this model id")
    which.add_argument("--kind", metavar="KIND", action="append", choices=KINDS, help="of this kind; may repeat")
    which.add_argument(
        "--past", action="store_true", help="also what the emulator or the hub's endpoint still holds of before"
    )
    parser.add_argument("--properties", action="store_true", help="with the properties of messages")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument("--count", metavar="N", type=number, help="end after so many")
    parser.add_argument(
        "--timeout", metavar="SECONDS", type=seconds, help="end when for so long nothing was shown (default: never)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Exit code, see the epilog."""
    from harness.watch.choosing import Choice
    from harness.watch.monitor import Watched, monitor
    from harness.watch.showing import JsonLines, Lines, Screen
    from harness.watch.source import Broken

    harmless_streams()
    say = sayer("monitor")
    kinds = frozenset(args.kind) if args.kind else None
    choice = Choice(args.device, args.module, args.component, args.interface, kinds)
    watched = Watched()
    console = Screen()
    one_device = args.device is not None and not set(args.device) & set("*?")
    show = (
        JsonLines(console, show_properties=args.properties)
        if args.json
        else Lines(console, show_properties=args.properties, one_device=one_device)
    )
    limits = {"past": args.past, "count": args.count or None, "timeout": args.timeout or None}
    try:
        source = source_of(args, "monitor")
        ended = run_until_ended(monitor(source, choice, show, watched, say=say, **limits))
    except Unclear as error:
        say(str(error))
        return USAGE
    except Broken as error:
        say(str(error))
        return FINDINGS
    return _end(args, watched, choice, source.hint) if ended else GOOD


def _end(args: argparse.Namespace, watched: Watched, choice: Choice, hint: str) -> int:
    from harness.watch.following import Ended
    from harness.watch.monitor import silence

    if watched.ended is not Ended.IDLE:
        return GOOD
    if not watched.shown:
        more = f" {hint}" if hint and not watched.passed_over else ""
        sayer("monitor")(f"{silence(watched, choice)}{more} Ended after {args.timeout:g} s.")
    elif args.count:
        sayer("monitor")(f"{watched.shown} of {args.count} came; nothing more for {args.timeout:g} s.")
    return FINDINGS if args.count else GOOD

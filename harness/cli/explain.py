"""`preflight explain`: what an error code means, and what to do about it."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from harness.cli import FINDINGS, GOOD, USAGE

if TYPE_CHECKING:
    from harness.diagnosis import Entry, Explanation

EPILOG = """\
A code is one of DPS, IoT Hub, IoT Central or file upload, a CONNACK code of MQTT, a name such as DeviceNotOnline, or a
provisioning state of IoT Central. In a line of a log the code is looked for.

examples:
  preflight explain 401002
  preflight explain "CONNACK 5"
  preflight explain blocked
  preflight explain 'failed: {"errorCode":400012,"message":"..."}'

Exit codes: 0 known, 1 not known (the nearest codes are named), 2 usage.
"""

_WIDEST = 100
_INDENT = 15


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "explain",
        help="say what an error code means and what to do about it",
        description="Say what an error code means, why it comes, what a good device does, and what you do next.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("text", nargs="*", metavar="CODE|NAME|TEXT", help="a code, a name, or a line of a log")
    parser.add_argument("--list", action="store_true", help="list every code")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Exit code, see the epilog."""
    from harness.diagnosis import CATALOGUE, explain

    text = " ".join(args.text)
    if bool(text.strip()) == args.list:
        print("preflight explain: give a code, or --list, and not both", file=sys.stderr)
        return USAGE
    if args.list:
        print(_dump([_row(e) for e in CATALOGUE]) if args.json else "\n".join(_listed(CATALOGUE)))
        return GOOD
    found = explain(text)
    if args.json:
        print(_dump(_answer(found)))
    else:
        width = min(shutil.get_terminal_size((80, 24)).columns, _WIDEST)
        print("\n".join(_explained(found, width, colours=sys.stdout.isatty())))
    return GOOD if found.entries else FINDINGS


def _explained(found: Explanation, width: int, *, colours: bool) -> Iterator[str]:
    from harness.diagnosis import SERVICE_NAMES

    for n, entry in enumerate(found.entries):
        if n:
            yield ""
        bold, plain = ("\x1b[1m", "\x1b[0m") if colours else ("", "")
        name = "" if entry.name == entry.code else f": {entry.name}"
        yield f"{bold}{entry.code}{plain} of {SERVICE_NAMES[entry.service]}{name}"
        rows = [("meaning", [entry.meaning]), ("causes", list(entry.causes)), ("good device", [entry.device])]
        rows += [("you", [entry.maker]), ("retry", [_retry(entry)]), ("source", [entry.source])]
        for label, items in rows:
            yield from _paragraphs(label, items, width)
    if not found.entries:
        yield from _unknown(found, width)


def _unknown(found: Explanation, width: int) -> Iterator[str]:
    what = f"{found.unknown} is not a code that is known here." if found.unknown else "No known code was found in that."
    yield what
    if found.family:
        yield from _paragraphs("its family", [f"{found.family.digits}, {found.family.name}"], width)
        yield from _paragraphs("meaning", [found.family.meaning], width)
        yield from _paragraphs("good device", [found.family.device], width)
        yield from _paragraphs("you", [found.family.maker], width)
    if found.nearest:
        yield from _paragraphs("nearest", [_named(e) for e in found.nearest], width)
    yield "  `preflight explain --list` lists all codes."


def _paragraphs(label: str, items: list[str], width: int) -> Iterator[str]:
    bullet = "- " if len(items) > 1 else ""
    for n, item in enumerate(i for i in items if i):
        first = f"  {label if n == 0 else '':{_INDENT - 2}}{bullet}"
        rest = " " * (_INDENT + len(bullet))
        yield from textwrap.wrap(
            item, width, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
        )


def _listed(entries: Iterable[Entry]) -> Iterator[str]:
    from harness.diagnosis import SERVICE_NAMES

    service = ""
    for entry in entries:
        if entry.service != service:
            yield ("\n" if service else "") + SERVICE_NAMES[entry.service]
            service = entry.service
        line = f"  {entry.code:24}{entry.headline if entry.name == entry.code else entry.name}"
        yield line if len(line) <= 80 else line[:79] + "…"


def _named(entry: Entry) -> str:
    name = "" if entry.name == entry.code else f" {entry.name}"
    return f"{entry.code}{name} ({entry.service})"


def _retry(entry: Entry) -> str:
    return "the same request may succeed later" if entry.retryable else "the same request will be refused again"


def _answer(found: Explanation) -> dict[str, Any]:
    return {
        "text": found.text,
        "found": [_row(e) for e in found.entries],
        "unknown": found.unknown or None,
        "family": asdict(found.family) if found.family else None,
        "nearest": [_row(e) for e in found.nearest],
    }


def _row(entry: Entry) -> dict[str, Any]:
    return {**asdict(entry), "causes": list(entry.causes), "aliases": list(entry.aliases)}


def _dump(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)

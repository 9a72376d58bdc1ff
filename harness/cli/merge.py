"""`preflight merge`: the reports of several devices, as CI shards leave them, made one."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from harness.cli import FINDINGS, GOOD, USAGE

_EPILOG = """\
examples:
  preflight merge reports/*                          one summary of the folders of several devices
  preflight merge artifacts --output reports         every result.json below artifacts/
  preflight merge artifacts --expect pump --expect boiler --json

Written to --output: fleet.json, fleet.html, junit.xml. The verdict is that of the worst device.

Exit codes: 0 passed or passed with warnings, 1 failed, 2 usage, or something cannot be merged.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "merge",
        help="the reports of several devices or CI shards as one",
        description="Merge the report folders of several devices into one summary and one junit.xml.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "reports", nargs="+", type=Path, metavar="DIR", help="report folder, result.json, or a folder of such folders"
    )
    parser.add_argument(
        "--output", type=Path, default=Path("reports"), metavar="DIR", help="where to write to (default: reports)"
    )
    parser.add_argument(
        "--expect", action="append", default=[], metavar="NAME", help="a device that failed if it left no result"
    )
    parser.add_argument("--strict", action="store_true", help="warnings fail")
    parser.add_argument("--json", action="store_true", help="print fleet.json in place of the table")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from harness.fleet import MergeError, read_reports, summarize, table, write
    from harness.verdict import Verdict

    try:
        reports = read_reports(args.reports, args.expect)
        own = next((r for r in reports if r.result and r.folder.resolve() == args.output.resolve()), None)
        if own is not None:
            raise MergeError(f"{args.output} holds the reports of {own.name}: name another folder with --output DIR.")
        summary = summarize(reports, args.output)
        faults = write(summary, reports, args.output)
    except MergeError as e:
        print(f"preflight merge: {e}", file=sys.stderr)
        return USAGE
    verdict = Verdict(summary["verdict"])
    if args.json:
        print(json.dumps(summary, indent=2, ensure_ascii=False))
    else:
        print("\n".join([*table(summary), f"reports: {args.output}", f"verdict: {verdict.phrase}"]))
    for fault in faults:
        print(f"preflight merge: {fault}", file=sys.stderr)
    if faults:
        return USAGE
    failed = verdict is Verdict.FAILED or (args.strict and verdict is Verdict.WARNINGS)
    return FINDINGS if failed else GOOD

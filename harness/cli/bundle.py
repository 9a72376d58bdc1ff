"""`preflight bundle`: make and verify the bundle of a run for a manual review."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from harness.cli import FINDINGS, GOOD, USAGE

_EPILOG = """\
examples:
  preflight bundle                                   reports/ into preflight-bundle.zip
  preflight bundle reports --output pump.zip --sign maker.pem
  preflight bundle --verify pump.zip --key maker.pub

Exit codes: 0 made or intact, 1 the bundle was changed or is not signed by the key, 2 usage, nothing to bundle.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "bundle",
        help="one zip for a manual review: made, signed, verified",
        description="Make one zip of a run for a manual review: cover page, reports, record, model, settings and a "
        "manifest of hashes; or verify one. It is self-attested: the maker's own word.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("reports", nargs="?", default="reports", type=Path, help="report folder (default: reports)")
    parser.add_argument("--output", type=Path, default=Path("preflight-bundle.zip"), metavar="FILE", help="the zip")
    parser.add_argument("--sign", type=Path, metavar="KEY", help="sign with this Ed25519 private key (PEM)")
    parser.add_argument("--verify", type=Path, metavar="FILE", help="verify this bundle instead of making one")
    parser.add_argument("--key", type=Path, metavar="KEY", help="with --verify: the maker's public key (PEM)")
    parser.add_argument("--json", action="store_true", help="say the result as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from harness.bundle import BundleError, make, verify

    if args.verify is None:
        try:
            size = make(args.reports, args.output, args.sign)
        except BundleError as e:
            print(f"preflight bundle: {e}", file=sys.stderr)
            return USAGE
        made = {"bundle": str(args.output), "bytes": size, "signed": args.sign is not None}
        print(json.dumps(made) if args.json else f"{args.output}: {size:,} bytes, {_signed(args.sign is not None)}")
        return GOOD
    if not args.verify.is_file():
        print(f"preflight bundle: there is no file {args.verify}.", file=sys.stderr)
        return USAGE
    try:
        found = verify(args.verify, args.key)
    except BundleError as e:
        print(json.dumps({"intact": False, "reason": str(e)}) if args.json else f"not intact: {e}")
        return FINDINGS
    if args.json:
        print(json.dumps({"intact": True, "signed_by": found.signed_by or None, **found.about}))
        return GOOD
    signature = f"signed by the key {found.signed_by}" if found.signed_by else "not signed"
    print(f"intact: {len(found.members)} files, {signature}")
    for name, value in found.about.items():
        print(f"  {name.replace('_', ' ') + ':':13} {value}")
    if found.signed_by and args.key is None:
        print("Whose key that is, the hashes cannot say: compare it with the maker's, or give --key.")
    return GOOD


def _signed(signed: bool) -> str:
    return "signed" if signed else "not signed (--sign KEY)"

"""`preflight test-cases`: write the AICS test cases of a model, to be edited and given to `pytest --test-cases`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from harness.cli import FINDINGS, GOOD, USAGE

EPILOG = """\
The file has the shape in which AICS answered its test cases; --list writes the bare list, as
`az iot product test case update` took it. Both are read by `pytest --test-cases FILE`.

What may be edited: payload, valueToWrite (strings that hold JSON), expectedResult, valueToReport, messageCount,
priority, validationTimeout (seconds), isMandatory, shouldValidate; and, under "x-preflight" of a test, the keys of
preflight.toml (minimum, maximum, interval, tolerance, ...).

examples:
  preflight test-cases "dtmi:com:example:preflight:ClimateStation;1" --output cases.json
  pytest --test-cases cases.json

Exit codes: 0 written, 1 the model is invalid or not found, 2 usage.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "test-cases",
        help="write an AICS test-case file for a model",
        description="Write the AICS test cases of a model, with sample payloads, for you to edit.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model_id", metavar="MODEL_ID", help="DTMI of the device's root interface")
    parser.add_argument(
        "--models",
        metavar="LOCATION",
        action="append",
        default=[],
        help="where models are: a directory or URL; may repeat (default: dtdl_models, then the public repository)",
    )
    parser.add_argument("--output", metavar="FILE", type=Path, help="write to this new file (default: standard output)")
    parser.add_argument("--list", action="store_true", help="write the bare list of badges")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    from harness.aics import generate
    from harness.dtdl import ModelError, ModelNotFound, Repository
    from harness.dtdl.defaults import is_public, usual

    try:
        found = Repository(usual(args.models)).resolve(args.model_id)
    except (ModelNotFound, ModelError) as e:
        return _fault(str(e), FINDINGS)
    except ValueError as e:
        return _fault(str(e), USAGE)
    if args.model_id not in found.model.interfaces:
        return _fault(f"{args.model_id} is not an Interface, so no device can announce it.", FINDINGS)
    published = [dtmi for dtmi, source in found.sources.items() if is_public(str(source))]
    text = generate(found.model, args.model_id, found.documents, published).text(as_list=args.list)
    if args.output is None:
        sys.stdout.write(text)
        return GOOD
    try:
        with args.output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        return _fault(f"{args.output} is there already: choose another name, or delete it.", USAGE)
    except OSError as e:
        return _fault(f"{args.output} cannot be written: {e.strerror or e}.", USAGE)
    print(f"{args.output} written. Edit it, then: pytest --test-cases {args.output}")
    return GOOD


def _fault(text: str, code: int) -> int:
    print(f"preflight test-cases: {text}", file=sys.stderr)
    return code

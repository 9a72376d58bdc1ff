"""`preflight validate`: telemetry and properties judged against the model while they arrive."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
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
    tell,
)

if TYPE_CHECKING:
    from harness.dtdl import Model
    from harness.watch.validate import Resolution, Resolve, Validation

FORMATS = ("table", "json", "csv")
SEVERITIES = ("error", "warning", "info")

EPILOG = """\
What is found: payloads that are no JSON object in UTF-8; telemetry and properties that the model does not declare, or
whose values do not fit; wrong acknowledgements; missing content type or encoding; declared telemetry that never came.
The pre-flight itself (`pytest`) also exercises the device; this only watches.

examples:
  preflight validate                                        every device, by the model it announces, for a minute
  preflight validate --device pump-1 --models models --duration 600
  preflight validate --model-id "dtmi:com:example:Pump;2" --minimum-severity error
  preflight validate --count 20 --format json > findings.json
  preflight validate --target azure --device pump-1       of a hub named by PREFLIGHT_HUB_CONNECTION_STRING

Exit codes: 0 nothing found, 1 findings of the minimum severity or above (or the stream broke), 2 usage.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "validate",
        help="judge telemetry and properties against the model while they arrive",
        description="Judge the messages and property changes of the devices of a running `preflight emulator` "
        "or\nof a hub in Azure against their model, while they arrive.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_source(parser)
    parser.add_argument("--device", metavar="ID", help="of this device; * and ? stand for any characters")
    parser.add_argument("--module", metavar="ID", help="of this module")
    parser.add_argument("--model-id", metavar="DTMI", help="the model to judge by (default: the announced one)")
    parser.add_argument(
        "--models",
        metavar="LOCATION",
        action="append",
        default=[],
        help="directory or URL of a model repository; may repeat; then ./dtdl_models and the public repository",
    )
    parser.add_argument(
        "--duration", metavar="SECONDS", type=seconds, default=60.0, help="end after (default: 60; 0 = no limit)"
    )
    parser.add_argument("--count", metavar="N", type=number, help="end after so many messages and property changes")
    parser.add_argument(
        "--past", action="store_true", help="also judge what the emulator or the hub's endpoint still holds of before"
    )
    parser.add_argument(
        "--minimum-severity", choices=SEVERITIES, default="warning", help="show and count from here (default: warning)"
    )
    parser.add_argument("--format", choices=FORMATS, default="table", help="how findings are printed (default: table)")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Exit code, see the epilog."""
    from harness.verdict import Severity
    from harness.watch.choosing import Choice
    from harness.watch.showing import Screen
    from harness.watch.source import Broken
    from harness.watch.tables import OUTPUTS
    from harness.watch.validate import Validation

    harmless_streams()
    say = sayer("validate")
    resolve = _resolver(args.models)
    output = OUTPUTS[args.format](Screen())
    try:
        source = source_of(args, "validate")
        model = _given(args.model_id, resolve)
    except Unclear as error:
        say(str(error))
        return USAGE
    choice = Choice(args.device, args.module)
    validation = Validation(
        source, choice, Severity(args.minimum_severity), resolve, model=model, found=output.found, say=say
    )
    broken = False
    try:
        run_until_ended(validation.watch(past=args.past, count=args.count or None, duration=args.duration or None))
    except Broken as error:
        say(str(error))
        broken = True
        if not validation.watched.listening:
            return FINDINGS
    validation.finish()
    output.end(validation.watched.ledger)
    _sum_up(args, validation)
    return FINDINGS if broken or validation.watched.ledger.rows else GOOD


def _resolver(given: Sequence[str]) -> Resolve:
    """Look a model up in the places given, then in the usual ones."""

    def look_up(model_id: str) -> tuple[Model | None, Resolution]:
        from harness.dtdl.defaults import usual
        from harness.run.models import resolve

        return resolve(model_id, usual(given))

    return look_up


def _given(model_id: str | None, resolve: Resolve) -> tuple[str, Model] | None:
    """The model that the command line names. Raises Unclear."""
    if model_id is None:
        return None
    model, event = resolve(model_id)
    if model is None:
        problems = getattr(event, "problems", ())
        tried = getattr(event, "tried", ())
        raise Unclear(f"--model-id {model_id} cannot be used: " + "\n  ".join([*problems, *tried]))
    return model_id, model


def _sum_up(args: argparse.Namespace, validation: Validation) -> None:
    watched, ledger = validation.watched, validation.watched.ledger
    rest = f" ({ledger.below} below {args.minimum_severity} not shown)" if ledger.below else ""
    more = f" {ledger.beyond} further ones were not kept." if ledger.beyond else ""
    sentence = (
        f"{_counted(watched.messages, 'message')} and {_counted(watched.patches, 'property change')} in "
        f"{time.time() - watched.began:.1f} s: {ledger.counts()}{rest}.{more}"
    )
    tell(sentence, sys.stdout if args.format == "table" else sys.stderr)


def _counted(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"

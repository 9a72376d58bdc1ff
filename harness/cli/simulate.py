"""`preflight simulate`: play a device of any model."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, NoReturn

from harness.cli import GOOD, USAGE

if TYPE_CHECKING:
    from harness.device.simulator.faults import Chosen

EPILOG = """\
connection settings, from the environment:
  IOTHUB_DEVICE_DPS_ENDPOINT    host of the Device Provisioning Service
  IOTHUB_DEVICE_DPS_ID_SCOPE    its ID scope
  IOTHUB_DEVICE_DPS_DEVICE_ID   registration id
  IOTHUB_DEVICE_DPS_DEVICE_KEY  symmetric key of the enrollment, base64; or, in its place,
  X509_CERT_FILE, X509_KEY_FILE certificate and private key of the device, PEM files (PASS_PHRASE if encrypted)
  SSL_CERT_FILE                 the certificate authority to trust, where the target is a local one
  PREFLIGHT_MODEL_ID            model id, unless --model-id is given
  PREFLIGHT_MODELS              locations of models, one a line, unless --models is given

example:
  pytest --dut "preflight simulate" --model-id "dtmi:com:example:preflight:ClimateStation;1"

The simulator runs until SIGTERM or Ctrl-C and writes what it does to standard error.
Exit codes: 0 stopped, 1 the service refused or was not there, 2 settings or model unusable.
"""


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "simulate",
        help="play a device of any model",
        description="Play a device: it provisions through DPS, announces its model, sends every telemetry, "
        "reports every property, acknowledges desired ones and answers every command, with valid values.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model-id", metavar="DTMI", help="the interface to play")
    parser.add_argument(
        "--models",
        metavar="LOCATION",
        action="append",
        default=[],
        help="directory or URL of a model repository; repeat for more, tried in this order",
    )
    parser.add_argument(
        "--interval",
        metavar="SECONDS",
        type=float,
        default=1.0,
        help="time between two rounds of telemetry (default: 1)",
    )
    parser.add_argument(
        "--retry",
        metavar="SECONDS",
        type=float,
        default=0.5,
        help="first wait after a failure; each further one is longer (default: 0.5)",
    )
    parser.add_argument(
        "--raw",
        action="store_true",
        help="do without Microsoft's SDK, as faults that it does not let happen do anyway",
    )
    parser.add_argument(
        "--fault",
        metavar="NAME[=PATH]",
        action="append",
        default=[],
        help="misbehave in one known way, to see that a test notices; may repeat; `--fault list` names them",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Exit code, see the epilog; once the device has played, the process ends here with that code."""
    import os
    import sys
    import time

    from harness.device.simulator import settings

    started = time.monotonic()

    def say(sentence: str) -> None:
        print(f"{time.monotonic() - started:8.3f}  {sentence}", file=sys.stderr, flush=True)

    if "list" in args.fault:
        print(_fault_list())
        return GOOD
    try:
        chosen = _chosen(args.fault)
        read = settings.read(
            os.environ, model_id=args.model_id, models=args.models, interval=args.interval, retry=args.retry
        )
    except (settings.SettingsError, ValueError) as e:
        print(f"preflight simulate: {e}", file=sys.stderr)
        return USAGE

    if args.raw or any(choice.fault.raw for choice in chosen):
        from harness.device.simulator.raw import run as play
    else:
        from harness.device.simulator.session import run as play
    return _end(play(read, chosen, say))


def _end(code: int) -> NoReturn:
    """End at once: the interpreter would wait for threads of the SDK, which may hang on a dead connection."""
    import os

    os._exit(code)


def _chosen(texts: list[str]) -> list[Chosen]:
    if not texts:
        return []
    from harness.device.simulator.faults import choose

    return [choose(text) for text in texts]


def _fault_list() -> str:
    from harness.device.simulator.faults import FAULTS

    names = {name + ("=PATH" if fault.of else ""): fault.help for name, fault in FAULTS.items()}
    width = max(map(len, names))
    return "\n".join(f"{name:{width}}  {text}" for name, text in names.items())

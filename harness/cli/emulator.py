"""`preflight emulator`: a DPS and an IoT Hub on this machine, for as long as it runs."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cli import FINDINGS, GOOD, USAGE

if TYPE_CHECKING:
    from harness.emulator import Emulator, EmulatorOptions
    from harness.emulator.faults import Plan

EPILOG = """\
A device needs the id scope, the host and a key, and must trust the CA: docs/emulator.md has a snippet for each SDK.
Without --state everything but the certificates is forgotten at the end; they are kept in ./.preflight.

examples:
  preflight emulator --enroll device-1
  preflight emulator --json --state ~/.emulator --faults faults.toml
  preflight emulator --host 192.168.1.20 --enroll device-1      for a physical device on the network
  curl -X PUT --data-binary @faults.toml http://127.0.0.1:PORT/faults

Exit codes: 0 ended by Ctrl-C or SIGTERM, 1 it could not start (a taken port, say), 2 wrong options or fault plan.
"""

_WAKE_SECONDS = 0.5


def add_parser(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = subparsers.add_parser(
        "emulator",
        help="run a local DPS and IoT Hub",
        description="Run a Device Provisioning Service and an IoT Hub on this machine that every Microsoft SDK takes "
        "for real, until Ctrl-C.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    where = parser.add_argument_group("where it listens")
    where.add_argument(
        "--host",
        "--listen",
        dest="host",
        metavar="ADDRESS",
        default="127.0.0.1",
        help="address of this machine to listen on (default: 127.0.0.1); 0.0.0.0 for all",
    )
    where.add_argument("--name", metavar="HOST", help="host name that devices are told, if not the address")
    where.add_argument("--rest-port", metavar="PORT", type=_port, default=0, help="of the hub's service API")
    where.add_argument("--amqp-port", metavar="PORT", type=_port, help="of the Event Hubs endpoint; off when left out")
    where.add_argument("--control-port", metavar="PORT", type=_port, default=0, help="of the control endpoint")
    where.add_argument("--mqtt-port", metavar="PORT", type=_port, default=8883, help="most SDKs know 8883 only")
    where.add_argument(
        "--https-port", metavar="PORT", type=_port, default=443, help="of WebSockets and HTTPS for devices"
    )
    parser.add_argument("--enroll", metavar="ID", action="append", default=[], help="enroll a device; may repeat")
    parser.add_argument(
        "--device", metavar="ID", action="append", default=[], help="register a device at the hub; may repeat"
    )
    parser.add_argument("--state", metavar="DIR", type=Path, help="keep devices, enrollments and twins in this folder")
    parser.add_argument("--faults", metavar="FILE", type=Path, help="play the fault plan of this TOML file")
    parser.add_argument(
        "--set", metavar="NAME=VALUE", action="append", default=[], help="any other switch, as retry_after=3"
    )
    parser.add_argument("--json", action="store_true", help="print the ready line as JSON, with full credentials")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Exit code, see the epilog."""
    from harness.emulator.faults import NO_FAULTS, PlanError, load

    try:
        options = _options(args)
        plan = load(args.faults) if args.faults else NO_FAULTS
    except (PlanError, ValueError) as error:
        for line in str(error).splitlines():
            print(f"preflight emulator: {line}", file=sys.stderr)
        return USAGE
    return _serve(args, options, plan)


def _serve(args: argparse.Namespace, options: EmulatorOptions, plan: Plan) -> int:
    from harness.emulator import Emulator, EmulatorError
    from harness.emulator.announcing import announced
    from harness.emulator.errors import ServiceError

    stopped = _on_signals()
    state_dir = args.state or Path(".preflight")
    emulator = Emulator(
        address=args.host,
        state_dir=state_dir,
        emit=lambda event: None,
        options=options,
        faults=plan,
    )
    try:
        with emulator:
            ready = emulator.call(lambda services: _ready(services, args.enroll, args.device))
            with announced(state_dir, ready):
                print(json.dumps(ready) if args.json else _text(emulator, ready), flush=True)
                # With a time-out, for on Windows nothing interrupts a wait without one.
                while not stopped.wait(_WAKE_SECONDS):
                    continue
    except (EmulatorError, ServiceError, ValueError) as error:
        print(f"preflight emulator: {error}", file=sys.stderr)
        return FINDINGS
    return GOOD


def _on_signals() -> Any:
    """Return an event that Ctrl-C and SIGTERM set."""
    import signal
    import threading

    stopped = threading.Event()
    for name in ("SIGINT", "SIGTERM", "SIGBREAK"):
        number = getattr(signal, name, None)
        if number is not None:
            signal.signal(number, lambda *_: stopped.set())
    return stopped


def _options(args: argparse.Namespace) -> EmulatorOptions:
    from harness.emulator import EmulatorOptions
    from harness.emulator.switches import read

    given = {
        "mqtt_port": args.mqtt_port,
        "https_port": args.https_port,
        "rest_port": args.rest_port,
        "amqp_port": args.amqp_port,
        "control_port": args.control_port,
        "host": args.name,
        "keep_state": args.state is not None,
    }
    return EmulatorOptions(**(given | read(args.set)))


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65_535:
        raise argparse.ArgumentTypeError("a port is 0 (any) to 65535")
    return port


def _ready(services: Any, enroll: list[str], devices: list[str]) -> dict[str, Any]:
    from harness.emulator import managing

    return {
        **managing.endpoints(services),
        "enrollments": [managing.enroll(services, registration_id) for registration_id in enroll],
        "devices": [managing.add_device(services, device_id) for device_id in devices],
    }


def _text(emulator: Emulator, ready: dict[str, Any]) -> str:
    from harness.emulator.managing import environment

    rows = [
        ("id scope", ready["idScope"]),
        ("DPS host", ready["dpsHost"]),
        ("IoT Hub host", ready["hubHost"]),
        ("hub service", ready["hubConnectionString"]),
        *(("further hub", text) for text in ready["moreHubConnectionStrings"]),
        ("DPS service", ready["dpsConnectionString"]),
        ("event hub", ready["eventHubConnectionString"]),
        ("trust this CA", ready["caPath"]),
        ("control", ready["control"]),
        *((f"device {device['deviceId']}", device["connectionString"]) for device in ready["devices"]),
    ]
    width = max(len(name) for name, _ in rows)
    lines = [f"DPS and IoT Hub are ready on {emulator.address}, MQTT port {emulator.options.mqtt_port}."]
    lines += [f"  {name:{width}}  {value}" for name, value in rows if value]
    lines += ["", ready["httpsHint"]] if ready["httpsHint"] else []
    for enrollment in ready["enrollments"]:
        lines += ["", f"Environment of {enrollment['registrationId']}, as Microsoft's samples read it:"]
        lines += [f"  {name}={value}" for name, value in environment(ready, enrollment).items()]
    return "\n".join([*lines, "", "Ctrl-C ends it."])

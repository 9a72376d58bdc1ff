"""The `preflight` command: one sub-command a module, imported when it is named (for the help of all, all are)."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

GOOD, FINDINGS, USAGE = 0, 1, 2
"""Exit codes of every sub-command."""

_COMMANDS = (
    "azure",
    "bundle",
    "doctor",
    "emulator",
    "explain",
    "merge",
    "model",
    "monitor",
    "simulate",
    "status",
    "test-cases",
    "validate",
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; the exit code."""
    parser = argparse.ArgumentParser(
        prog="preflight",
        description="Pre-flight for IoT Plug and Play devices. The pre-flight itself is run by `pytest`.",
        epilog="example: preflight model check dtdl_models",
    )
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    arguments = sys.argv[1:] if argv is None else argv
    for name in [name for name in arguments[:1] if name in _COMMANDS] or _COMMANDS:
        import_module(f"harness.cli.{name.replace('-', '_')}").add_parser(subparsers)
    args = parser.parse_args(arguments)
    try:
        code = int(args.run(args))
        sys.stdout.flush()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # What is still buffered goes nowhere, or the interpreter complains of it when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return GOOD
    return code

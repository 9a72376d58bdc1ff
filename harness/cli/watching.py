"""What `monitor` and `validate` have in common: what to watch, and how a watch ends."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import math
import shutil
import signal
import sys
import textwrap
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TextIO

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
    from harness.target.azure.access import Access
    from harness.watch.source import Source

POLL = 10.0


def add_source(parser: argparse.ArgumentParser) -> None:
    """The options that name a source."""
    group = add_local(parser)
    add_azure(group)
    group.add_argument(
        "--poll",
        metavar="SECONDS",
        type=seconds,
        default=POLL,
        help=f"Azure tells nobody that a property changed: look so often (default: {POLL:g}; 0 = never)",
    )
    parser.add_argument(
        "--redact",
        metavar="TEXT",
        action="append",
        help="mask this: a text, a /regular expression/, or env:NAME for what a variable holds; may repeat",
    )


def source_of(args: argparse.Namespace, command: str) -> Source:
    """The source that the options name. Raises Unclear."""
    from harness.record.redact import Redactor
    from harness.watch.masking import Masked

    say = sayer(command)
    settings = settings_of(args, say)
    redactor = Redactor(settings.redact)
    redactor.add(*settings.secrets())
    if is_azure(args, settings):
        with azure_access(settings) as access:
            return Masked(_azure(args, access, say), redactor)
    from harness.watch.control import ControlSource

    return Masked(ControlSource(control_of(args), notice=say), redactor)


def _azure(args: argparse.Namespace, access: Access, say: Callable[[str], None]) -> Source:
    from harness.azure.retrying import Patience
    from harness.target.service import HubService, ServiceError
    from harness.watch.azure import KINDS, TWIN_KINDS, AzureSource, twin_query
    from harness.watch.source import Broken

    wanted = set(getattr(args, "kind", None) or KINDS)
    hidden = wanted - KINDS
    if hidden:
        raise Unclear(
            f"A hub in Azure does not tell what is of kind {' or '.join(sorted(hidden))}; the emulator does. "
            f"Of Azure can be seen: {', '.join(sorted(KINDS))}."
        )
    device: str | None = args.device
    one = device is not None and not set(device) & set("*?")
    service = access.hub(HubService, Patience(PATIENCE))

    def read() -> list[dict[str, Any]]:
        try:
            if one and args.module is None:
                return [service.device_twin(str(device))]
            return service.query_twins(twin_query(device, args.module))
        except ServiceError as error:
            if error.status == 404:
                return []
            raise Broken(f"The twins cannot be read. {error}") from None

    return AzureSource(
        access.hub_host,
        access.telemetry,
        read,
        poll=args.poll if wanted & TWIN_KINDS else 0,
        consumer_group=access.settings.consumer_group,
        ca_path=access.settings.azure_ca,
        device_id=device if one else None,
        notice=say,
    )


def sayer(command: str) -> Callable[[str], None]:
    """A function that tells a person a sentence, beside the output."""

    def say(sentence: str) -> None:
        tell(f"preflight {command}: {sentence}", sys.stderr)

    return say


def tell(sentence: str, stream: TextIO) -> None:
    """Print a sentence; on a screen its lines break at words."""
    if stream.isatty():
        width = max(shutil.get_terminal_size().columns, 40)
        lines = (textwrap.fill(line, width, subsequent_indent="  ") for line in sentence.splitlines())
        sentence = "\n".join(lines)
    print(sentence, file=stream, flush=True)


def harmless_streams() -> None:
    """What the screen's encoding lacks is escaped instead of ending the command."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, ValueError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]


def run_until_ended(watch: Coroutine[Any, Any, None]) -> bool:
    """Run it; False when Ctrl-C ended it. Raises what it raises."""
    try:
        if asyncio.run(_interruptible(watch)):
            return True
    except KeyboardInterrupt:
        pass
    if sys.stderr.isatty():
        print(file=sys.stderr)  # the terminal shows ^C where the cursor was
    return False


async def _interruptible(watch: Coroutine[Any, Any, None]) -> bool:
    """Await it; False when Ctrl-C came. The interrupt is told to the loop, so it strikes between two events.

    A second Ctrl-C ends whatever still keeps the command. Windows' loops cannot be told: there it strikes anywhere.
    """
    loop = asyncio.get_running_loop()
    task = asyncio.current_task()
    assert task is not None

    def interrupt() -> None:
        loop.remove_signal_handler(signal.SIGINT)
        task.cancel()

    with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
        loop.add_signal_handler(signal.SIGINT, interrupt)
    try:
        await watch
    except asyncio.CancelledError:
        return False
    return True


def seconds(text: str) -> float:
    """An option's time: seconds, or 0 for none."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from None
    if not math.isfinite(value) or value < 0:
        raise argparse.ArgumentTypeError("a time is 0 (no limit) or more seconds")
    return value


def number(text: str) -> int:
    """An option's count: a whole number, or 0 for no limit."""
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)

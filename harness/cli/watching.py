"""What `monitor` and `validate` have in common: which emulator to watch, and how a watch ends."""

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
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from harness.watch.source import Source

GOOD, BROKEN, USAGE = 0, 1, 2


class Unclear(Exception):
    """Nothing says what to watch; the text is a sentence that says what to do."""


def add_source(parser: argparse.ArgumentParser) -> None:
    """The options that name a source."""
    parser.add_argument(
        "--emulator",
        metavar="URL",
        type=_url,
        help="control endpoint of a standalone emulator; found by itself where one runs with this folder",
    )
    parser.add_argument(
        "--state",
        metavar="DIR",
        type=Path,
        default=Path(".preflight"),
        help="state folder of the emulator to find (default: .preflight)",
    )


def source_of(args: argparse.Namespace, command: str) -> Source:
    """The source that the options name. Raises Unclear."""
    from harness.emulator.announcing import running
    from harness.watch.control import ControlSource

    url = args.emulator
    if url is None:
        found = running(args.state)
        if not found:
            raise Unclear(
                f"No emulator runs with the state folder {args.state}. Start `preflight emulator` in this folder, or "
                "name one: --emulator URL (what it calls control), --state DIR (its state folder)."
            )
        if len(found) > 1:
            several = "".join(f"\n  --emulator {one.control}   hub {one.hub_host}" for one in found)
            raise Unclear(f"Several emulators run with the state folder {args.state}; name one:{several}")
        url = found[0].control
    return ControlSource(url, notice=sayer(command))


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
    """An option's time: a positive number of seconds."""
    try:
        value = float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds") from None
    if not math.isfinite(value) or value < 0:
        raise argparse.ArgumentTypeError("a time is 0 (no limit) or more seconds")
    return value


def number(text: str) -> int:
    """An option's count: a positive whole number."""
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


def _url(text: str) -> str:
    with contextlib.suppress(ValueError):
        parts = urlsplit(text)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return text
    raise argparse.ArgumentTypeError(f"{text!r} is not a URL such as http://127.0.0.1:41234")

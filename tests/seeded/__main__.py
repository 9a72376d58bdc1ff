"""`python -m tests.seeded`: run all seeds, print which fault is found by which check, and write docs/detection.md.

    python -m tests.seeded [NAME ...] [--quick] [--load] [--rounds N] [--jobs N] [--write]

With `--load` two processes that do nothing but compute run beside it. Exit code 0 when everything was found and
nothing else, 1 otherwise, 2 for names that are not known.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.seeded import table
from tests.seeded.library import SEEDS
from tests.seeded.running import AT_A_TIME, Outcomes, https_is_free, run
from tests.seeded.seed import Seed
from tests.seeded.tolerated import TOLERATED

_BUSY = "import os, sys\nwhile os.getppid() == int(sys.argv[1]): pass"
"""Ends with the process that started it, however that ends."""
_LOOPS = 2


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.seeded", description="Run the seeded faults.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="seeds; all when none is named")
    parser.add_argument("--load", action="store_true", help=f"with {_LOOPS} busy loops beside it")
    parser.add_argument("--rounds", type=int, default=1, metavar="N", help="how often (default: 1)")
    parser.add_argument(
        "--jobs", type=int, default=AT_A_TIME, metavar="N", help=f"seeds at a time (default: {AT_A_TIME})"
    )
    parser.add_argument("--quick", action="store_true", help="without the trials, which take the longest")
    parser.add_argument("--write", action="store_true", help="write docs/detection.md")
    args = parser.parse_args(arguments)
    chosen = [seed for seed in (*SEEDS, *TOLERATED) if not (args.quick and seed.slow)]
    if args.names:
        known = {seed.name: seed for seed in chosen}
        unknown = [name for name in args.names if name not in known]
        if unknown:
            print(f"no such seed: {', '.join(unknown)}", file=sys.stderr)
            return 2
        chosen = [known[name] for name in args.names]
    chosen = _runnable(chosen)
    all_: list[Outcomes] = []
    began = time.monotonic()
    with _load(args.load):
        for number in range(1, args.rounds + 1):
            all_ += _round(number, chosen, args.jobs)
    good = not any(each.problems for each in all_)
    if args.write and not args.names and not args.quick:
        rounds = f"{args.rounds} times, " if args.rounds > 1 else ""
        beside = f"with {_LOOPS} busy loops beside it, " if args.load else ""
        table.write(f"{table.totals(all_).capitalize()}; run {rounds}{beside}in {_took(began)}.\n")
    return 0 if good else 1


def _runnable(seeds: Sequence[Seed]) -> list[Seed]:
    """Those that can be run here; the others are named."""
    free = https_is_free()
    for seed in seeds:
        if seed.needs_https and not free:
            print(f"{seed.name} is left out: it needs port 443, which this user may not have")
    return [seed for seed in seeds if free or not seed.needs_https]


def _round(number: int, chosen: Sequence[Seed], jobs: int) -> list[Outcomes]:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="seeded-") as folder:
        outcomes = run(chosen, jobs, Path(folder))
    if number == 1 or any(each.problems for each in outcomes):
        print(table.shown(outcomes))
    for line in (line for each in outcomes for line in each.problems_shown):
        print(line)
    print(f"round {number}: {table.totals(outcomes)}, in {_took(began)}", flush=True)
    return outcomes


def _took(began: float) -> str:
    """Seconds, and how busy the machine was, where that can be told."""
    busy = f", load {os.getloadavg()[0]:.0f} on {os.cpu_count()} cores" if hasattr(os, "getloadavg") else ""
    return f"{time.monotonic() - began:.0f} s{busy}"


@contextmanager
def _load(wanted: bool) -> Iterator[None]:
    loops = [subprocess.Popen([sys.executable, "-c", _BUSY, str(os.getpid())]) for _ in range(_LOOPS if wanted else 0)]
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


if __name__ == "__main__":
    sys.exit(main())

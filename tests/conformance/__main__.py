"""`python -m tests.conformance DIR`: prints how far the library agrees with the reference parser.

DIR holds the conformance data; what is not there is left out. With `-v` the disagreements follow, one a line. The exit
code is 1 when a line is below its bar.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.conformance.table import BARS, compare


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.conformance", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the conformance data lies")
    parser.add_argument("-v", "--verbose", action="store_true", help="list what does not agree")
    options = parser.parse_args(arguments)
    lines = compare(options.folder)
    if not lines:
        print(f"{options.folder} has no conformance data")
        return 2
    print(f"{'':20}{'agree':>8}{'of':>8}{'':>10}{'bar':>9}")
    for line in lines:
        bar = f"{BARS[line.name]:8.1f}%" if line.name in BARS else ""
        print(f"{line.name:20}{line.agree:8}{line.total:8}{line.share:9.2f}%{bar}{'' if line.enough else '  BELOW'}")
    for name in sorted(BARS.keys() - {line.name for line in lines}):
        print(f"{name:20}skipped: no data")
    for line in lines if options.verbose else ():
        for failure in line.failures:
            print(f"{line.name}: {failure}")
    return 0 if all(line.enough for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

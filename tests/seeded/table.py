"""The detection table: which fault is found by which check. On the terminal, and as docs/detection.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from harness.checks import CHECKS
from harness.device.simulator.faults import FAULTS
from tests.paths import REPO
from tests.seeded.library import NEVER_FAILED, SEEDS
from tests.seeded.library.making import PUMP
from tests.seeded.running import Outcomes
from tests.seeded.seed import STATION, Expected, Seed, check_of
from tests.seeded.tolerated import TOLERATED

PAGE = REPO / "docs" / "detection.md"
COLUMNS = ("check", "requirement", "seed", "expected", "found", "seconds")


def rows(seeds: Iterable[Seed]) -> Iterator[tuple[str, Expected, Seed]]:
    """Case, what is expected of it, and seed; in the order of the checks."""
    order = {name: n for n, name in enumerate(CHECKS)}
    found = [(case, expected, seed) for seed in seeds for case, expected in seed.cases.items()]
    yield from sorted(found, key=lambda row: order[check_of(row[0])])


def shown(outcomes: Sequence[Outcomes]) -> str:
    """The table for a terminal."""
    by_name = {each.seed.name: each for each in outcomes}
    lines = [COLUMNS]
    for case, expected, seed in rows(each.seed for each in outcomes):
        each = by_name[seed.name]
        found = each.found.get(case, "nothing")
        lines.append((case, expected.requirement, seed.name, str(expected), found, f"{each.seconds:.1f}"))
    widths = [max(len(line[n]) for line in lines) for n in range(len(COLUMNS))]
    return "\n".join("  ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)).rstrip() for line in lines)


def totals(outcomes: Sequence[Outcomes]) -> str:
    """The figures in a sentence."""
    faulty = [each for each in outcomes if each.seed.expected]
    good = [each for each in outcomes if not each.seed.expected]
    detected = sum(not each.missed for each in faulty)
    alarms = sum(bool(each.alarms) for each in outcomes)
    text = f"detected {detected}/{len(faulty)}, false alarms {alarms}/{len(outcomes)}"
    passed = sum(not each.problems for each in good)
    return f"{text}, good and odd devices passed {passed}/{len(good)}"


# --- the page ----------------------------------------------------------------------------------------

_HEAD = """\
# What is found

Every check of the pre-flight is tried on devices that have one fault each, over real sockets and against the local
target. All that must be found of a device is stated beforehand, and nothing else may be: a finding too many is a false
alarm, and counts as much as a fault that goes by. Devices that do what is right in unusual ways must pass.

`python -m tests.seeded` runs them and prints this table with what was found and how long it took; `--load` does so with
two busy loops beside it, `--rounds 10` ten times, `--write` renews this page. Each fault is a switch of the simulator:
`preflight simulate --fault list` tells what they do, and `--fault NAME` lets a device of your model have one.
"""

_NOT_FAILED = """\
## Checks that nothing fails here

| check | reason |
|---|---|
"""

_PASSES = """\
## Devices that pass

| device | what it does |
|---|---|
"""


def page(figures: str) -> str:
    """docs/detection.md, with this line of figures."""
    lines = ["| check | requirement | fault | the device | found |", "|---|---|---|---|---|"]
    for case, expected, seed in rows(SEEDS):
        lines.append(f"| `{case}` | {expected.requirement} | {seed.name} | {described(seed)} | {expected} |")
    nothing = [f"| `{name}` | {reason} |" for name, reason in NEVER_FAILED.items()]
    odd = [f"| {seed.name} | {described(seed)} |" for seed in TOLERATED]
    parts = [_HEAD, _FIGURES + figures, "\n".join(lines) + "\n", _NOT_FAILED + "\n".join(nothing) + "\n"]
    return "\n".join([*parts, _PASSES + "\n".join(odd) + "\n"])


def described(seed: Seed) -> str:
    """What the device does, and where it stands otherwise than usual."""
    parts = []
    for fault in seed.faults:
        name, _, path = fault.partition("=")
        parts.append(FAULTS[name].help.replace("PATH", f"`{path}`"))
    if not parts:
        parts.append("does all right" if not seed.device.startswith("!") else "speaks HTTPS only")
    if "--raw" not in seed.device and not seed.slow and not seed.device.startswith("!"):
        parts.append("is on Microsoft's SDK")
    if seed.services:
        parts.append(
            "; ".join(f"services: {s['do']} {s.get('code', '')} at {s['at']}".replace("  ", " ") for s in seed.services)
        )
    if seed.stated:
        stated = " ".join(line for line in seed.stated.splitlines() if line)
        parts.append(f"stated: `{stated}`")
    if seed.model not in (STATION, PUMP):
        parts.append(f"model {seed.model.rpartition(':')[2].partition(';')[0]}")
    return "; ".join(parts)


_FIGURES = "## Last run\n\n"


def write(figures: str) -> None:
    """Renew the page, with this line of figures."""
    PAGE.write_text(page(figures), encoding="utf-8", newline="\n")


def static(text: str) -> str:
    """The page without what was measured."""
    before, _, rest = text.partition(_FIGURES)
    return before + rest.partition("\n")[2]

"""The tables of docs/emulator-limits.md. `python -m tests.emulator.faults.limits` writes them anew."""

from __future__ import annotations

from harness.emulator.switches import Switch, switches
from tests.paths import REPO

PAGE = REPO / "docs" / "emulator-limits.md"
HEADER = "| switch | default | |\n|---|---|---|\n"


def rows(*, unsure: bool) -> list[str]:
    """Return the table's lines as they should be."""
    return [_row(switch) for switch in switches().values() if switch.unsure == unsure]


def _row(switch: Switch) -> str:
    default = repr(switch.default).replace("'", '"')
    return f"| `{switch.name}` | `{default}` | {switch.help} |"


def tables() -> list[list[str]]:
    """Return the lines of the page's tables of switches: the unsure ones, and the others."""
    parts = PAGE.read_text(encoding="utf-8").split(HEADER)[1:]
    return [part.partition("\n\n")[0].splitlines() for part in parts]


def write() -> None:
    """Put the tables in order."""
    first, *parts = PAGE.read_text(encoding="utf-8").split(HEADER)
    for part, unsure in zip(parts, (True, False), strict=True):
        first += HEADER + "\n".join(rows(unsure=unsure)) + "\n" + "".join(part.partition("\n\n")[1:])[1:]
    PAGE.write_text(first, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write()

"""The capabilities of a model as rows, for a person and for a program."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from harness.dtdl.wording import capability_text, term

if TYPE_CHECKING:
    from harness.dtdl.model import Capability, Element
    from harness.dtdl.repository import Resolved

Row = dict[str, object]

_FEW = 4
"""Fields or enum values named in the table; JSON has them all."""


def rows(resolved: Resolved) -> list[Row]:
    """One row for each telemetry, property and command; values are JSON."""
    return [_row(each) for each in resolved.model.capabilities(resolved.dtmi)]


def print_table(resolved: Resolved) -> None:
    """The capabilities, one section for each component and each Interface that declares them."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    console.print(Text(f"{resolved.dtmi}  (from {resolved.location})", style="bold"), soft_wrap=True)
    capabilities = resolved.model.capabilities(resolved.dtmi)
    if not capabilities:
        console.print("no telemetry, properties or commands")
    for (component, interface), group in groupby(capabilities, key=lambda each: (each.component, each.interface)):
        table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
        table.add_column(no_wrap=True)
        table.add_column(no_wrap=True)
        table.add_column(overflow="fold")
        for each in group:
            kind = "property, writable" if each.writable else each.kind
            words = ", ".join(word for word in _meaning(each.element) if word)
            schema = capability_text(each, _FEW) + (f" ({words})" if words else "")
            table.add_row(*(Text(cell) for cell in (each.name, kind, schema)))
        where = "root" if component is None else f"component {component}"
        console.print(Text(f"\n{where}: {interface}", style="bold"), soft_wrap=True)
        console.print(table)


def _row(capability: Capability) -> Row:
    types, unit = _meaning(capability.element)
    return {
        "path": capability.path,
        "kind": capability.kind,
        "component": capability.component,
        "name": capability.name,
        "writable": capability.writable,
        "schema": capability_text(capability),
        "types": types,
        "unit": unit,
        "displayName": dict(capability.element.display_name) or None,
        "interface": capability.interface,
    }


def _meaning(element: Element) -> tuple[str | None, str | None]:
    """Supplemental types and unit, as terms."""
    unit = element.get("unit")
    types = ", ".join(term(each) for each in element.types)
    return types or None, term(str(getattr(unit, "id", unit))) if unit is not None else None

"""The capabilities of a model as rows, for a person and for a program."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.dtdl.model import Capability, Element
    from harness.dtdl.repository import Resolved

Row = dict[str, object]


def rows(resolved: Resolved) -> list[Row]:
    """One row for each telemetry, property and command; values are JSON."""
    return [_row(each) for each in resolved.model.capabilities(resolved.dtmi)]


def print_table(resolved: Resolved, listed: list[Row]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    title = f"{resolved.dtmi}, from {resolved.location}"
    table = Table(title=Text(title), title_justify="left", box=None, pad_edge=False, header_style="bold")
    for heading in ("name", "kind", "schema", "meaning", "interface"):
        table.add_column(heading, overflow="fold")
    for row in listed:
        kind = f"{row['kind']}, writable" if row["writable"] else str(row["kind"])
        meaning = " ".join(str(row[key]) for key in ("types", "unit") if row[key])
        cells = (row["path"], kind, row["schema"], meaning, row["interface"])
        table.add_row(*(Text(str(cell)) for cell in cells))
    console = Console()
    console.print(table if listed else Text(f"{title}: no telemetry, properties or commands"))


def _row(capability: Capability) -> Row:
    element = capability.element
    unit = element.get("unit")
    return {
        "path": capability.path,
        "kind": capability.kind,
        "component": capability.component,
        "name": capability.name,
        "writable": capability.writable,
        "schema": _of_command(capability) if capability.kind == "command" else schema_text(capability.schema),
        "types": ", ".join(_term(each) for each in element.types) or None,
        "unit": _term(getattr(unit, "id", str(unit))) if unit is not None else None,
        "displayName": dict(element.display_name) or None,
        "interface": capability.interface,
    }


def schema_text(schema: Element | None, depth: int = 0) -> str:
    """A schema on one line: `double`, `array of string`, `object {a: double}`, `enum of integer: on=1, off=2`."""
    if schema is None:
        return "not known"
    if schema.id.startswith(("dtmi:standard:", "dtmi:iotcentral:")):
        return _term(schema.id)
    if depth > 3:
        return "…"
    if schema.kind == "Array":
        return f"array of {schema_text(schema.element('elementSchema'), depth + 1)}"
    if schema.kind == "Map":
        value = schema.element("mapValue")
        return f"map of {schema_text(value.schema if value is not None else None, depth + 1)}"
    if schema.kind == "Object":
        fields = (f"{field.name}: {schema_text(field.schema, depth + 1)}" for field in schema.elements("fields"))
        return f"object {{{', '.join(fields)}}}"
    if schema.kind == "Enum":
        values = ", ".join(f"{each.name}={each.get('enumValue')}" for each in schema.elements("enumValues"))
        return f"enum of {schema_text(schema.element('valueSchema'))}: {values}"
    return schema.kind[:1].lower() + schema.kind[1:]


def _of_command(capability: Capability) -> str:
    sides = [capability.request, capability.response]
    request, response = ("nothing" if each is None else schema_text(each.schema) for each in sides)
    return f"{request} → {response}"


def _term(dtmi: str) -> str:
    return dtmi.partition(";")[0].rpartition(":")[2]

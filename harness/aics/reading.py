"""Reads an AICS test-case file as expectations.

What the file says is taken so (sources name the keys, not their meaning; these are our readings of them):
`validationTimeout` is in seconds. `shouldValidate` false: the element is left alone and its case is skipped.
`isMandatory` false: what is not observed is a warning; true: a failure. Both may stand at an interface for all that
is in it. Enumerations are read in any case. Extras of ours (`minimum`, `maximum`, `interval`, … as in preflight.toml)
stand under `x-preflight` of a test.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.aics import iot_device
from harness.aics.document import LIST_KEY, Document, TestCasesError
from harness.aics.tables import DEFAULT_COMPONENT, Tables
from harness.expectations import Expectations, nearest, overlaid

_PNP, _IOT_DEVICE, _EDGE = "Pnp", "IotDevice", "IotEdgeCompatible"
_BADGES = (_PNP, _IOT_DEVICE, _EDGE)


@dataclass(frozen=True, slots=True)
class TestCases:
    """What a file states, as tables like those of preflight.toml, and what in it could not be taken up (`notes`)."""

    __test__ = False  # not a test, for all that pytest sees its name

    document: Document
    tables: Mapping[str, Any]
    notes: tuple[str, ...] = ()

    def over(self, base: Expectations) -> Expectations:
        """The expectations with this file's over them, field by field."""
        reading = overlaid(base, self.tables)
        if reading.problems:
            raise TestCasesError(*reading.problems)
        return reading.expectations


def read_file(path: Path) -> TestCases:
    """Raises TestCasesError, with a sentence for each problem that begins with the file's name."""
    try:
        return read_text(path.read_text(encoding="utf-8-sig"))
    except TestCasesError as e:
        raise TestCasesError(*(f"{path.name}: {problem}" for problem in e.problems)) from None
    except UnicodeDecodeError:
        raise TestCasesError(f"{path.name}: it is not UTF-8 text.") from None
    except OSError as e:
        raise TestCasesError(f"{path.name}: it cannot be read: {e.strerror or e}.") from None


def read_text(text: str) -> TestCases:
    """The same for the text of a file."""
    document = Document.parse(text)
    tables = Tables()
    for number, item in enumerate(document.items):
        place = f"{LIST_KEY}[{number}]"
        match _badge(item, place, tables.problems):
            case "Pnp":
                _pnp(item, place, tables)
            case "IotDevice":
                iot_device.read(item, place, tables)
            case "IotEdgeCompatible":
                tables.notes.append("IotEdgeCompatible has no tests to run; nothing of it was taken up.")
    if tables.problems:
        raise TestCasesError(*tables.problems)
    return TestCases(document, tables.content, tuple(tables.notes))


def _badge(item: Mapping[str, Any], place: str, problems: list[str]) -> str:
    kind = item.get("type")
    if not isinstance(kind, str):
        problems.append(f"{place} has no `type`: {', '.join(_BADGES)} are known.")
        return ""
    known = {badge.lower(): badge for badge in _BADGES}
    if kind.lower() not in known:
        problems.append(f"{place}: the badge type `{kind}` is not known{nearest(kind, _BADGES)}: {', '.join(_BADGES)}.")
    return known.get(kind.lower(), "")


def _pnp(item: Mapping[str, Any], place: str, tables: Tables) -> None:
    for at, interface in tables.objects(item, "interfaceTests", place):
        component = interface.get("componentName") or ""
        if not isinstance(component, str):
            tables.problems.append(f"{at}: componentName must be a text.")
            continue
        root = component.lower() in ("", DEFAULT_COMPONENT.lower())
        prefix = "" if root else component + "."
        for key, read in (("telemetryTests", _telemetry), ("propertyTests", _property), ("commandTests", _command)):
            for where, test in tables.objects(interface, key, at):
                read(where, test, prefix, tables, interface)


def _telemetry(place: str, test: Mapping[str, Any], prefix: str, tables: Tables, interface: Mapping[str, Any]) -> None:
    place, path, declared = tables.named(place, test, "telemetry", prefix)
    if path:
        said = tables.element("telemetry", path, place, test, interface)
        said.value("expected", "expectedResult", declared.get("schema"))
        said.plain("count", "messageCount")


def _property(place: str, test: Mapping[str, Any], prefix: str, tables: Tables, interface: Mapping[str, Any]) -> None:
    place, path, declared = tables.named(place, test, "property", prefix)
    if path:
        said = tables.element("properties", path, place, test, interface)
        said.value("values", "valueToWrite", declared.get("schema"))
        said.value("reported", "valueToReport", declared.get("schema"))


def _command(place: str, test: Mapping[str, Any], prefix: str, tables: Tables, interface: Mapping[str, Any]) -> None:
    place, path, declared = tables.named(place, test, "command", prefix)
    if path:
        said = tables.element("commands", path, place, test, interface)
        said.value("payload", "payload", _payload_schema(declared.get("requestSchema")))
        said.value("response", "expectedResult", _payload_schema(declared.get("responseSchema")))
        said.plain("priority", "priority")


def _payload_schema(payload: Any) -> Any:
    """The schema of a request or response: the file may hold it or the payload around it."""
    return payload.get("schema", payload) if isinstance(payload, Mapping) else payload

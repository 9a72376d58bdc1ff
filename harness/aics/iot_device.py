"""The tests of the badge IotDevice, as far as expectations can say them.

They name no components; a twin marks one with `"__t": "c"`, a direct method writes it before an asterisk.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.aics.tables import Tables
from harness.aics.values import decoded, is_given
from harness.expectations.words import shown

_MARKER = "__t"


def read(item: Mapping[str, Any], place: str, tables: Tables) -> None:
    """Add what one IotDevice item says to `tables`."""
    for at, test in tables.objects(item, "c2DTests", place):
        _c2d(at, test, tables)
    for at, test in tables.objects(item, "d2CTests", place):
        _d2c(at, test, tables)
    for at, test in tables.objects(item, "deviceTwinTests", place):
        _twin(at, test, tables)
    for at, test in tables.objects(item, "directMethodTests", place):
        _method(at, test, tables)


def _c2d(place: str, test: Mapping[str, Any], tables: Tables) -> None:
    said = tables.device(place, test)
    if test.get("shouldValidate") is False:
        said.fields["c2d"] = False
        return
    if test.get("isMandatory") is not False:
        said.fields["c2d"] = True
    said.plain("c2d-message", "messageToSend")


def _d2c(place: str, test: Mapping[str, Any], tables: Tables) -> None:
    if test.get("shouldValidate") is False:
        return
    said = tables.device(place, test)
    said.plain("messages", "expectedMessageCount")
    if "messages" in said.fields:
        said.plain("within", "validationTimeout")
    if is_given(test.get("expectedMessage")):
        tables.notes.append(f"{place}: expectedMessage was not taken up; messages of any content are counted.")


def _twin(place: str, test: Mapping[str, Any], tables: Tables) -> None:
    for key, field in (("desiredProperties", "values"), ("reportedProperties", "reported")):
        text = test.get(key)
        if not is_given(text):
            continue
        properties = decoded(text)
        if not isinstance(properties, Mapping):
            tables.problems.append(f"{place}: {key} = {shown(text)} cannot be used: a JSON object is expected.")
            continue
        for path, value in _paths(properties):
            said = tables.element("properties", path, f"{place} ({path})", test)
            said.fields[field] = [*said.fields.get("values", []), value] if field == "values" else value


def _paths(properties: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in properties.items():
        if isinstance(value, Mapping) and value.get(_MARKER) == "c":
            yield from ((f"{name}.{inner}", each) for inner, each in value.items() if inner != _MARKER)
        elif not name.startswith("$"):
            yield name, value


def _method(place: str, test: Mapping[str, Any], tables: Tables) -> None:
    name = test.get("methodName")
    if not isinstance(name, str) or not name:
        tables.problems.append(f"{place}: methodName must be a text.")
        return
    path = name.replace("*", ".", 1)
    tables.element("commands", path, f"{place} ({path})", test).value("payload", "payload", None)

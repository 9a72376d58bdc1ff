"""Collects what the tests of a file say, as tables like those of preflight.toml, with the place for every problem."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from harness.aics.values import decoded, is_given
from harness.expectations.fields import FIELDS
from harness.expectations.reading import read_table
from harness.expectations.words import shown

EXTRAS = "x-preflight"
DEFAULT_COMPONENT = "Default component"
"""The name that AICS gave the root interface."""


class Tables:
    """The tables as they grow; `problems` are sentences, `notes` name what cannot be expressed."""

    def __init__(self) -> None:
        self.content: dict[str, Any] = {"device": {}, "telemetry": {}, "properties": {}, "commands": {}}
        self.problems: list[str] = []
        self.notes: list[str] = []

    def objects(self, holder: Mapping[str, Any], key: str, place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """The objects in a list that may be null or absent, each with its place."""
        found = holder.get(key)
        if found is None:
            return
        if not isinstance(found, list):
            self.problems.append(f"{place}: {key} must be a list.")
            return
        for number, each in enumerate(found):
            where = f"{place}.{key}[{number}]" if place else f"{key}[{number}]"
            if isinstance(each, Mapping):
                yield where, each
            else:
                self.problems.append(f"{where} must be an object.")

    def named(self, place: str, test: Mapping[str, Any], key: str, prefix: str) -> tuple[str, str, Mapping[str, Any]]:
        """The place with the element's name, its path (empty where it has none), and what the file says of it."""
        declared = test.get(key)
        name = declared.get("name") if isinstance(declared, Mapping) else None
        if not isinstance(declared, Mapping) or not isinstance(name, str) or not name:
            self.problems.append(f"{place}: {key} must be an object with the `name` of a {key}.")
            return place, "", {}
        return f"{place} ({prefix}{name})", prefix + name, declared

    def element(
        self, table: str, path: str, place: str, test: Mapping[str, Any], around: Mapping[str, Any] | None = None
    ) -> Stated:
        """What a test says about an element; what all tests have in common is read here."""
        said = Stated(self, table, self.content[table].setdefault(path, {}), place, test)
        said.plain("timeout", "validationTimeout")
        said.flag("required", "isMandatory", around or {})
        said.flag("judged", "shouldValidate", around or {})
        said.extras()
        return said

    def device(self, place: str, test: Mapping[str, Any]) -> Stated:
        """What a test says about the device."""
        return Stated(self, "device", self.content["device"], place, test)


class Stated:
    """One table as it is filled from one test."""

    def __init__(self, tables: Tables, table: str, fields: dict[str, Any], place: str, test: Mapping[str, Any]) -> None:
        self._tables = tables
        self._known = FIELDS[table]
        self._table = table
        self.fields = fields
        self._place = place
        self._test = test

    def plain(self, field: str, key: str) -> None:
        """Take a number or a text as it is. AICS writes 0 where nothing is meant."""
        value = self._test.get(key)
        if value is not None and not (value == 0 and not isinstance(value, bool) and field != "priority"):
            self._set(field, key, value)

    def flag(self, field: str, key: str, around: Mapping[str, Any]) -> None:
        """Take true or false; false at the interface holds for all that is in it."""
        if around.get(key) is False:
            self.fields[field] = False
        elif self._test.get(key) is not None:
            self._set(field, key, self._test[key])

    def value(self, field: str, key: str, schema: Any) -> None:
        """Take a string that holds JSON. Several values to write add up."""
        text = self._test.get(key)
        if not is_given(text):
            return
        try:
            value = decoded(text, schema)
        except ValueError as e:
            self._tables.problems.append(f"{self._place}: {key} = {shown(text)} cannot be used: {e}.")
            return
        self._set(field, key, [*self.fields.get(field, []), value] if field == "values" else value)

    def extras(self) -> None:
        """Take what stands under `x-preflight`, by the keys of preflight.toml."""
        extras = self._test.get(EXTRAS)
        if extras is None:
            return
        place = f"{self._place}, {EXTRAS}"
        if not isinstance(extras, Mapping):
            self._tables.problems.append(f"{place} must be an object.")
            return
        before = len(self._tables.problems)
        read_table(self._table, extras, place, self._tables.problems)
        if len(self._tables.problems) == before:
            self.fields.update(extras)

    def _set(self, field: str, key: str, value: Any) -> None:
        try:
            self._known[field](value)
        except ValueError as e:
            self._tables.problems.append(f"{self._place}: {key} = {shown(value)} cannot be used: {e}.")
        else:
            self.fields[field] = value

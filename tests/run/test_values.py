"""Which values are set and which payloads are sent."""

from __future__ import annotations

from typing import Any

import pytest

from harness.dtdl import Capability, check_value, parse
from harness.expectations import Command, Expectations, Property
from harness.run.exercise.values import another_value, request_of, told_apart, valid_values
from tests.checks.story import PLANT, plant_model

BY_PATH: dict[str, Capability] = {c.path: c for c in plant_model().capabilities(PLANT)}


def stating(**of: Any) -> Expectations:
    return Expectations(**of)


@pytest.mark.parametrize(
    ("stated", "sent"), [((18, 21), [18, 21]), ((18, "warm", 2.5), [18]), (("warm",), None), ((), None)]
)
def test_stated_values_are_set_as_far_as_they_fit(stated: tuple[Any, ...], sent: list[Any] | None) -> None:
    speed = BY_PATH["speed"]
    found = valid_values(speed, stating(property_of={"speed": Property(values=stated)}))
    assert sent is None or found == sent
    assert found
    assert not any(check_value(speed.schema, value) for value in found if speed.schema)


def test_another_value_is_never_one_that_does_not_fit() -> None:
    stated = stating(property_of={"speed": Property(values=("warm", "hot"))})
    value = another_value(BY_PATH["speed"], stated, 1)
    assert isinstance(value, int)
    assert value != 1


@pytest.mark.parametrize(("payload", "sent"), [(5, 5), ("soon", None)])
def test_a_stated_payload_is_sent_where_it_fits_and_a_sample_elsewhere(payload: object, sent: object) -> None:
    value, has_payload = request_of(BY_PATH["reboot"], stating(command_of={"reboot": Command(payload=payload)}))
    assert has_payload
    assert isinstance(value, int)
    assert sent is None or value == sent


def test_a_command_without_a_request_gets_no_payload() -> None:
    from tests.checks.story import ROOT, pump_model

    stop = next(c for c in pump_model().capabilities(ROOT) if c.path == "stop")
    assert request_of(stop, stating(command_of={"stop": Command(payload=5)})) == (None, False)


def switches(*paths: str) -> list[Capability]:
    """Booleans of the root and of components."""
    contents: dict[str, list[dict[str, Any]]] = {}
    for path in paths:
        component, _, name = path.rpartition(".")
        contents.setdefault(component, []).append(
            {"@type": "Property", "name": name, "schema": "boolean", "writable": True}
        )
    root = contents.pop("", [])
    parts = [interface(f"dtmi:test:{c};1", inner) for c, inner in contents.items()]
    root += [{"@type": "Component", "name": c, "schema": f"dtmi:test:{c};1"} for c in contents]
    return list(parse([interface("dtmi:test:Switches;1", root), *parts]).capabilities("dtmi:test:Switches;1"))


def interface(dtmi: str, contents: list[dict[str, Any]]) -> dict[str, Any]:
    return {"@context": "dtmi:dtdl:context;2", "@id": dtmi, "@type": "Interface", "contents": contents}


@pytest.mark.parametrize(
    ("now", "written"),
    [
        ({"a": True, "b": True}, {"a": False, "b": True}),
        ({"a": True, "b": False}, {"a": False, "b": True}),
        ({"a": True, "b": True, "c": True}, {"a": False, "b": False, "c": True}),
        ({"x.a": True, "y.a": True}, {"x.a": False, "y.a": True}),
        ({"a": False, "x.a": True, "x.b": True}, {"a": True, "x.a": False, "x.b": True}),
    ],
)
def test_values_that_would_all_be_equal_are_told_apart(now: dict[str, bool], written: dict[str, bool]) -> None:
    values: list[tuple[Capability, Any]] = []
    for capability in switches(*now):
        taken = [value for _, value in values]
        values.append((capability, another_value(capability, stating(), now[capability.path], taken)))
    assert {c.path: value for c, value in told_apart(values, lambda c: now[c.path])} == written


def test_values_that_cannot_be_told_apart_stay() -> None:
    values: list[tuple[Capability, Any]] = [(c, True) for c in switches("a", "b")]
    assert told_apart(values, lambda _: True) == values
    assert told_apart(values[:1], lambda _: False) == values[:1]

"""Queries: the language against a plain model of it, and what comes back."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.emulator.errors import ServiceError
from harness.emulator.hub.queries import Page, run
from harness.emulator.hub.querylang import parse
from harness.emulator.hub.queryvalues import UNDEFINED
from harness.emulator.hub.registry import Identity, Registry


@pytest.fixture(scope="module")
def registry() -> Registry:
    registry = Registry()
    for number in range(6):
        device = registry.add(Identity(f"dev-{number}", enabled=number != 5))
        tags = {"floor": number % 3, "site": "north" if number < 4 else "south", "a-b": {"c": [1, number]}}
        device.twin.update({"tags": tags, "properties": {"desired": {"rate": number}}}, "2024-05-01T10:00:00Z")
        if number % 2:
            device.twin.report({"temp": number + 0.5, "fw": {"version": f"1.{number}"}, "on": number > 2}, "t")
        if number == 0:
            device.twin.model_id = "dtmi:com:example:Thermostat;1"
    registry.add(Identity("dev-1", "mod-a"))
    registry.add(Identity("dev-2", "mod-b"))
    return registry


def ids(page: Page) -> list[str]:
    return [row.get("moduleId") or row["deviceId"] for row in page.rows]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("deviceId = 'dev-3'", "3"),
        ('deviceId = "dev-3"', "3"),
        ("devices.deviceId = 'dev-3'", "3"),
        ("deviceId IN ['dev-1', 'dev-4', 'x']", "14"),
        ("deviceId NIN ['dev-1', 'dev-4', 'x']", "0235"),
        ("deviceId not in ('dev-1')", "02345"),
        ("tags.site = 'south'", "45"),
        ("tags.site != 'south' AND tags.floor <> 0", "12"),
        ("tags.floor = 0 OR tags.floor = 1 AND tags.site = 'south'", "034"),
        ("(tags.floor = 0 OR tags.floor = 1) AND tags.site = 'south'", "4"),
        ("NOT tags.site = 'south'", "0123"),
        ("not (tags.site = 'south' or tags.floor > 0)", "03"),
        ("properties.desired.rate >= 4", "45"),
        ("properties.desired.rate < 1.5e0", "01"),
        ("properties.reported.temp > 0", "135"),
        ("NOT properties.reported.temp > 4", "13"),
        ("is_defined(properties.reported.temp)", "135"),
        ("NOT IS_DEFINED(properties.reported.temp)", "024"),
        ("properties.reported.on = true", "35"),
        ("properties.reported.on", "35"),
        ("properties.reported.temp = '1.5'", ""),
        ("properties.reported.temp != '1.5'", "135"),
        ("properties.reported.fw.version = '1.5'", "5"),
        ("STARTS_WITH(properties.reported.fw.version, '1.')", "135"),
        ("STARTSWITH(deviceId, 'dev') AND ENDSWITH(deviceId, '5')", "5"),
        ("status = 'enabled' AND connectionState = 'Disconnected'", "01234"),
        ("modelId = 'dtmi:com:example:Thermostat;1'", "0"),
        ("properties.desired.$version > 1", "012345"),
        ("properties.reported.$metadata.$lastUpdated = 't'", "135"),
        ("tags['a-b'].c[1] = 3", "3"),
        ("tags.[[a-b]].c[0] = 1 and deviceId='dev-2'", "2"),
        ("tags.group = 1", ""),
        ("capabilities.iotEdge = false AND tags.nothing = null", ""),
        ("properties.desired.rate = -1 or is_number(tags.floor) and is_string(tags.site)", "012345"),
    ],
)
def test_conditions(registry: Registry, where: str, expected: str) -> None:
    page = run(registry, f"SELECT * FROM devices WHERE {where}")
    assert "".join(name[-1] for name in ids(page)) == expected
    assert (page.kind, page.continuation) == ("Twin", None)


def test_whole_rows_are_twins(registry: Registry) -> None:
    row = run(registry, "select * from devices where deviceId='dev-1'").rows[0]
    assert row["properties"]["reported"]["fw"] == {"version": "1.1"}
    assert row["tags"]["floor"] == 1


def test_modules_and_jobs(registry: Registry) -> None:
    assert ids(run(registry, "SELECT * FROM devices.modules")) == ["mod-a", "mod-b"]
    assert ids(run(registry, "SELECT * FROM devices.modules WHERE devices.modules.deviceId = 'dev-2'")) == ["mod-b"]
    jobs = run(registry, "SELECT * FROM devices.jobs WHERE devices.jobs.deviceId = 'x'")
    assert (jobs.rows, jobs.kind) == ([], "DeviceJob")


def test_projections(registry: Registry) -> None:
    page = run(registry, "SELECT TOP 2 deviceId, properties.reported.fw.version AS fw, tags.floor FROM devices")
    assert page.rows == [{"deviceId": "dev-0", "floor": 0}, {"deviceId": "dev-1", "fw": "1.1", "floor": 1}]
    assert page.kind == "Raw"


def test_aggregates(registry: Registry) -> None:
    rows = run(registry, "SELECT COUNT() AS n, SUM(tags.floor) AS s, AVG(tags.floor), MAX(tags.site) AS x FROM devices")
    assert rows.rows == [{"n": 6, "s": 6, "$3": 1.0}]
    assert run(registry, "SELECT COUNT(*) AS n FROM devices WHERE deviceId = 'x'").rows == [{"n": 0}]
    grouped = run(
        registry,
        "SELECT tags.site AS site, count(properties.reported.temp) AS temps, min(tags.floor) AS low, count() AS number "
        "FROM devices WHERE status = 'enabled' GROUP BY tags.site",
    )
    assert grouped.rows == [
        {"site": "north", "temps": 2, "low": 0, "number": 4},
        {"site": "south", "temps": 0, "low": 1, "number": 1},
    ]
    undefined = run(
        registry, "SELECT properties.reported.on AS x, count() AS n FROM devices GROUP BY devices.status, x"
    )
    assert [row["n"] for row in undefined.rows] == [5, 1]


def test_pages(registry: Registry) -> None:
    text, found, token = "SELECT TOP 5 deviceId FROM devices", [], None
    for _ in range(3):
        page = run(registry, text, size=2, continuation=token)
        found += ids(page)
        token = page.continuation
    assert found == [f"dev-{n}" for n in range(5)]
    assert token is None


@pytest.mark.parametrize("token", ["x", "W10=", "WzEsMl0=", "e30="])
def test_continuations_of_others(registry: Registry, token: str) -> None:
    with pytest.raises(ServiceError) as caught:
        run(registry, "SELECT * FROM devices", continuation=token)
    assert caught.value.code == 400004
    other = run(registry, "SELECT deviceId FROM devices", size=1).continuation
    with pytest.raises(ServiceError):
        run(registry, "SELECT * FROM devices", continuation=other)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("", 1),
        ("SELECT", 7),
        ("SELECT * FROM", 14),
        ("SELECT * FROM things", 15),
        ("SELECT * FROM devices WHERE", 28),
        ("SELECT * FROM devices WHERE a = ", 33),
        ("SELECT * FROM devices WHERE a ~ 1", 30),
        ("SELECT * FROM devices WHERE a = 'x", 32),
        ("SELECT * FROM devices WHERE a IN []", 35),
        ("SELECT * FROM devices WHERE (a = 1", 35),
        ("SELECT * FROM devices WHERE a = 1 extra", 35),
        ("SELECT * FROM devices WHERE nothing(a)", 29),
        ("SELECT * FROM devices WHERE is_defined()", 40),
        ("SELECT * FROM devices WHERE is_defined(a, b)", 29),
        ("SELECT TOP x * FROM devices", 12),
        ("SELECT sum() FROM devices", 12),
        ("SELECT * FROM devices ORDER BY deviceId", 23),
        ("SELECT * FROM devices WHERE a = " + "(" * 60 + "1" + ")" * 60, 0),
        ("DELETE FROM devices", 1),
        ("SELECT * FROM devices WHERE " + "a" * 20_000, 0),
    ],
)
def test_what_is_no_query_says_where(registry: Registry, text: str, at: int) -> None:
    with pytest.raises(ServiceError) as caught:
        run(registry, text)
    assert caught.value.code == 400004
    if at:
        assert f"character {at}:" in caught.value.message


@pytest.mark.parametrize(("text", "size"), [(None, 1), (7, 1), ("SELECT * FROM devices", 0), ("x", 1001)])
def test_bad_requests(registry: Registry, text: Any, size: int) -> None:
    with pytest.raises(ServiceError):
        run(registry, text, size=size)


@given(st.text(max_size=60))
def test_any_text_is_answered(text: str) -> None:
    for query in (text, f"SELECT * FROM devices WHERE {text}", f"SELECT {text} FROM devices"):
        with contextlib.suppress(ServiceError):
            parse(query)


# --- against a model ---------------------------------------------------------------------------------

Model = tuple[str, Callable[[Mapping[str, Any]], Any]]
names = st.sampled_from("abc")
constants = st.booleans() | st.integers(-2, 2) | st.sampled_from(["x", "y", "it's"]) | st.none()


def literal(value: Any) -> str:
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else json.dumps(value)


def equality(name: str, value: Any, equal: bool) -> Model:
    def evaluate(document: Mapping[str, Any]) -> Any:
        if name not in document:
            return UNDEFINED
        return (type(document[name]) is type(value) and document[name] == value) == equal

    return f"{name} {'=' if equal else '!='} {literal(value)}", evaluate


def both(left: Model, right: Model, word: str) -> Model:
    deciding = word == "OR"

    def evaluate(document: Mapping[str, Any]) -> Any:
        one, other = left[1](document), right[1](document)
        if one is deciding or other is deciding:
            return deciding
        return UNDEFINED if UNDEFINED in (one, other) else not deciding

    return f"({left[0]}) {word} ({right[0]})", evaluate


def negated(inner: Model) -> Model:
    def evaluate(document: Mapping[str, Any]) -> Any:
        value = inner[1](document)
        return UNDEFINED if value is UNDEFINED else not value

    return f"NOT ({inner[0]})", evaluate


defined = st.builds(lambda name: (f"is_defined({name})", lambda document: name in document), names)
conditions: st.SearchStrategy[Model] = st.recursive(
    st.builds(equality, names, constants, st.booleans()) | defined,
    lambda inner: st.builds(both, inner, inner, st.sampled_from(["AND", "OR"])) | st.builds(negated, inner),
    max_leaves=6,
)


@given(conditions, st.dictionaries(names, constants))
def test_conditions_mean_what_the_model_says(condition: Model, document: dict[str, Any]) -> None:
    where = parse(f"SELECT * FROM devices WHERE {condition[0]}").where
    assert where is not None
    assert where(document) is condition[1](document)


@pytest.mark.parametrize(
    "condition",
    ["lower(" * 2000 + "a" + ")" * 2000, "(" * 60 + "a" + ")" * 60, "NOT " * 60 + "a", "a IN [" + "(" * 51 + "a"],
)
def test_nesting_has_an_end(condition: str) -> None:
    with pytest.raises(ServiceError, match="nested deeper"):
        parse(f"SELECT * FROM devices WHERE {condition}")


@pytest.mark.parametrize(("word", "last", "expected"), [("OR", "true", True), ("AND", "false", False)])
def test_a_long_row_of_conditions_is_no_nesting(word: str, last: str, expected: bool) -> None:
    where = parse("SELECT * FROM devices WHERE " + f"a {word} " * 2500 + last).where
    assert where is not None
    assert where({}) is expected


def test_a_continuation_that_is_made_up(registry: Registry) -> None:
    made_up = base64.b64encode(b"[" * 6000).decode()
    with pytest.raises(ServiceError, match="not one of this hub's"):
        run(registry, "SELECT * FROM devices", continuation=made_up)

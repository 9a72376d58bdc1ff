"""A hub in Azure as a source: what two reads of a twin tell, and messages and changes of a real device."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("proton", reason="needs the extra: pip install 'pnp-preflight[eventhub]'")
pytest.importorskip("azure.eventhub", reason="needs azure-eventhub: pip install 'pnp-preflight[azure]'")

from harness.azure.connection_strings import parse_hub
from harness.azure.twin_events import changes
from harness.emulator import EmulatorOptions
from harness.emulator.fixtures import LocalCloud
from harness.record import events as ev
from harness.target.service import HubService
from harness.watch.azure import AzureSource, twin_query
from harness.watch.source import Broken, Seen, Source
from tests.watch.devices import connected, message

DEADLINE = 60.0
MODEL = "dtmi:test:Rig;1"


def twin(**changed: Any) -> dict[str, Any]:
    reported = changed.pop("reported", {"$version": 1, "$metadata": {"$lastUpdated": "2026-01-01T00:00:00Z"}})
    desired = changed.pop("desired", {"$version": 1, "$metadata": {"$lastUpdated": "2026-01-01T00:00:00Z"}})
    return {
        "deviceId": "dev-1",
        "modelId": MODEL,
        "connectionState": "Connected",
        "connectionStateUpdatedTime": "2026-01-01T00:00:00.1234567Z",
        "properties": {"desired": desired, "reported": reported},
        **changed,
    }


def section(version: int, second: int, **values: Any) -> dict[str, Any]:
    when = f"2026-01-01T00:00:{second:02}Z"
    dates = {name: {"$lastUpdated": when} for name in values}
    return {**values, "$version": version, "$metadata": {"$lastUpdated": when, **dates}}


def events(before: dict[str, Any] | None, after: dict[str, Any]) -> list[ev.Event]:
    return [event for _, event in changes(before, after)]


def test_nothing_changed() -> None:
    assert events(twin(), twin(lastActivityTime="2026-01-01T00:09:00Z")) == []


def test_desired_and_reported_come_in_the_order_of_the_hub_s_own_times() -> None:
    after = twin(desired=section(2, 10, target=5), reported=section(2, 11, target={"value": 5, "ac": 200, "av": 2}))
    found = changes(twin(), after)
    assert [when - found[0][0] for when, _ in found] == [0, 1]
    desired, reported = (event for _, event in found)
    assert desired == ev.DesiredChanged("dev-1", None, 2, {"target": 5}, True)
    assert isinstance(reported, ev.ReportedPatched)
    assert (reported.payload, reported.version) == (b'{"target": {"value": 5, "ac": 200, "av": 2}}', 2)


def test_a_value_that_was_deleted_is_seen() -> None:
    found = events(twin(reported=section(2, 1, serial="x")), twin(reported=section(3, 2)))
    assert [e.payload for e in found if isinstance(e, ev.ReportedPatched)] == [b'{"serial": null}']


def test_the_same_value_reported_anew_is_seen() -> None:
    found = events(twin(reported=section(2, 1, serial="x")), twin(reported=section(3, 2, serial="x")))
    assert [e.payload for e in found if isinstance(e, ev.ReportedPatched)] == [b'{"serial": "x"}']


def test_connections() -> None:
    away = twin(connectionState="Disconnected")
    assert [e.kind for e in events(twin(), away)] == ["hub_disconnected"]
    assert [e.kind for e in events(away, twin())] == ["hub_connected"]
    assert [e.kind for e in events(twin(), twin(modelId="dtmi:test:Other;1"))] == ["hub_connected"]
    (new,) = events({}, twin())
    assert isinstance(new, ev.HubConnected)
    assert new.model_id == MODEL


def test_everything_there_is_of_the_past() -> None:
    found = events(None, twin(reported=section(2, 1, serial="x")))
    assert [e.kind for e in found] == ["hub_connected", "reported_patched"]


@pytest.mark.parametrize(
    ("device", "module", "query"),
    [
        (None, None, "SELECT * FROM devices"),
        ("dev-1", None, "SELECT * FROM devices WHERE deviceId = 'dev-1'"),
        ("dev-*", None, "SELECT * FROM devices WHERE STARTS_WITH(deviceId, 'dev-')"),
        ("*-1", None, "SELECT * FROM devices"),
        ("it's", None, "SELECT * FROM devices WHERE STARTS_WITH(deviceId, 'it')"),
        ("dev-1", "m", "SELECT * FROM devices.modules WHERE deviceId = 'dev-1'"),
    ],
)
def test_only_the_twins_that_may_be_wanted_are_asked_for(device: str | None, module: str | None, query: str) -> None:
    assert twin_query(device, module) == query


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    state: Path = tmp_path_factory.mktemp("azure-watched")
    with LocalCloud(EmulatorOptions(amqp_port=5671, event_partitions=1), None, state) as cloud:
        yield cloud


def source_of(hub: LocalCloud, **options: Any) -> AzureSource:
    connection = parse_hub(hub.endpoints.hub_connection_string)
    service = HubService(connection.text, hub.ca_path)

    def read() -> list[dict[str, Any]]:
        return service.query_twins(twin_query(None))

    return AzureSource(connection.host, connection, read, ca_path=hub.ca_path, **{"poll": 0.1, **options})


async def until(iterator: AsyncIterator[Seen], kind: type[ev.Event]) -> list[ev.Event]:
    found: list[ev.Event] = []
    async for seen in iterator:
        found.append(seen.entry.event)
        if isinstance(seen.entry.event, kind):
            return found
    raise AssertionError("it ended")


def test_a_real_device_is_seen(hub: LocalCloud) -> None:
    device_id = "dev-1"

    def work() -> None:
        with connected(hub, device_id, MODEL) as device:
            device.send_message(message('{"d": 1.5}', "left", colour="red"))
            device.patch_twin_reported_properties({"serial": "x"})
            hub.wait(ev.ReportedPatched)

    async def watch() -> list[ev.Event]:
        source: Source = source_of(hub)
        async with source.listen() as iterator:
            assert await source.known() == []
            working = asyncio.create_task(asyncio.to_thread(work))
            found = await until(iterator, ev.ReportedPatched)
            while not any(isinstance(event, ev.TelemetryReceived) for event in found):
                found += await until(iterator, ev.TelemetryReceived)
            await working
        return found

    found = asyncio.run(asyncio.wait_for(watch(), DEADLINE))
    (telemetry,) = [e for e in found if isinstance(e, ev.TelemetryReceived)]
    assert (telemetry.payload, telemetry.component, telemetry.model_id) == (b'{"d": 1.5}', "left", MODEL)
    assert telemetry.properties == {"colour": "red"}
    (reported,) = [e for e in found if isinstance(e, ev.ReportedPatched)]
    assert reported.payload == b'{"serial": "x"}'


def test_twins_that_cannot_be_read_any_more_end_it(hub: LocalCloud) -> None:
    said: list[str] = []
    reads = 0

    def read() -> list[dict[str, Any]]:
        nonlocal reads
        reads += 1
        if reads > 1:
            raise Broken("The twins cannot be read. 401002: Unauthorized")
        return []

    async def watch() -> None:
        connection = parse_hub(hub.endpoints.hub_connection_string)
        source = AzureSource("h", connection, read, ca_path=hub.ca_path, poll=0.01, notice=said.append)
        async with source.listen() as iterator:
            await until(iterator, ev.TelemetryReceived)

    with pytest.raises(Broken, match="401002"):
        asyncio.run(asyncio.wait_for(watch(), DEADLINE))
    assert len(said) == 1


def test_an_endpoint_that_cannot_be_read_is_said(hub: LocalCloud) -> None:
    async def watch() -> None:
        async with source_of(hub, consumer_group="nobody").listen():
            pass

    with pytest.raises(Broken, match="no consumer group 'nobody'"):
        asyncio.run(asyncio.wait_for(watch(), DEADLINE))

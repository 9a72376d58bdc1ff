"""azure-eventhub, unmodified, against the hub's built-in endpoint over TLS, with a device that sends by MQTT."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("proton", reason="needs the extra: pip install 'pnp-preflight[eventhub]'")
pytest.importorskip("azure.eventhub", reason="needs azure-eventhub: pip install 'pnp-preflight[azure]'")

from azure.eventhub import EventHubConsumerClient, TransportType
from azure.eventhub.aio import EventHubConsumerClient as AsyncConsumer
from azure.eventhub.exceptions import AuthenticationError, ConnectError, ConnectionLostError, EventHubError

from harness.emulator import Emulator, EmulatorOptions, Endpoints
from harness.record.events import TelemetryReceived
from tests.addresses import free_address

SECONDS = 20.0
"""The client's own loops sleep and retry; nothing here waits longer."""


def add_device(device_id: str, services: Any) -> None:
    services.hub.put_device(device_id, {}, None)


def take(message: TelemetryReceived, services: Any) -> None:
    services.hub.telemetry(message)


class Hub:
    def __init__(self, emulator: Emulator) -> None:
        self.emulator = emulator
        self.endpoints: Endpoints = emulator.endpoints
        hub = emulator.call(lambda services: services.amqp.event_hub)
        ids = [f"dev-{number}" for number in range(16)]
        self.devices = {hub.partition_of(device_id).name: device_id for device_id in ids}
        for device_id in self.devices.values():
            emulator.call(partial(add_device, device_id))

    def telemetry(self, partition: str, *payloads: bytes) -> None:
        """Have the hub take messages as it takes a device's."""
        device_id = self.devices[partition]
        for payload in payloads:
            message = TelemetryReceived(
                device_id,
                None,
                "thermostat1",
                payload,
                "application/json",
                "utf-8",
                "dtmi:com:example:Thermostat;1",
                {"sub": "thermostat1", "mid": "id-1"},
                {"colour": "red"},
            )
            self.emulator.call(partial(take, message))

    def client(self, kind: Any = EventHubConsumerClient, *, group: str = "$Default", **changes: Any) -> Any:
        text = changes.pop("connection", self.endpoints.event_hub_connection_string)
        return kind.from_connection_string(
            text,
            consumer_group=group,
            connection_verify=str(self.endpoints.ca_path),
            custom_endpoint_address=text.partition(";")[0].removeprefix("Endpoint="),
            transport_type=TransportType.Amqp,
            retry_total=0,
            **changes,
        )


@pytest.fixture(scope="module")
def hub(state_dir: Path) -> Iterator[Hub]:
    options = EmulatorOptions(amqp_port=0, event_partitions=2, consumer_groups=("mine",))
    with Emulator(address=free_address(), state_dir=state_dir, emit=lambda _: None, options=options) as emulator:
        made = Hub(emulator)
        made.telemetry("0", *(b"a%d" % number for number in range(5)))
        made.telemetry("1", *(b"b%d" % number for number in range(3)))
        yield made


def read(client: Any, count: int, meanwhile: Callable[[], None] = lambda: None, **where: Any) -> list[Any]:
    """Receive until there are `count` events or an error, which is raised."""
    events: list[Any] = []
    errors: list[BaseException] = []
    done, opened = threading.Event(), threading.Event()

    def on_event(context: Any, event: Any) -> None:
        opened.set()
        if event is not None:
            events.append(event)
        if len(events) >= count:
            done.set()

    def on_error(context: Any, error: BaseException) -> None:
        errors.append(error)
        opened.set()
        done.set()

    def receive() -> None:
        try:
            client.receive(on_event, on_error=on_error, max_wait_time=0.2, **where)
        except BaseException as error:
            on_error(None, error)

    thread = threading.Thread(target=receive, daemon=True)
    thread.start()
    assert opened.wait(SECONDS), "nothing, not even an error"
    meanwhile()
    assert done.wait(SECONDS), f"{len(events)} events of {count}"
    client.close()
    thread.join(SECONDS)
    if errors:
        raise errors[0]
    return events


def bodies(events: list[Any]) -> list[str]:
    return [event.body_as_str() for event in events]


def test_what_the_hub_is(hub: Hub) -> None:
    with hub.client() as client:
        properties = client.get_eventhub_properties()
        partition = client.get_partition_properties("0")
    assert properties["partition_ids"] == ["0", "1"]
    assert f"EntityPath={properties['eventhub_name']}" in hub.endpoints.event_hub_connection_string
    assert properties["created_at"] <= datetime.now(timezone.utc)
    assert (partition["beginning_sequence_number"], partition["is_empty"]) == (0, False)


def test_all_partitions_from_the_start_and_an_event_as_the_sdk_shows_it(hub: Hub) -> None:
    events = read(hub.client(), 8, starting_position="-1")
    assert sorted(bodies(events)) == ["a0", "a1", "a2", "a3", "a4", "b0", "b1", "b2"]
    in_order = [event for event in events if event.body_as_str()[0] == "a"]
    assert bodies(in_order) == ["a0", "a1", "a2", "a3", "a4"]
    event = in_order[0]
    assert (event.sequence_number, event.offset) == (0, "0")
    assert abs(event.enqueued_time - datetime.now(timezone.utc)) < timedelta(minutes=5)
    assert event.properties == {b"colour": b"red"}
    assert (event.content_type, event.message_id) == ("application/json", "id-1")
    system = event.system_properties
    assert system[b"iothub-connection-device-id"] == hub.devices["0"].encode()
    assert system[b"iothub-message-source"] == b"Telemetry"
    assert system[b"dt-dataschema"] == b"dtmi:com:example:Thermostat;1"
    assert system[b"dt-subject"] == b"thermostat1"
    assert system[b"iothub-connection-auth-generation-id"].isdigit()


def test_a_checkpoint_is_gone_on_from(hub: Hub) -> None:
    first = read(hub.client(group="mine"), 2, partition_id="0", starting_position="-1")
    rest = read(hub.client(group="mine"), 3, partition_id="0", starting_position=first[1].offset)
    assert bodies(rest)[:3] == ["a2", "a3", "a4"]


def test_a_sequence_number_to_start_at(hub: Hub) -> None:
    where: Any = {"starting_position": 3, "starting_position_inclusive": True}
    assert bodies(read(hub.client(), 2, partition_id="0", **where))[:2] == ["a3", "a4"]


def test_only_what_comes_after(hub: Hub) -> None:
    event = read(hub.client(), 1, lambda: hub.telemetry("1", b"new"), partition_id="1", starting_position="@latest")
    assert bodies(event) == ["new"]


def test_the_async_client_from_a_time_on(hub: Hub) -> None:
    async def receive() -> list[str]:
        found: list[str] = []
        enough = asyncio.Event()

        async def on_event(context: Any, event: Any) -> None:
            found.append(event.body_as_str())
            if len(found) >= 5:
                enough.set()

        async with hub.client(AsyncConsumer) as client:
            start = datetime.now(timezone.utc) - timedelta(hours=1)
            task = asyncio.ensure_future(client.receive(on_event, partition_id="0", starting_position=start))
            await asyncio.wait_for(enough.wait(), SECONDS)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        return found[:5]

    assert asyncio.run(receive()) == ["a0", "a1", "a2", "a3", "a4"]


def test_a_wrong_key(hub: Hub) -> None:
    wrong = hub.endpoints.event_hub_connection_string.replace("SharedAccessKey=", "SharedAccessKey=A")
    with hub.client(connection=wrong) as client, pytest.raises(AuthenticationError, match="401"):
        client.get_partition_ids()


def test_a_consumer_group_that_is_not_there(hub: Hub) -> None:
    with pytest.raises((ConnectionLostError, ConnectError), match="could not be found"):
        read(hub.client(group="nobody"), 1, partition_id="0", starting_position="-1")


def test_a_partition_that_is_not_there(hub: Hub) -> None:
    with hub.client() as client, pytest.raises(EventHubError, match="There is no partition '9'"):
        client.get_partition_properties("9")
    with pytest.raises(ValueError, match="Wrong partition id"):
        read(hub.client(), 1, partition_id="9", starting_position="-1")


def test_a_certificate_that_is_not_trusted(hub: Hub) -> None:
    text = hub.endpoints.event_hub_connection_string
    address = text.partition(";")[0].removeprefix("Endpoint=")
    client = EventHubConsumerClient.from_connection_string(
        text,
        consumer_group="$Default",
        custom_endpoint_address=address,
        transport_type=TransportType.Amqp,
        retry_total=0,
    )
    with client, pytest.raises(EventHubError):
        client.get_partition_ids()

"""The hub's messages read with azure-eventhub, from the emulator's AMQP endpoint: addresses and the CA differ only."""

from __future__ import annotations

import asyncio
import queue
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("azure.eventhub", reason="needs azure-eventhub: pip install 'pnp-preflight[azure]'")

from harness.azure import telemetry
from harness.azure.connection_strings import EventHubConnection, HubConnection
from harness.azure.errors import ReaderError
from harness.azure.redirect import find_event_hub
from harness.azure.telemetry import Delivered, EventReader, EventStream
from harness.emulator.certificates import ensure
from tests.azure.conftest import Hub

SECONDS = 60.0


class Listener:
    def __init__(self, hub: Hub, source: HubConnection | EventHubConnection, **options: Any) -> None:
        self.came: queue.Queue[Delivered] = queue.Queue()
        self.trouble: queue.Queue[str] = queue.Queue()
        stream = EventStream(
            source, on_message=self.came.put, on_trouble=self.trouble.put, ca_path=hub.ca_path, **options
        )
        self.reader = EventReader(stream)

    def next(self) -> Delivered:
        return self.came.get(timeout=SECONDS)

    def bodies(self, count: int) -> list[bytes]:
        return [self.next().event.payload for _ in range(count)]


Listen = Callable[..., Listener]


@pytest.fixture
def listen(hub: Hub) -> Iterator[Listen]:
    started: list[Listener] = []

    def start(source: HubConnection | EventHubConnection | None = None, **options: Any) -> Listener:
        listener = Listener(hub, source or hub.events, **options)
        started.append(listener)
        listener.reader.start()
        return listener

    yield start
    for listener in started:
        listener.reader.stop()


def test_the_event_hub_is_found_from_the_hub_s_connection_string(hub: Hub) -> None:
    assert asyncio.run(find_event_hub(hub.connection, ca_path=hub.ca_path)) == replace(hub.events, port=None)


def test_from_the_hub_s_string_alone_only_what_comes_now_and_only_of_this_device(hub: Hub, listen: Listen) -> None:
    hub.send(b"before")
    listener = listen(hub.connection, device_id="mine")
    hub.send(b"theirs", device="other")
    hub.send(b"0", b"1", b"2")
    assert listener.bodies(3) == [b"0", b"1", b"2"]
    assert listener.reader.event_hub == replace(hub.events, port=None)
    listener.reader.stop()
    hub.send(b"after")
    assert listener.came.empty()


def test_a_message_says_all_that_the_hub_knows_of_it(hub: Hub, listen: Listen) -> None:
    listener = listen()
    hub.send(
        b"\xff\x00 raw",
        component="thermostat1",
        content_type="application/json",
        content_encoding="utf-8",
        model_id="dtmi:com:example:Thermostat;1",
        system={"mid": "id-1", "cid": "c-1", "sub": "thermostat1"},
        properties={"colour": "röd", "bare": None},
    )
    hub.send(b"")
    came = listener.next()
    event = came.event
    assert (event.device_id, event.module_id, event.component) == ("mine", None, "thermostat1")
    assert event.payload == b"\xff\x00 raw"
    assert (event.content_type, event.content_encoding) == ("application/json", "utf-8")
    assert event.model_id == "dtmi:com:example:Thermostat;1"
    assert event.system == {
        "mid": "id-1",
        "cid": "c-1",
        "ct": "application/json",
        "ce": "utf-8",
        "sub": "thermostat1",
    }
    assert event.properties == {"colour": "röd", "bare": None}
    bare = listener.next()
    assert bare.event.payload == b""
    assert (bare.event.content_type, bare.event.component, bare.event.system) == (None, None, {})
    assert (bare.partition, bare.sequence) == (came.partition, came.sequence + 1)
    assert 0 <= bare.enqueued - came.enqueued < SECONDS


def test_one_partition_alone(hub: Hub, listen: Listen) -> None:
    listener = listen()
    hub.send(b"here")
    place = listener.next().partition
    listener.reader.stop()
    only = listen(partition=place)
    hub.send(b"again")
    assert (only.bodies(1), only.came.empty()) == ([b"again"], True)
    with pytest.raises(ReaderError, match="has no partition '9': it has 0, 1"):
        listen(partition="9")


def test_all_that_is_kept(hub: Hub, listen: Listen) -> None:
    hub.send(b"kept")
    listener = listen(since="start", device_id="mine")
    while listener.next().event.payload != b"kept":
        pass


def test_a_broken_link_is_said_and_nothing_is_missed_or_told_twice(
    hub: Hub, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "_RECLAIM_SECONDS", 0.5)
    listener = listen(consumer_group="mine", device_id="mine")
    hub.send(b"0")
    assert listener.bodies(1) == [b"0"]
    hub.drop()
    hub.send(b"1", b"2")
    assert listener.trouble.get(timeout=SECONDS)
    assert listener.bodies(2) == [b"1", b"2"]
    while listener.trouble.get(timeout=SECONDS):
        pass
    hub.send(b"3")
    assert listener.bodies(1) == [b"3"]
    assert listener.came.empty()


def _wrong(connection: Any, **changes: Any) -> Any:
    return replace(connection, **changes)


WRONG: list[tuple[str, Callable[[Hub], Any], str, str]] = [
    ("key", lambda h: _wrong(h.events, key=h.events.key[::-1]), "credentials", "refused the policy iothubowner"),
    ("right", lambda h: _wrong(h.events, policy="registryRead"), "credentials", "`service connect`"),
    ("entity", lambda h: _wrong(h.events, entity_path="nobody"), "not-found", "has no event hub 'nobody'"),
    ("port", lambda h: _wrong(h.events, port=1), "closed-port", "on port 1: Connection refused"),
    ("name", lambda h: _wrong(h.events, host="nowhere.invalid"), "name", "nowhere.invalid is not known"),
    ("hub-key", lambda h: _wrong(h.connection, key=h.connection.key.swapcase()), "credentials", "Copy the connection"),
    ("hub-right", lambda h: _wrong(h.connection, policy="device"), "credentials", "`service connect`"),
]


@pytest.mark.parametrize(("source", "kind", "said"), [case[1:] for case in WRONG], ids=[case[0] for case in WRONG])
def test_what_is_wrong_is_said(hub: Hub, listen: Listen, source: Callable[[Hub], Any], kind: str, said: str) -> None:
    with pytest.raises(ReaderError) as caught:
        listen(source(hub))
    assert caught.value.kind == kind
    assert said in str(caught.value)
    assert hub.events.key[:12] not in str(caught.value)


def test_an_unknown_consumer_group_is_said(listen: Listen) -> None:
    with pytest.raises(ReaderError, match="no consumer group 'nobody'") as caught:
        listen(consumer_group="nobody")
    assert caught.value.kind == "consumer-group"


def test_a_ca_that_is_not_named_is_said(hub: Hub) -> None:
    reader = EventReader(EventStream(hub.events, on_message=print))
    with pytest.raises(ReaderError, match="is not trusted") as caught:
        reader.start()
    assert caught.value.kind == "tls"


@pytest.mark.parametrize("text", [None, "no certificate"])
def test_a_ca_file_that_is_none_is_said(hub: Hub, tmp_path: Any, text: str | None) -> None:
    path = tmp_path / "ca.pem"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ReaderError, match=r"CA file .*ca\.pem"):
        EventReader(EventStream(hub.events, on_message=print, ca_path=path)).start()


@pytest.mark.parametrize("kind", ["events", "connection"])
def test_an_endpoint_that_says_nothing_ends_with_a_diagnosis(hub: Hub, kind: str) -> None:
    async def read() -> str:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(ensure(hub.ca_path.parents[1], [hub.events.host]).server)
        open_for_ever: list[Any] = []

        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            open_for_ever.append(writer)

        server = await asyncio.start_server(silent, hub.events.host, 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        source: Any = replace(hub.events, port=port) if kind == "events" else hub.connection
        stream = EventStream(source, on_message=print, ca_path=hub.ca_path, seconds=2.0, amqp_port=port)
        try:
            with pytest.raises(ReaderError) as caught:
                await stream.start()
        finally:
            for writer in open_for_ever:
                writer.transport.abort()
            server.close()
        assert caught.value.kind == "silent"
        return str(caught.value)

    said = asyncio.run(read())
    assert "within" in said
    assert hub.events.host in said

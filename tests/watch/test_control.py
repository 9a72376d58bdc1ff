"""The emulator as a source, and what is said when it is none, ends or sends what it should not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import pytest
from aiohttp import web

from harness.emulator.fixtures import LocalCloud
from harness.record import events as ev
from harness.watch.control import ControlSource
from harness.watch.source import Broken, Seen, Source
from tests.watch.devices import connected, message

T = TypeVar("T")
DEADLINE = 20.0


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(asyncio.wait_for(work, DEADLINE))


async def until(events: AsyncIterator[Seen], kind: type[ev.Event]) -> list[Seen]:
    """Everything up to the first of a kind."""
    found: list[Seen] = []
    async for seen in events:
        found.append(seen)
        if isinstance(seen.entry.event, kind):
            return found
    raise AssertionError("the stream ended")


def test_a_real_device_is_seen(cloud: LocalCloud) -> None:
    async def watch() -> tuple[list[Seen], list[Seen]]:
        source: Source = ControlSource(cloud.endpoints.control)

        def work() -> None:
            with connected(cloud, "dev-1", "dtmi:test:Rig;1") as device:
                device.send_message(message('{"d": 1.5}', "left", colour="red"))

        async with source.listen() as events:
            working = asyncio.create_task(asyncio.to_thread(work))
            seen = await until(events, ev.HubDisconnected)
            await working
        async with source.listen(past=True) as events:
            return seen, await until(events, ev.HubDisconnected)

    live, past = run(watch())
    assert [seen.entry for seen in live] == [seen.entry for seen in past]
    assert [seen.time for seen in live] == pytest.approx(
        [seen.time for seen in past], abs=60
    )  # a busy machine reads clocks late
    (telemetry,) = [s.entry.event for s in live if isinstance(s.entry.event, ev.TelemetryReceived)]
    assert (telemetry.payload, telemetry.component) == (b'{"d": 1.5}', "left")
    assert telemetry.properties == {"colour": "red"}


def test_what_is_known_before(cloud: LocalCloud) -> None:
    with connected(cloud, "dev-1", "dtmi:test:Rig;1") as device:
        device.patch_twin_reported_properties({"left": {"__t": "c", "wear": 1}})
        (known,) = run(ControlSource(cloud.endpoints.control).known())
        assert (known.device_id, known.module_id, known.connected) == ("dev-1", None, True)
        assert known.model_id == "dtmi:test:Rig;1"
        assert known.reported["left"] == {"__t": "c", "wear": 1}
        assert known.desired == {"$version": 1}


def test_an_emulator_that_ends_breaks_the_stream(cloud: LocalCloud) -> None:
    async def watch() -> None:
        async with ControlSource(cloud.endpoints.control).listen() as events:
            ending = asyncio.create_task(asyncio.to_thread(cloud.close))
            try:
                await until(events, ev.RunEnded)
            finally:
                await ending

    with pytest.raises(Broken, match=r"broke off.*start the emulator again"):
        run(watch())


def test_nobody_there() -> None:
    with pytest.raises(Broken, match=r"No emulator can be reached at http://127.0.0.1:1: .*`preflight emulator`"):
        run(ControlSource("http://127.0.0.1:1/").known())


# --- something else at that address ----------------------------------------------------------------

Answer = Callable[[web.Request], Coroutine[Any, Any, web.StreamResponse]]
LINE = json.dumps(
    {"n": 1, "t": 0.5, "kind": "hub_disconnected", "device_id": "d", "module_id": None, "by": "hub", "reason": "x"}
).encode()


@asynccontextmanager
async def serving(events: bytes, status: bytes = b'{"seconds": 1.0}', *, stay: bool = False) -> AsyncIterator[str]:
    """A server that answers like an emulator, with these bytes for its stream."""
    over = asyncio.Event()

    async def stream(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(events)
        if stay:
            await over.wait()
        return response

    async def plain(request: web.Request) -> web.Response:
        return web.Response(body=status)

    app = web.Application()
    app.router.add_get("/events", stream)
    app.router.add_get("/status", plain)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        over.set()
        await runner.cleanup()


async def read_all(events: bytes, **more: Any) -> tuple[list[Seen], str, list[str]]:
    """What a source makes of a stream: the events, how it broke, what it noticed."""
    notices: list[str] = []
    found: list[Seen] = []
    async with serving(events, **more) as url:
        try:
            async with ControlSource(url, notices.append).listen() as stream:
                async for seen in stream:
                    found.append(seen)
        except Broken as error:
            return found, str(error), notices
    raise AssertionError("it did not break")


def test_an_unknown_kind_is_passed_over_and_said_once() -> None:
    strange = b'{"n": 2, "t": 1, "kind": "from_the_future"}\n'
    found, broken, notices = run(read_all(LINE + b"\n" + strange * 3 + LINE + b"\n"))
    assert len(found) == 2
    assert "broke off" in broken
    assert len(notices) == 1
    assert "from_the_future" in notices[0]


def test_a_reader_that_was_too_slow_is_told() -> None:
    _, broken, _ = run(read_all(b'{"kind": "too_slow", "message": "x"}\n'))
    assert broken.startswith("Events were lost")


def test_half_a_line_at_the_end() -> None:
    found, broken, _ = run(read_all(LINE + b"\n" + LINE[:20]))
    assert len(found) == 1
    assert "broke off" in broken


@pytest.mark.parametrize("events", [b"\xff\xfe\x00garbage\n\n<html>\n", b"null\n[]\n1\n"])
def test_lines_that_are_no_events(events: bytes) -> None:
    found, _, notices = run(read_all(events))
    assert found == []
    assert notices


def test_a_line_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.watch.control._LONGEST_LINE", 1000)
    _, broken, _ = run(read_all(b"x" * 5000, stay=True))
    assert "not the control endpoint" in broken


@pytest.mark.parametrize("status", [b"{}", b"[]", b"<html>", b'{"seconds": "soon"}'])
def test_another_server(status: bytes) -> None:
    _, broken, _ = run(read_all(b"", status=status))
    assert "not the control endpoint of an emulator" in broken


def test_a_server_without_twins() -> None:
    async def ask() -> None:
        async with serving(b"") as url:
            await ControlSource(url).known()

    with pytest.raises(Broken, match="not the control endpoint"):
        run(ask())

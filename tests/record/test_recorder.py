"""Waits end with the event they wait for, and only then."""

from __future__ import annotations

import asyncio
import threading

from harness.record import Entry, Recorder
from harness.record import events as ev


def exited(entry: Entry) -> int | None:
    return entry.event.returncode if isinstance(entry.event, ev.DeviceExited) else None


def test_a_wait_finds_what_was_there_before() -> None:
    recorder = Recorder()
    recorder.emit(ev.DeviceExited(3, False))
    assert recorder.wait(exited, 0) == 3


def test_a_wait_ends_when_another_thread_emits() -> None:
    recorder = Recorder()
    waiting = threading.Event()

    def match(entry: Entry) -> int | None:
        waiting.set()
        return exited(entry)

    recorder.emit(ev.RunEnded("passed"))  # lets `match` run, so that the thread knows the wait has begun
    thread = threading.Thread(target=lambda: waiting.wait(5) and recorder.emit(ev.DeviceExited(4, False)))
    thread.start()
    assert recorder.wait(match, 5) == 4
    thread.join()


def test_a_wait_without_its_event_ends_with_nothing() -> None:
    assert Recorder().wait(exited, 0) is None


def test_entries_before_the_given_number_do_not_count() -> None:
    recorder = Recorder()
    recorder.emit(ev.DeviceExited(3, False))
    assert recorder.wait(exited, 0, after=1) is None


def test_an_asyncio_wait_lets_the_loop_go_on() -> None:
    recorder = Recorder()

    async def both() -> int | None:
        wait = asyncio.create_task(recorder.until(exited, 5))
        await asyncio.to_thread(recorder.emit, ev.DeviceExited(5, False))
        return await wait

    assert asyncio.run(both()) == 5


def test_an_error_in_a_match_reaches_who_waits() -> None:
    recorder = Recorder()
    recorder.emit(ev.RunEnded("passed"))

    def broken(_: Entry) -> None:
        raise ZeroDivisionError

    try:
        recorder.wait(broken, 1)
    except ZeroDivisionError:
        return
    raise AssertionError("the error was lost")


def test_the_follower_sees_an_entry_before_any_wait_does() -> None:
    recorder = Recorder()
    seen: list[int] = []
    recorder.follow(lambda entry: seen.append(entry.n))

    async def both() -> list[int] | None:
        wait = asyncio.create_task(recorder.until(lambda entry: list(seen) or None, 5))
        await asyncio.to_thread(recorder.emit, ev.RunEnded("passed"))
        return await wait

    assert asyncio.run(both()) == [1]


def test_every_entry_is_a_journal_line_when_emit_returns() -> None:
    lines: list[str] = []
    Recorder(lines.append).emit(ev.RunEnded("passed"))
    assert '"kind": "run_ended"' in lines[0]

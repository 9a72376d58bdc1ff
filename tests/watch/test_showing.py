"""What a person and a program see; nothing a device sends gets further than its place on the line."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.cli.monitor import KINDS as CLI_KINDS
from harness.record import events as ev
from harness.record.events import Entry
from harness.watch.choosing import Choice, components_of
from harness.watch.content import harmless, read, shown
from harness.watch.kinds import KINDS, identity_of, kind_of
from harness.watch.showing import JsonLines, Lines, Screen, document
from harness.watch.source import Known, Seen

HOSTILE = "\x1b[2J\x1b]0;owned\x07\r\n\x9b31m[bold red]\u202egnp.exe\u2028\x7f\ud800"
CONNECTED: dict[str, Any] = {
    "return_code": 0,
    "model_id": "dtmi:x:y;1",
    "api_version": "",
    "client_type": "",
    "keep_alive": 60,
    "clean_session": True,
    "session_present": False,
    "transport": "mqtt",
    "authentication": "sas",
    "raw_user_name": "",
}


def telemetry(payload: bytes = b"{}", component: str | None = None, **more: Any) -> ev.TelemetryReceived:
    return ev.TelemetryReceived("dev-1", None, component, payload, **more)


def screen(events: list[ev.Event], width: int = 80, *, terminal: bool = True, **more: Any) -> str:
    console = Screen(file=io.StringIO(), width=width, force_terminal=terminal, color_system=None)
    show = Lines(console, **more)
    for n, event in enumerate(events, 1):
        show(Seen(1_700_000_000.0, Entry(n, 0.0, event)))
    assert isinstance(console.file, io.StringIO)
    return re.sub(r"\d\d:\d\d:\d\d\.\d{3}", "hh:mm:ss.mmm", console.file.getvalue())


def test_lines_at_80_columns() -> None:
    text = screen(
        [
            ev.HubConnected("dev-1", None, **CONNECTED),
            telemetry(b'{"temperature": 21.5}', "left"),
            ev.ReportedPatched("dev-1", None, "1", b'{"serial": "a long enough text to need a second line"}', 204, 3),
            ev.DesiredChanged("dev-1", None, 4, {"target": 20}, False),
            ev.MethodRequested("dev-1", None, "1", "left*reboot", b"5"),
            ev.MethodAnswered("dev-1", None, "1", "left*reboot", 200, b""),
            ev.HubDisconnected("dev-1", None, "hub", "token expired", 401003),
        ]
    )
    assert text == (
        "hh:mm:ss.mmm  dev-1  connection  connected to the hub by mqtt, sas, model\n"
        "              dtmi:x:y;1\n"
        'hh:mm:ss.mmm  dev-1  telemetry   left  {"temperature": 21.5}\n'
        'hh:mm:ss.mmm  dev-1  reported    {"serial": "a long enough text to need a second\n'
        '              line"}  version 3\n'
        'hh:mm:ss.mmm  dev-1  desired     {"target": 20}  version 4  (not delivered: the\n'
        "              device is not connected and subscribed)\n"
        "hh:mm:ss.mmm  dev-1  commands    left  reboot asked with 5\n"
        "hh:mm:ss.mmm  dev-1  commands    left  reboot answered 200 (empty)\n"
        "hh:mm:ss.mmm  dev-1  connection  the hub closed the connection: token expired\n"
        "              (401003)\n"
    )


def test_a_pipe_gets_a_line_an_event() -> None:
    text = screen([telemetry(json.dumps({"text": "word " * 60}).encode())], terminal=False)
    assert text.count("\n") == 1


def test_one_device_needs_no_column() -> None:
    assert screen([telemetry()], one_device=True) == "hh:mm:ss.mmm  telemetry   {}\n"


def test_properties_on_wish() -> None:
    event = telemetry(system={"ct": "application/json"}, properties={"colour": HOSTILE})
    assert "colour" not in screen([event])
    text = screen([event], width=200, show_properties=True)
    assert 'system {"ct": "application/json"}' in text
    assert "colour" in text
    assert "\x1b" not in text


@pytest.mark.parametrize(
    "event",
    [
        telemetry(HOSTILE.encode("utf-8", "surrogatepass"), HOSTILE),
        telemetry(json.dumps({HOSTILE: HOSTILE}).encode()),
        telemetry(b"\xff\x1b[2J" * 1000),
        ev.ReportedPatched(HOSTILE, HOSTILE, HOSTILE, b"{", 400, message=HOSTILE),
        ev.DesiredChanged("d", None, 1, {HOSTILE: {HOSTILE: 1}}, True),
        ev.HubConnected(HOSTILE, None, **(CONNECTED | {"model_id": HOSTILE, "raw_user_name": HOSTILE})),
        ev.HubConnected("d", None, **(CONNECTED | {"return_code": 5}), reason=HOSTILE),
        ev.ProtocolViolation("d", None, "rule", HOSTILE, True),
        ev.MethodAnswered("d", None, "1", HOSTILE, 200, HOSTILE.encode("utf-8", "replace")),
        ev.RegistrationRequested(HOSTILE, "1", HOSTILE.encode("utf-8", "replace")),
        ev.FileUploadStarted("d", HOSTILE, "c", 1),
        ev.ModelRejected(HOSTILE, "invalid", (HOSTILE,)),  # of no kind that is watched: in the words for anything
    ],
    ids=lambda event: event.kind,
)
@pytest.mark.parametrize("terminal", [True, False])
def test_nothing_hostile_reaches_the_screen(event: ev.Event, terminal: bool) -> None:
    text = screen([event], terminal=terminal, show_properties=True)
    assert all(c.isprintable() or c == "\n" for c in text)
    console = Screen(file=io.StringIO())
    JsonLines(console, show_properties=True)(Seen(0.0, Entry(1, 0.0, event)))
    assert isinstance(console.file, io.StringIO)
    line = console.file.getvalue()
    assert line.isascii()
    assert line[:-1].isprintable()
    assert json.loads(line)["n"] == 1


def test_markup_is_text() -> None:
    assert "[bold red]hi[/bold red]" in screen([telemetry(b"[bold red]hi[/bold red]")], width=300)
    assert ":smile:" in screen([telemetry(b'":smile:"')])


def test_megabytes_are_cut_for_a_person_and_whole_for_a_program() -> None:
    event = telemetry(json.dumps({"big": "x" * 3_000_000}).encode())
    assert len(screen([event])) < 1_500
    assert "3,000,011 bytes in all; --json has them" in screen([event], terminal=False)
    assert len(document(Seen(0, Entry(1, 0, event)))["payload"]["big"]) == 3_000_000


@given(st.binary(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_shown(raw: bytes) -> None:
    assert shown(raw).isprintable()
    json.dumps(read(raw).document())


@given(st.text(max_size=50))
def test_harmless_is_idempotent(text: str) -> None:
    assert harmless(harmless(text)) == harmless(text)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"a": 1.50}', {"payload": {"a": 1.5}}),
        (b"null", {"payload": None}),
        (b"", {"payload": None, "payloadProblem": "empty"}),
        (b"hello", {"payloadText": "hello"}),
        (b'{"a": NaN}', {"payloadText": '{"a": NaN}'}),
        (b'{"a": 1, "a": 2}', {"payloadText": '{"a": 1, "a": 2}'}),
        (b"\xff\x00", {"payloadHex": "ff00"}),
    ],
)
def test_a_payload_for_a_program(raw: bytes, expected: dict[str, Any]) -> None:
    found = read(raw).document()
    assert expected.items() <= found.items()
    assert ("payloadProblem" in found) == ("payload" not in expected or raw == b"")


def test_a_line_of_json() -> None:
    event = telemetry(b'{"t": 1}', "left", content_type="application/json", properties={"a": "b"})
    found = document(Seen(1_700_000_000.5, Entry(7, 1.5, event)))
    assert found["time"] == "2023-11-14T22:13:20.500Z"
    assert (found["n"], found["kind"], found["event"]) == (7, "telemetry", "telemetry_received")
    assert (found["device"], found["module"], found["component"]) == ("dev-1", None, "left")
    assert "properties" not in found
    with_properties = document(Seen(0, Entry(1, 0, event)), show_properties=True)
    assert with_properties["properties"] == {"system": {}, "application": {"a": "b"}}


# --- kinds and filters --------------------------------------------------------------------------------

NEVER_WATCHED = {"run", "model", "device", "service"}
"""Rooms of events that the harness makes, not the emulator."""


def test_whatever_the_emulator_records_has_a_kind() -> None:
    watched = {cls for classes in KINDS.values() for cls in classes}
    recorded = {cls for cls in ev.KINDS.values() if cls.__module__.rpartition(".")[2] not in NEVER_WATCHED}
    assert recorded - watched <= {ev.DeviceEnrolled}


def test_the_command_names_the_kinds() -> None:
    assert set(CLI_KINDS) == set(KINDS)


def test_whose_an_event_is() -> None:
    assert identity_of(ev.FaultPlayed("dev-1/mod-1", "connect", "cut", 1)) == ("dev-1", "mod-1")
    assert identity_of(ev.HandshakeFailed("127.0.0.1:5", "x")) == ("", None)
    assert identity_of(ev.RegistrationPolled("reg-1", "1", "op")) == ("reg-1", None)
    assert kind_of(ev.RunEnded("passed")) == "other"


PATCH = ev.ReportedPatched("dev-1", None, "1", b'{"left": {"__t": "c", "x": 1}, "serial": "a"}', 204)


@pytest.mark.parametrize(
    ("choice", "event", "wanted"),
    [
        (Choice(), telemetry(), True),
        (Choice("dev-1"), telemetry(), True),
        (Choice("dev-*"), telemetry(), True),
        (Choice("dev-?"), telemetry(), True),
        (Choice("dev-"), telemetry(), False),
        (Choice("Dev-1"), telemetry(), False),
        (Choice("dev.1"), telemetry(), False),
        (Choice(module="m"), telemetry(), False),
        (Choice(module="m"), ev.TelemetryReceived("d", "m", None, b""), True),
        (Choice(component="left"), telemetry(component="left"), True),
        (Choice(component="left"), telemetry(), False),
        (Choice(component=""), telemetry(), True),
        (Choice(component="left"), PATCH, True),
        (Choice(component=""), PATCH, True),
        (Choice(component="right"), PATCH, False),
        (Choice(component="left"), ev.DesiredChanged("d", None, 2, {"left": {"x": 1}}, True), True),
        (Choice(component="left"), ev.MethodRequested("d", None, "1", "left*go", b""), True),
        (Choice(component="left"), ev.MethodRequested("d", None, "1", "go", b""), False),
        (Choice(component="left"), ev.HubDisconnected("d", None, "device", ""), False),
        (Choice(interface="dtmi:x:y;1"), telemetry(model_id="dtmi:x:y;1"), True),
        (Choice(interface="dtmi:x:y;1"), telemetry(model_id="dtmi:x:y;2"), False),
        (Choice(interface="dtmi:x:y;1"), PATCH, False),
        (Choice(kinds=frozenset({"telemetry"})), telemetry(), True),
        (Choice(kinds=frozenset({"reported"})), telemetry(), False),
    ],
)
def test_filters(choice: Choice, event: ev.Event, wanted: bool) -> None:
    assert choice.wants(event) is wanted


def test_the_model_of_what_follows_a_connection() -> None:
    choice = Choice(interface="dtmi:x:y;1", kinds=frozenset({"reported"}))
    assert not choice.wants(ev.HubConnected("dev-1", None, **CONNECTED))
    assert choice.wants(PATCH)
    other = Choice(interface="dtmi:x:y;1")
    other.learn([Known("dev-1", model_id="dtmi:x:y;1")])
    assert other.wants(PATCH)


def test_components_of_a_patch_that_is_none() -> None:
    assert components_of(ev.ReportedPatched("d", None, "1", b"[1]", 400)) == frozenset()

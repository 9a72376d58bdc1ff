"""What goes into a journal comes out again, whatever a device sends."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.record import events as ev
from harness.record.events import Entry
from harness.record.journal import encode
from harness.record.reading import decode, read

payloads = st.binary(max_size=60) | st.text(max_size=60).map(lambda t: t.encode("utf-8"))


@settings(deadline=None)
@given(
    payloads, st.none() | st.text(max_size=20), st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3)
)
def test_telemetry_survives_the_journal(payload: bytes, component: str | None, properties: dict[str, str]) -> None:
    event = ev.TelemetryReceived("dev", None, component, payload, properties=properties)
    line = encode(Entry(3, 1.25, event))
    assert "\n" not in line
    assert decode(line) == Entry(3, 1.25, event)


def test_every_kind_of_event_survives() -> None:
    for cls in ev.KINDS.values():
        values = {f.name: _example(str(f.type)) for f in dataclasses.fields(cls)}  # type: ignore[arg-type]
        entry = Entry(1, 0.5, cls(**values))
        assert decode(encode(entry)) == entry


def _example(kind: str) -> object:
    examples = {
        "bytes": b"\xff\x00",
        "int": 7,
        "float": 1.5,
        "bool": True,
        "tuple[str, ...]": ("a", "b"),
        "tuple[tuple[str, int, int], ...]": (("t/#", 1, 1),),
    }
    if kind.startswith("Mapping"):
        return {"k": "v"}
    if kind.startswith("tuple[Mapping"):
        return ({"k": "v"},)
    return examples.get(kind, "text" if "str" in kind else 7 if "int" in kind else None)


def test_a_journal_cut_off_in_the_middle_is_read_up_to_there(tmp_path: Path) -> None:
    lines = [encode(Entry(n, n / 10, ev.RunEnded("passed"))) for n in (1, 2, 3)]
    path = tmp_path / "journal.jsonl"
    path.write_text("\n".join(lines)[:-9], encoding="utf-8")
    journal = read(path)
    assert [e.n for e in journal.entries] == [1, 2]
    assert journal.faults[0].startswith("line 3: not JSON")
    assert "cut off" in journal.faults[0]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("[]", "not a journal line"),
        ('{"n": 1, "t": 0, "kind": "invented"}', "newer version"),
        ('{"n": 1, "t": 0, "kind": "run_started"}', "incomplete"),
    ],
)
def test_a_line_that_is_no_entry_is_named(line: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        decode(line)


def test_bytes_that_are_text_are_readable_in_the_journal() -> None:
    row = json.loads(encode(Entry(1, 0.0, ev.TelemetryReceived("d", None, None, b'{"t": 1}'))))
    assert row["payload"] == {"text": '{"t": 1}'}

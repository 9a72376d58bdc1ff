"""A journal that is damaged, of a newer version, or none at all: what can be read is read, the rest is said."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.record import events as ev
from harness.record.events import KINDS, Entry
from harness.record.journal import encode
from harness.record.reading import decode, is_journal, read
from harness.record.redact import Redactor

LINES = [encode(Entry(n, n / 10, ev.TelemetryReceived("d", None, None, b"{}"))) for n in range(1, 7)]


def written(folder: Path, *lines: str | bytes) -> Path:
    path = folder / "journal.jsonl"
    raw = [line if isinstance(line, bytes) else line.encode("utf-8") for line in lines]
    path.write_bytes(b"".join(line + b"\n" for line in raw))
    return path


def row(**changed: Any) -> str:
    return json.dumps({**json.loads(LINES[1]), **changed})


def test_lines_of_garbage_between_entries_lose_nothing(tmp_path: Path) -> None:
    garbage = [b"\x00\xff\xfe" * 50, b"x" * 1_000_000, b"[" * 100_000, b'{"n": 1}', b"", b'{"n": ' + b"9" * 5000 + b"}"]
    path = written(tmp_path, LINES[0], *garbage, *LINES[1:])
    journal = read(path)
    assert [e.n for e in journal.entries] == [1, 2, 3, 4, 5, 6]
    assert "line 2: not text in UTF-8" in journal.faults
    assert "line 3: not JSON: Expecting value" in journal.faults
    assert all("\x00" not in fault and len(fault) < 200 for fault in journal.faults)


def test_entries_keep_their_numbers_where_some_are_lost(tmp_path: Path) -> None:
    journal = read(written(tmp_path, LINES[0], "damaged", "damaged", LINES[3], LINES[5]))
    assert [e.n for e in journal.entries] == [1, 2, 3, 4, 5, 6]
    assert [e.event.kind for e in journal.entries if isinstance(e.event, ev.EntryLost)] == ["entry_lost"] * 3
    assert journal.faults == (
        "lines 2, 3: not JSON: Expecting value",
        "3 entries are missing: what they would have shown was not judged",
    )


def test_a_beginning_that_is_lost_is_a_gap_too(tmp_path: Path) -> None:
    journal = read(written(tmp_path, *LINES[3:]))
    assert [e.n for e in journal.entries] == [1, 2, 3, 4, 5, 6]


def test_a_newer_version_is_read_as_far_as_it_is_known(tmp_path: Path) -> None:
    first = json.dumps({**json.loads(LINES[0]), "journal": 7, "invented": [1]})
    path = written(tmp_path, first, *[row(n=n, kind="teleported") for n in range(2, 9)], row(n=9, more={"a": 1}))
    journal = read(path)
    assert [e.n for e in journal.entries if not isinstance(e.event, ev.EntryLost)] == [1, 9]
    assert journal.faults[0] == (
        "lines 2, 3, 4 and 4 more: unknown kind of event 'teleported': the journal is of a newer version "
        "(update the pre-flight)"
    )


def test_what_is_nested_too_deeply_is_damage_and_brackets_in_a_text_are_not(tmp_path: Path) -> None:
    start = '{"n": 1, "t": 0.1, "kind": "desired_changed", "device_id": "d", "module_id": null, "patch": '
    deep = start + '{"a":' * 600 + "1" + "}" * 601
    text = json.dumps(
        {**json.loads(LINES[0]), "n": 2, "kind": "harness_failed", "where": "x", "message": '"' + "[{" * 500}
    )
    journal = read(written(tmp_path, deep, text), Redactor())
    assert [e.event.kind for e in journal.entries] == ["entry_lost", "harness_failed"]
    assert "deeper than 100 levels" in journal.faults[0]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"n": "2"}, "n or t is no number"),
        ({"n": True}, "n or t is no number"),
        ({"n": 0}, "n or t is no number"),
        ({"t": float("nan")}, "n or t is no number"),
        ({"kind": ["x"]}, "kind no text"),
        ({"payload": 5}, "payload is not what it should be"),
        ({"payload": {"base64": "*"}}, "payload is not what it should be"),
        ({"device_id": None}, "device_id is not what it should be"),
        ({"properties": {"a": 5}}, "properties is not what it should be"),
        ({"qos": "1"}, "qos is not what it should be"),
        ({"n": 10**9}, "far from its neighbours"),
        ({"n": 1}, "was there already"),
    ],
)
def test_a_value_of_another_type_is_no_entry(tmp_path: Path, changed: dict[str, Any], says: str) -> None:
    journal = read(written(tmp_path, LINES[0], row(**changed), *LINES[2:]))
    assert [e.n for e in journal.entries] == [1, 2, 3, 4, 5, 6]
    assert isinstance(journal.entries[1].event, ev.EntryLost)
    assert says in journal.faults[0]


def test_much_damage_of_many_kinds_is_told_in_few_lines(tmp_path: Path) -> None:
    path = written(tmp_path, LINES[0], *[row(kind=f"kind{n}") for n in range(500)])
    assert len(read(path).faults) <= 22


def test_what_is_no_journal_is_known_by_its_beginning(tmp_path: Path) -> None:
    assert is_journal(written(tmp_path, "damaged", *LINES))
    assert not is_journal(written(tmp_path, b"\x89PNG", "[1, 2]", "hello"))
    assert not is_journal(written(tmp_path))


@settings(deadline=None)
@given(
    st.sampled_from(sorted(KINDS)),
    st.dictionaries(st.text(max_size=6), st.integers() | st.text() | st.none()),
    st.data(),
)
def test_no_line_is_read_into_an_event_of_other_types(kind: str, more: dict[str, Any], data: st.DataObject) -> None:
    names = sorted({"n", "t", "kind", *(f for f in KINDS[kind].__dataclass_fields__)})  # type: ignore[attr-defined]
    values = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=2)
    line = {name: data.draw(values) for name in names} | {"n": 1, "t": 0, "kind": kind} | more
    with contextlib.suppress(ValueError):
        entry = decode(json.dumps(line))
        assert decode(encode(entry)) == entry

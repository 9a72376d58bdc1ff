"""What a report folder saves when its disk, its place or its owner let it down."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.record.redact import Redactor
from harness.record.writer import ReportFolder

posix = pytest.mark.skipif(os.name != "posix", reason="POSIX file systems")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ReportFolder:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return ReportFolder(tmp_path / "reports", Redactor())


@pytest.fixture
def small_disk() -> Iterator[Callable[[int], None]]:
    """Lets no file grow beyond so many bytes, as a full disk does."""
    resource = pytest.importorskip("resource", reason="POSIX limits")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(size: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))

    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_the_reports_of_an_earlier_run_are_gone_with_their_unfinished_parts(folder: ReportFolder) -> None:
    folder.path.mkdir()
    for name in ("old.txt", ".old.txt.part", "mine.txt"):
        (folder.path / name).touch()
    folder.prepare(("old.txt",))
    assert [p.name for p in folder.path.iterdir()] == ["mine.txt"]


def test_where_the_folder_cannot_be_the_reports_go_elsewhere_and_that_is_said(folder: ReportFolder) -> None:
    folder.path.write_text("in the way", encoding="utf-8")
    asked = folder.path
    folder.prepare(())
    folder.write("result.json", "{}")
    folder.lines("journal.jsonl")("x")
    assert (folder.path / "result.json").read_text(encoding="utf-8") == "{}"
    assert len(folder.faults) == 1
    assert str(asked) in folder.faults[0]
    assert str(folder.path) in folder.faults[0]
    assert "--reports DIR" in folder.faults[0]


def test_where_no_place_is_left_there_is_one_sentence_a_cause(
    folder: ReportFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.path.write_text("in the way", encoding="utf-8")
    monkeypatch.setattr(tempfile, "tempdir", str(folder.path))
    folder.prepare(())
    folder.write("result.json", "{}")
    folder.lines("journal.jsonl")("x")
    assert len(folder.faults) == 2
    assert folder.faults[1].startswith("result.json and journal.jsonl could not be written to ")


@posix
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_keeps_the_run_alive(folder: ReportFolder) -> None:
    folder.prepare(())
    (folder.path / "journal.jsonl").symlink_to("/dev/full")
    line = folder.lines("journal.jsonl")
    line("one")
    line("two")
    line.close()
    assert len(folder.faults) == 1
    assert "No space left" in folder.faults[0]


@posix
def test_a_disk_that_fills_up_leaves_whole_lines_and_no_half_report(
    folder: ReportFolder, small_disk: Callable[[int], None]
) -> None:
    folder.prepare(())
    line = folder.lines("journal.jsonl")
    small_disk(25)
    for _ in range(4):
        line("0123456789")
    folder.write("report.html", "x" * 30)
    folder.write("small.json", "{}")
    line.close()
    assert (folder.path / "journal.jsonl").read_text(encoding="utf-8") == "0123456789\n" * 2
    assert sorted(p.name for p in folder.path.iterdir()) == ["journal.jsonl", "small.json"]
    assert len(folder.faults) == 1
    assert folder.faults[0].startswith("the end of journal.jsonl and report.html could not be written to ")


@posix
def test_what_was_held_back_is_written_when_the_disk_has_room_again(
    folder: ReportFolder, small_disk: Callable[[int], None]
) -> None:
    folder.prepare(())
    line = folder.lines("journal.jsonl")
    small_disk(15)
    line("0123456789")
    line("9876543210")
    line("abc")
    assert folder.faults
    small_disk(10_000)
    line.close()
    assert (folder.path / "journal.jsonl").read_text(encoding="utf-8") == "0123456789\n9876543210\nabc\n"
    assert folder.faults == []


@posix
def test_a_folder_that_vanished_is_made_anew_with_what_was_in_it(folder: ReportFolder) -> None:
    folder.prepare(())
    line = folder.lines("journal.jsonl")
    line("one")
    shutil.rmtree(folder.path)
    line("two")
    line.close()
    assert (folder.path / "journal.jsonl").read_text(encoding="utf-8") == "one\ntwo\n"
    assert folder.faults == []


@posix
def test_a_folder_that_another_run_has_taken_is_left_to_it(folder: ReportFolder) -> None:
    folder.prepare(())
    line = folder.lines("journal.jsonl")
    line("one")
    other = ReportFolder(folder.path, Redactor())
    other.prepare(("journal.jsonl",))
    others = other.lines("journal.jsonl")
    others("another")
    line.close()
    others("and more")
    others.close()
    assert (folder.path / "journal.jsonl").read_text(encoding="utf-8") == "another\nand more\n"
    assert "journal.jsonl could not be written" in folder.faults[0]
    assert "another run" in folder.faults[0]
    assert other.faults == []


def test_a_report_is_whole_or_not_there(folder: ReportFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.prepare(())
    folder.write("result.json", "{}")

    def fails(*_: object, **__: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "replace", fails)
    folder.write("result.json", '{"half": ')
    monkeypatch.undo()
    assert [p.name for p in folder.path.iterdir()] == ["result.json"]
    assert (folder.path / "result.json").read_text(encoding="utf-8") == "{}"
    assert "Input/output error" in folder.faults[0]


def test_a_page_of_somebody_elses_that_cannot_be_added_to_is_named(folder: ReportFolder, tmp_path: Path) -> None:
    folder.append(tmp_path / "nowhere" / "step.md", "x")
    assert folder.faults == [f"step.md could not be written to {tmp_path / 'nowhere'}: No such file or directory."]

"""The only writer of files in the report folder: it redacts, and it loses nothing it can still save."""

from __future__ import annotations

import threading
from io import RawIOBase
from pathlib import Path

from harness.record.redact import Redactor


class ReportFolder:
    """A folder of reports. `faults` collects, as sentences, what could not be written.

    A full disk or a folder that vanished must not end a run whose evidence is still in memory, so a
    failed write is remembered and told at the end instead of raised.
    """

    def __init__(self, path: Path, redactor: Redactor) -> None:
        self.path = path
        self.redactor = redactor
        self.faults: list[str] = []

    def prepare(self, stale: tuple[str, ...]) -> None:
        """Make the folder and remove the reports of an earlier run, so that none is mistaken for this one's."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            for name in stale:
                (self.path / name).unlink(missing_ok=True)
        except OSError as e:
            self._fault("the report folder", e)

    def write(self, name: str, text: str) -> None:
        """Write a whole report at once; a reader never sees half of one."""
        target, part = self.path / name, self.path / f".{name}.part"
        try:
            part.write_text(self.redactor.clean(text), encoding="utf-8", newline="\n")
            part.replace(target)
        except OSError as e:
            self._fault(name, e)

    def append(self, target: Path, text: str) -> None:
        """Add to a file of somebody else's, as a CI system's page."""
        try:
            with target.open("a", encoding="utf-8", newline="\n") as file:
                file.write(self.redactor.clean(text))
        except OSError as e:
            self._fault(target.name, e)

    def lines(self, name: str) -> LineWriter:
        """A file that grows line by line, each flushed at once."""
        return LineWriter(self, name)

    def _fault(self, name: str, error: OSError) -> None:
        sentence = (
            f"{name} could not be written to {self.path}: {error.strerror or error}. "
            "Free or name another folder with --reports DIR."
        )
        if sentence not in self.faults:
            self.faults.append(sentence)


class LineWriter:
    """Appends redacted lines, flushed one by one; safe to call from several threads."""

    def __init__(self, folder: ReportFolder, name: str) -> None:
        self._folder = folder
        self._name = name
        self._lock = threading.Lock()
        self._file: RawIOBase | None = None
        try:
            self._file = (folder.path / name).open("wb", buffering=0)
        except OSError as e:
            folder._fault(name, e)

    def __call__(self, line: str) -> None:
        with self._lock:
            if self._file is None:
                return
            try:
                data = f"{self._folder.redactor.clean(line)}\n".encode(errors="replace")
                while data:  # a disk that fills up takes a part
                    data = data[self._file.write(data) :]
            except (OSError, ValueError) as e:
                self._folder._fault(self._name, e if isinstance(e, OSError) else OSError(str(e)))
                self._file = None

    def close(self) -> None:
        """Close the file; later lines are dropped."""
        with self._lock:
            if self._file is not None:
                try:
                    self._file.close()
                except OSError as e:
                    self._folder._fault(self._name, e)
                self._file = None

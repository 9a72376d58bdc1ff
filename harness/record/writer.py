"""The only writer of files in the report folder: it redacts, and it loses nothing it can still save."""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
from collections.abc import Callable
from io import FileIO
from pathlib import Path

from harness.record.redact import LogCleaner, Redactor

_HELD = 16 * 2**20
"""Bytes of lines kept in memory when they cannot be written, for a last try."""


class ReportFolder:
    """A folder of reports. `faults` collects, as sentences, what could not be written.

    A full disk or a folder that vanished must not end a run whose evidence is still in memory, so a
    failed write is remembered and told at the end instead of raised. Where the folder cannot be written at all, `path`
    becomes one of the system's for temporary files.
    """

    def __init__(self, path: Path, redactor: Redactor) -> None:
        self.path = path
        self.redactor = redactor
        self.faults: list[str] = []
        self._missing: dict[str, list[str]] = {}

    def prepare(self, stale: tuple[str, ...]) -> None:
        """Make the folder and remove the reports of an earlier run, so that none is mistaken for this one's."""
        try:
            self._make(stale)
        except OSError as e:
            self._elsewhere(e)

    def write(self, name: str, text: str) -> None:
        """Write a whole report at once; a reader never sees half of one."""
        target, part = self.path / name, self.path / _part(name)
        try:
            part.write_text(self.redactor.clean_rendered(text), encoding="utf-8", errors="replace", newline="\n")
            part.replace(target)
        except OSError as e:
            with contextlib.suppress(OSError):
                part.unlink()
            self.missing(name, e)

    def append(self, target: Path, text: str) -> None:
        """Add to a file of somebody else's, as a CI system's page."""
        try:
            with target.open("a", encoding="utf-8", errors="replace", newline="\n") as file:
                file.write(self.redactor.clean_rendered(text))
        except OSError as e:
            self.faults.append(f"{target.name} could not be written to {target.parent}: {e.strerror or e}.")

    def lines(self, name: str, *, rendered: bool = True) -> LineWriter:
        """A file that grows line by line, each flushed at once. `rendered` lines are JSON, others a log's."""
        return LineWriter(self, name, rendered)

    def missing(self, name: str, error: OSError) -> None:
        """Remember that a file could not be written, or not to its end: one sentence for each cause."""
        cause = error.strerror or str(error)
        before = self._sentence(cause)
        names = self._missing.setdefault(cause, [])
        if name not in names:
            names.append(name)
        if before in self.faults:
            self.faults[self.faults.index(before)] = self._sentence(cause)
        else:
            self.faults.append(self._sentence(cause))

    @property
    def unwritten(self) -> tuple[str, ...]:
        """What could not be written, by name."""
        return tuple(name for names in self._missing.values() for name in names)

    def saved(self, name: str) -> None:
        """Take back that a file could not be written."""
        for cause, names in self._missing.items():
            if name in names:
                before = self._sentence(cause)
                names.remove(name)
                position = self.faults.index(before)
                self.faults[position : position + 1] = [self._sentence(cause)] if names else []

    def _sentence(self, cause: str) -> str:
        names = self._missing.get(cause, [])
        listed = " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
        return f"{listed} could not be written to {self.path}: {cause}. Free or name another folder with --reports DIR."

    def _make(self, stale: tuple[str, ...]) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        for name in stale:
            (self.path / name).unlink(missing_ok=True)
            (self.path / _part(name)).unlink(missing_ok=True)
        probe = self.path / ".writable"
        probe.touch()
        probe.unlink()

    def _elsewhere(self, error: OSError) -> None:
        refused = f"{self.path} cannot be written: {error.strerror or error}."
        try:
            self.path = Path(tempfile.mkdtemp(prefix="preflight-reports-"))
        except OSError:
            self.faults.append(f"{refused} Name another folder with --reports DIR.")
            return
        self.faults.append(f"{refused} The reports are in {self.path}; name another folder with --reports DIR.")


class LineWriter:
    """Appends redacted lines, flushed one by one; safe to call from several threads.

    What could not be written is kept, as far as memory serves, and tried once more when the file is closed.
    """

    def __init__(self, folder: ReportFolder, name: str, rendered: bool) -> None:
        self._folder = folder
        self._path = folder.path / name
        redactor = folder.redactor
        self._clean: Callable[[str], str] = redactor.clean_rendered if rendered else LogCleaner(redactor.clean)
        self._lock = threading.Lock()
        self._file: FileIO | None = None
        self._whole = 0
        """Bytes of the lines that were written to their end."""
        self._failed: OSError | None = None
        self._held: list[bytes] = []
        self._holding = 0
        self._dropped = False
        self._closed = False
        try:
            self._file = FileIO(str(self._path), "w+")
        except OSError as e:
            self._failed = e
            folder.missing(name, e)

    def __call__(self, line: str) -> None:
        with self._lock:
            if self._closed:
                return
            data = f"{self._clean(line)}\n".encode(errors="replace")
            if self._failed is None:
                self._try(data)
            else:
                self._hold(data)

    def close(self) -> None:
        """Try once more what could not be written, and close the file; later lines are dropped."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            with contextlib.suppress(OSError):
                if self._file is not None and self._failed is None and not self._in_place():
                    self._restore()
            if self._failed is not None:
                self._try_again()
            if self._file is not None:
                with contextlib.suppress(OSError):
                    self._file.close()
            self._file = None

    def _try(self, data: bytes) -> None:
        assert self._file is not None
        try:
            _write(self._file, data)
            self._whole += len(data)
        except (OSError, ValueError) as e:
            self._failed = e if isinstance(e, OSError) else OSError(str(e))
            self._folder.missing(self._missing, self._failed)
            with contextlib.suppress(OSError, ValueError):
                self._file.truncate(self._whole)  # a line that broke off would be read as damage
                self._file.seek(self._whole)
            self._hold(data)

    @property
    def _missing(self) -> str:
        return f"the end of {self._path.name}" if self._whole else self._path.name

    def _hold(self, data: bytes) -> None:
        if self._holding + len(data) > _HELD or self._dropped:
            self._dropped = True
            return
        self._holding += len(data)
        self._held.append(data)

    def _try_again(self) -> None:
        """The folder's owner may have freed it since."""
        missing = self._missing
        try:
            if self._file is None:
                self._file = FileIO(str(self._path), "w+")
            for data in self._held:
                _write(self._file, data)
                self._whole += len(data)
        except (OSError, ValueError):
            if self._file is not None:
                with contextlib.suppress(OSError, ValueError):
                    self._file.truncate(self._whole)
            return
        if not self._dropped:
            self._folder.saved(missing)

    def _in_place(self) -> bool:
        """Whether the file is still where it was made: its folder may have been removed meanwhile."""
        assert self._file is not None
        try:
            there = self._path.stat()
        except OSError:
            return False
        here = os.fstat(self._file.fileno())
        return (there.st_dev, there.st_ino) == (here.st_dev, here.st_ino) or not _regular(here)

    def _restore(self) -> None:
        """Write the file anew from what the system still holds of it."""
        assert self._file is not None
        try:
            self._file.seek(0)
            content = self._file.readall()
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with FileIO(str(self._path), "x") as file:
                _write(file, content)
        except FileExistsError:
            self._folder.missing(self._path.name, OSError("another run has begun to write there"))
        except OSError as e:
            self._folder.missing(self._path.name, e)


def _part(name: str) -> str:
    return f".{name}.part"


def _regular(stat: os.stat_result) -> bool:
    return (stat.st_mode & 0o170000) == 0o100000


def _write(file: FileIO, data: bytes) -> None:
    while data:  # a disk that fills up takes a part
        data = data[file.write(data) :]

"""What the harness makes in Azure, noted before it is made, so that no interrupted run leaves anything unseen.

The file holds names and no secrets, and is its owner's alone. Runs that share a folder share it. What is noted
carries the mark that was put on the thing itself: nothing without that mark is ever removed.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import psutil

ENROLLMENT, GROUP, REGISTRATION, DEVICE = "enrollment", "enrollment group", "registration record", "device"
"""What can be made. A registration record and a device are made by DPS when the device registers."""

MARK = "preflight"
"""The tag that carries the mark: of an enrollment's initial twin, and so of the device that comes by it."""

_CLOSE_SECONDS = 1.0
"""Two processes with one number and starts this near are one: what the system says of a start is rounded."""


class LedgerError(Exception):
    """The file cannot be read or written. The text says why."""


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def _began() -> float:
    return float(psutil.Process().create_time())


def new_mark() -> str:
    """A mark for one run."""
    return secrets.token_hex(8)


@dataclass(frozen=True, slots=True)
class Made:
    """One thing in Azure: what it is, its id, the service's host, its mark, when, and by which process.

    `through` is the enrollment that it came by. What is `kept` was meant to stay.
    """

    kind: str
    id: str
    host: str
    mark: str
    through: str = ""
    kept: bool = False
    made: str = field(default_factory=_now)
    pid: int = field(default_factory=os.getpid)
    began: float = field(default_factory=_began)

    @property
    def in_use(self) -> bool:
        """Whether the run that made it goes on."""
        try:
            alive = float(psutil.Process(self.pid).create_time())
        except psutil.Error:
            return False
        return abs(alive - self.began) < _CLOSE_SECONDS

    def __str__(self) -> str:
        return f"{self.kind} {self.id} at {self.host}"


class Ledger:
    """The file `azure.json` in the state folder. All methods raise LedgerError."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "azure.json"

    def entries(self) -> list[Made]:
        """What is noted, the oldest first."""
        with self._locked():
            return self._read()

    def note(self, *made: Made) -> None:
        """Note what is about to be made."""
        with self._locked():
            self._write([*self._read(), *made])

    def forget(self, made: Made) -> None:
        """It is there no more."""
        with self._locked():
            self._write([one for one in self._read() if one != made])

    def keep(self, made: Made) -> None:
        """It is meant to stay."""
        with self._locked():
            changed = Made(**{**asdict(made), "kept": True})
            self._write([changed if one == made else one for one in self._read()])

    def _read(self) -> list[Made]:
        try:
            document = json.loads(self.path.read_text(encoding="utf-8"))
            rows = document["made"]
            names = {f.name for f in fields(Made)}
            return [Made(**{k: v for k, v in row.items() if k in names}) for row in rows]
        except FileNotFoundError:
            return []
        except OSError as e:
            raise LedgerError(f"{self.path} cannot be read: {e.strerror or e}.") from None
        except (ValueError, TypeError, KeyError, AttributeError):
            raise LedgerError(
                f"{self.path} is damaged: it is the list of what the pre-flight made in Azure. Look there yourself for "
                f"enrollments and devices with the tag `{MARK}`, remove them, and then this file."
            ) from None

    def _write(self, made: list[Made]) -> None:
        rows: list[dict[str, Any]] = [asdict(one) for one in made]
        part = self.path.with_suffix(".part")
        try:
            if not rows:
                self.path.unlink(missing_ok=True)
                return
            part.unlink(missing_ok=True)
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                json.dump({"made": rows}, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.path)
        except OSError as e:
            raise LedgerError(
                f"{self.path} cannot be written: {e.strerror or e}. Nothing is made in Azure without being noted "
                "there; name another folder with --state DIR."
            ) from None

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time; the lock goes with the process that holds it."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as e:
            raise LedgerError(f"{self.path.parent} cannot be written to: {e.strerror or e}.") from None
        try:
            _lock(descriptor)
            yield
        finally:
            os.close(descriptor)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        deadline = time.monotonic() + 30
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
                return
            except OSError:  # after ten tries of a second each
                if time.monotonic() > deadline:
                    raise LedgerError("Another process holds the list of what was made in Azure.") from None

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)

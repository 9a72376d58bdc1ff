"""Where a standalone emulator says that it runs, so that commands beside it need no address.

Each running one has a file in `running/` of its state folder, without any secret, and takes it away at its end. One
that a crash left behind is told by its process, which is gone.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

FOLDER = "running"
_CLOSE_SECONDS = 1.0
"""Two processes with one number and starts this near are one: what the system says of a start is rounded."""


@dataclass(frozen=True, slots=True)
class Announced:
    """A running emulator: the URL of its control endpoint, the hub's host, its process and when that began."""

    control: str
    hub_host: str
    pid: int
    began: float


@contextlib.contextmanager
def announced(state_dir: Path, ready: Mapping[str, Any]) -> Iterator[None]:
    """Announce the emulator of this process as long as the context lasts. `ready` is what `managing.endpoints` gives.

    A folder that cannot be written to costs the announcement and nothing else.
    """
    control = ready.get("control")
    if not control:
        yield
        return
    this = Announced(str(control), str(ready.get("hubHost", "")), os.getpid(), psutil.Process().create_time())
    file = state_dir / FOLDER / f"{this.pid}-{secrets.token_hex(4)}.json"
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".part")
        draft.write_text(json.dumps(asdict(this)), encoding="utf-8")
        draft.replace(file)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            file.unlink(missing_ok=True)


def running(state_dir: Path) -> list[Announced]:
    """Return the emulators that run with this state folder, the oldest first."""
    found: list[Announced] = []
    for file in sorted((state_dir / FOLDER).glob("*.json")):
        try:
            fields = json.loads(file.read_text(encoding="utf-8"))
            one = Announced(str(fields["control"]), str(fields["hub_host"]), int(fields["pid"]), float(fields["began"]))
            process = psutil.Process(one.pid)
            alive = abs(process.create_time() - one.began) < _CLOSE_SECONDS
        except (OSError, ValueError, KeyError, TypeError, psutil.Error):
            continue
        if alive:
            found.append(one)
    return sorted(found, key=lambda one: one.began)

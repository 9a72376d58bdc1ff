"""What goes into a bundle: the reports, and what a reviewer needs beside them, all from the report folder."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.bundle.cover import cover
from harness.bundle.errors import BundleError
from harness.record import events as ev
from harness.record.reading import Journal, read

REPORTS = ("report.html", "result.json", "junit.xml", "aics.json", "journal.jsonl", "device.log")
_NEEDED = ("result.json", "journal.jsonl")


def gather(folder: Path) -> tuple[dict[str, bytes], dict[str, Any]]:
    """The members by name, and what the manifest says the bundle is about. Raises BundleError."""
    reports = {name: content for name in REPORTS if (content := _content(folder / name)) is not None}
    missing = [name for name in _NEEDED if name not in reports]
    if missing:
        raise BundleError(f"There is no {' and no '.join(missing)} in {folder}: run the pre-flight first (`pytest`).")
    try:
        result: dict[str, Any] = json.loads(reports["result.json"])
        verdict = result["verdict"]
    except (ValueError, KeyError, TypeError):
        raise BundleError(f"{folder / 'result.json'} cannot be read: run the pre-flight again.") from None
    journal = read(folder / "journal.jsonl")
    started = next((e.event for e in journal.entries if isinstance(e.event, ev.RunStarted)), None)
    about = {
        "verdict": verdict,
        "device_id": result.get("device_id"),
        "model_id": result.get("model_id"),
        "target": result.get("target"),
        "run_started": started.started if started else None,
    }
    members = {"cover.html": b""}  # it stands first, and is written last, for it lists the others
    members |= {f"reports/{name}": content for name, content in reports.items()}
    members |= {f"model/{name}": content for name, content in _models(journal).items()}
    if started:
        members["settings.json"] = _json(started.settings)
        members["environment.json"] = _json(started.versions)
    members["cover.html"] = cover(result, about, list(members)).encode()
    return members, about


def _models(journal: Journal) -> Mapping[str, bytes]:
    """The interfaces as they were resolved, by a file name made of their DTMI, and where each was found."""
    resolved = next((e.event for e in reversed(journal.entries) if isinstance(e.event, ev.ModelResolved)), None)
    if resolved is None:
        return {}
    files = {_file_name(dtmi): _json(document) for dtmi, document in resolved.documents.items()}
    return {**files, "sources.json": _json(resolved.sources or {resolved.model_id: resolved.location})}


def _file_name(dtmi: str) -> str:
    """As a model repository writes it, without folders: `dtmi:a:B;1` is `dtmi_a_B-1.json`."""
    safe = "".join(c if c.isalnum() or c in "_-" else "_" for c in dtmi.replace(";", "-"))
    return f"{safe[:150]}.json"


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as e:
        raise BundleError(f"{path} cannot be read: {e.strerror or e}.") from None

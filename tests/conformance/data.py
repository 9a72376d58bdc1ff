"""The conformance data: where it lies, how it is read."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

Case = dict[str, Any]
"""A row of a data file: what is submitted and what is expected, under the names that the data has."""

PREFIX = "dtmi:dtdl:parsingError:"


def rows(path: Path) -> Iterator[Case]:
    """The rows of a JSON lines file, compressed or not; none where there is no file."""
    if not path.exists():
        return
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def tier(case: Case) -> str:
    """T1 core v2 and v3, T2 core v4 or mixed, T3 extensions, T4 parser options; DTMI for cases of one identifier."""
    label = case.get("tier_label")
    return label[:2] if label else "DTMI"


@cache
def oracle(folder: Path) -> dict[str, Case]:
    """What the reference parser says of each published model, by DTMI."""
    return {row["dtmi"]: row for row in rows(folder / "models_oracle.jsonl")}


def model_texts(folder: Path, dtmi: str) -> list[str]:
    """A published model and all that it depends on, each as it was published."""
    dependencies = oracle(folder)[dtmi]["deps"]
    return [model_path(folder / "models", each).read_text(encoding="utf-8-sig") for each in (dtmi, *dependencies)]


def model_path(folder: Path, dtmi: str) -> Path:
    """Where a model repository keeps a model."""
    return folder / f"{dtmi.lower().replace(':', '/').replace(';', '-')}.json"

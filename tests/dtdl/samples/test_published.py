"""Samples for everything that published models declare."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.dtdl import Element, Repository, check_value, invalid_samples, samples
from harness.dtdl.payload import json_schema
from tests.paths import SHARED, needs_shared_dtdl

MODELS = SHARED / "dtdl" / "models"


def _values(model: str) -> list[Element]:
    """What carries a value in a model: telemetry, properties, requests and responses."""
    with Repository([MODELS]) as repository:
        capabilities = repository.resolve(model).model.capabilities(model)
    parts = ((each.request, each.response) if each.kind == "command" else (each.element,) for each in capabilities)
    return [part for group in parts for part in group if part is not None]


def _published() -> list[str]:
    listed: Path = SHARED / "dtdl" / "models.txt"
    return listed.read_text(encoding="utf-8").split()[::6] if listed.exists() else ["none"]


@needs_shared_dtdl
@pytest.mark.parametrize("model", _published())
def test_samples_of_published_models(model: str) -> None:
    for element in _values(model):
        assert json_schema(element)
        assert [value for value in samples(element, count=4) if check_value(element, value)] == []
        assert [why for why, value in invalid_samples(element) if not check_value(element, value)] == []

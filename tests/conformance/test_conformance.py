"""The library agrees with the reference parser as far as the bars demand."""

from __future__ import annotations

from functools import cache

import pytest

from tests.conformance.table import BARS, Line, compare
from tests.paths import SHARED, needs_shared_dtdl


@cache
def _lines() -> dict[str, Line]:
    return {line.name: line for line in compare(SHARED / "dtdl")}


@needs_shared_dtdl
@pytest.mark.parametrize("name", BARS)
def test_agreement(name: str) -> None:
    line = _lines().get(name)
    if line is None:
        pytest.skip("the data has no such cases")
    assert line.enough, line.failures[:10]

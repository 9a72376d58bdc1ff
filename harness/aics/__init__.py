"""AICS test-case files, in the shapes that `az iot product test case` read and wrote: read as expectations, written
for a model."""

from __future__ import annotations

from harness.aics.document import Document, TestCasesError
from harness.aics.reading import TestCases, read_file, read_text
from harness.aics.writing import generate

__all__ = ["Document", "TestCases", "TestCasesError", "generate", "read_file", "read_text"]

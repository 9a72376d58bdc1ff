"""What payload checks report: one `Problem` for each thing wrong, and the exception for elements without instances."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One rule broken at one place of a payload.

    `pointer` is an RFC 6901 JSON pointer into the payload ("" = the whole of it). `code` is stable and one of
    `encoding`, `byteOrderMark`, `empty`, `syntax`, `nonFinite`, `numberTooLong`, `duplicateName`, `surrogate`,
    `depth` (the raw bytes), `null`, `type`, `range`, `format`, `enum`, `size`, `undeclaredField`,
    `missingField`, `notAnObject` (the values). `message` is a whole sentence.
    """

    pointer: str
    code: str
    message: str
    expected: str
    actual: str

    def __str__(self) -> str:
        return f"{self.pointer or '(whole payload)'}: {self.message}"


class NotInstantiable(Exception):
    """The element stands for no single JSON value (an Interface, a Command …): check against its schema."""

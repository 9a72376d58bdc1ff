"""A model document as read: its text, its top-level objects, and where a pointer into it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..payload.strict import Fault, NotStrict, read
from .lines import line_of, lines_of

LARGEST = 64 * 2**20
"""Bytes of one document read; DTDL v3 and v4 allow 1 MiB an Interface, the largest ever published has 0.3 MiB."""

DEEPEST = 256
"""Levels of JSON in a document: more than the deepest schema of any DTDL version takes."""


class BadDocument(Exception):
    """A document that is no model at all. The first fault speaks for all; `str()` gives `place:line: sentence`."""

    def __init__(self, place: str, line: int, code: str, sentence: str) -> None:
        super().__init__(f"{place}:{line}: {sentence}")
        self.place = place
        self.line = line
        self.code = code
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Document:
    """`place` is a path or URL to show. `value` is what the text decodes to: an object or an array of objects."""

    place: str
    text: str
    value: dict[str, Any] | list[dict[str, Any]]

    @property
    def expanded(self) -> bool:
        """An array of models rather than one model."""
        return isinstance(self.value, list)

    def models(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The top-level objects, each with its JSON pointer."""
        if isinstance(self.value, list):
            yield from ((f"/{index}", model) for index, model in enumerate(self.value))
        else:
            yield "", self.value

    def find(self, dtmi: str) -> tuple[str, dict[str, Any]] | None:
        """The top-level object with this `@id`, with its JSON pointer."""
        return next((each for each in self.models() if each[1].get("@id") == dtmi), None)

    def ids(self) -> tuple[str, ...]:
        return tuple(model["@id"] for _, model in self.models() if isinstance(model.get("@id"), str))

    def lines(self, pointers: Iterable[str]) -> dict[str, int]:
        """The line of each pointer, from 1."""
        return lines_of(self.text, pointers)


def read_document(place: str, raw: bytes) -> Document:
    """Raises BadDocument where `raw` is too large, no strict JSON, or neither an object nor an array of objects
    with DTDL in them. Whether the models are valid is the parser's to say."""
    if len(raw) > LARGEST:
        size = f"{len(raw) / 2**20:.0f} MiB"
        raise BadDocument(place, 1, "tooLarge", f"The file has {size}; no model is larger than {LARGEST >> 20} MiB.")
    try:
        text, value = read(raw, DEEPEST)
    except NotStrict as refused:
        fault = refused.faults[0]
        raise BadDocument(place, _line(fault, raw), fault.code, f"The file {fault.sentence}") from None
    _check_shape(place, text, value)
    return Document(place, text, value)


def _line(fault: Fault, raw: bytes) -> int:
    return line_of(raw.decode("utf-8"), fault.pointer) if fault.pointer else fault.line


def _check_shape(place: str, text: str, value: object) -> None:
    if value == []:
        raise BadDocument(place, 1, "noModel", "The file holds an empty array: no model.")
    for index, model in enumerate(value if isinstance(value, list) else [value]):
        pointer = f"/{index}" if isinstance(value, list) else ""
        if not isinstance(model, dict):
            sentence = f"Here is {_KINDS.get(type(model), 'a number')} where a DTDL model (a JSON object) should be."
            raise BadDocument(place, line_of(text, pointer), "noModel", sentence)
        if not _DTDL_MEMBERS & model.keys():
            sentence = 'This is JSON, but no DTDL: an Interface begins with "@context", "@id" and "@type".'
            raise BadDocument(place, line_of(text, pointer), "noModel", sentence)


_DTDL_MEMBERS = {"@context", "@id", "@type"}
_KINDS: Mapping[type, str] = {
    str: "a string",
    list: "an array",
    bool: "true or false",
    type(None): "null",
}

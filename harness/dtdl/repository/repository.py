"""One view on several locations of models: find a model and all it depends on, wherever they are, and parse them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any

from ..errors import ModelError, ParsingError, ResolutionError
from ..model import Model
from ..parser import Document as Source
from ..parser import parse
from .document import Document
from .errors import InvalidModel, ModelNotFound, Tried
from .places import Location, Miss, local
from .remote import TIMEOUT, Remote


@dataclass(frozen=True, slots=True)
class Resolved:
    """A model with all it depends on. `documents` and `sources` go by DTMI: each top-level object that took part, and
    the location (as the caller wrote it) where it was found; `location` is the root's."""

    dtmi: str
    model: Model
    documents: Mapping[str, dict[str, Any]]
    sources: Mapping[str, str]
    location: str


@dataclass(frozen=True, slots=True)
class _Part:
    """One document given to the parser: a whole file, or one model out of an array."""

    document: Document
    pointer: str
    value: dict[str, Any]
    location: str

    @property
    def input(self) -> Source:
        """Text where the file is the model (its size counts), else the decoded model."""
        return self.value if self.pointer else self.document.text


class Repository:
    """Locations of models, searched in the order given: directories in repository layout, files (one model or an
    array), `file:`, `https:` and `http:` URLs. Nothing is read before the first question.

    A location that lacks a model, or cannot be reached, is passed over; a local file that is in a model's place but
    is not that model ends the search, so that no published copy hides it. Raises ValueError for a location of
    another kind.
    """

    def __init__(self, locations: Sequence[str | Path | Location], *, timeout: float = TIMEOUT) -> None:
        self._locations = [_location(each, timeout) for each in locations]
        self._arrays: dict[str, list[Document]] = {}
        self._found: dict[str, _Part] = {}

    def __enter__(self) -> Repository:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close connections; the repository may be used again."""
        for location in self._locations:
            location.close()

    def resolve(self, dtmi: str, *, max_version: int = 4) -> Resolved:
        """The model and all it depends on, parsed.

        Raises ModelNotFound where the root or a dependency is in none of the locations, InvalidModel (a ModelError)
        where the models break DTDL's rules.
        """
        root = self._find(dtmi)
        return self._parse(dtmi, [root], max_version, resolving=True)

    def check(self, document: Document, *, max_version: int = 4) -> Resolved:
        """A document that the caller has read, with what it depends on: from the locations for a single model;
        an array of models must be complete in itself. Raises as `resolve` does."""
        parts = [_Part(document, pointer, value, document.place) for pointer, value in document.models()]
        root = str(parts[0].value.get("@id"))
        return self._parse(root, parts, max_version, resolving=not document.expanded)

    def _parse(self, root: str, parts: list[_Part], max_version: int, *, resolving: bool) -> Resolved:
        missing: dict[str, Tried] = {}

        def supply(wanted: list[str]) -> list[Source]:
            found = []
            for dtmi in wanted:
                try:
                    part = self._find(dtmi)
                except ModelNotFound as error:
                    missing.update(error.missing)
                else:
                    parts.append(part)
                    found.append(part.input)
            return found

        try:
            model = parse(
                [part.input for part in parts], resolve=supply if resolving else None, max_version=max_version
            )
        except ModelError as error:
            raise InvalidModel(error.errors, _places(error.errors, parts)) from None
        except ResolutionError as error:
            raise ModelNotFound(missing or _not_in(parts, error.unresolved), root) from None
        documents = {str(part.value.get("@id")): part for part in parts}
        return Resolved(
            dtmi=root,
            model=model,
            documents=MappingProxyType({dtmi: part.value for dtmi, part in documents.items()}),
            sources=MappingProxyType({dtmi: part.location for dtmi, part in documents.items()}),
            location=parts[0].location,
        )

    def _find(self, dtmi: str) -> _Part:
        known = self._found.get(dtmi)
        if known is not None:
            return known
        tried: list[tuple[str, str]] = []
        for location in self._locations:
            try:
                found = self._part(dtmi, location)
            except Miss as miss:
                tried += miss.tried
                if miss.final:
                    break
            else:
                self._found[dtmi] = found
                return found
        raise ModelNotFound({dtmi: tuple(tried)})

    def _part(self, dtmi: str, location: Location) -> _Part:
        """The model in one location; arrays read there before are looked into first. Raises Miss."""
        arrays = self._arrays.setdefault(location.name, [])
        document = next((array for array in arrays if array.find(dtmi)), None)
        if document is None:
            document = location.find(dtmi)
            if document.expanded:
                arrays.append(document)
        held = document.find(dtmi)
        assert held is not None, "a location returns only documents that hold the model"
        return _Part(document, *held, location.name)


def _location(given: str | Path | Location, timeout: float) -> Location:
    if not isinstance(given, str | Path):
        return given
    name = str(given)
    if name.startswith(("https://", "http://")):
        return Remote(name, timeout)
    if "://" in name and not name.startswith("file://"):
        kind = name.partition("://")[0]
        raise ValueError(f"{name}: models come from directories, files, file: and https: URLs, not from {kind}:")
    return local(name)


def _places(errors: Sequence[ParsingError], parts: Sequence[_Part]) -> tuple[tuple[str, int], ...]:
    """File and line of each error; where that is not known, of the beginning."""
    wanted: dict[int, set[str]] = {}
    for error in errors:
        if 0 <= error.document < len(parts):
            wanted.setdefault(error.document, set()).add(parts[error.document].pointer + error.pointer)
    lines = {number: parts[number].document.lines(pointers) for number, pointers in wanted.items()}
    places = []
    for error in errors:
        if error.document in lines:
            part = parts[error.document]
            places.append((part.document.place, lines[error.document][part.pointer + error.pointer]))
        else:
            places.append((parts[0].document.place, 1))
    return tuple(places)


def _not_in(parts: Sequence[_Part], unresolved: Sequence[str]) -> dict[str, Tried]:
    place = parts[0].document.place
    return dict.fromkeys(unresolved, ((place, "not in this array, which must hold all that its models depend on"),))

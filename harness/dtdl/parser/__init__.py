"""From DTDL documents to a Model: read, resolve, link, check.

    documents.py    text or bytes → JSON values
    context.py      @context → what is in force      grammar.py    the metamodel's tables, compiled for a context
    elements.py     JSON values → elements           members.py    their members
    literals.py     strings, numbers and so on       localized.py  text in several languages
    reading.py      what has been read so far
    linking.py      references → links
    inheritance.py  what Interfaces inherit
    structure.py    limits, circles, exclusions      cotypes.py    what co-types demand
    interfaces.py   limits of whole Interfaces       size.py       the length of their text
    findings.py     where errors are collected       sentences.py  what they say

Each stage reports everything it finds; the next one starts only when there was nothing, since it relies on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from harness.dtdl.errors import ResolutionError
from harness.dtdl.metamodel import predefined
from harness.dtdl.model import Element, Model
from harness.dtdl.parser import cotypes, interfaces, structure
from harness.dtdl.parser.context import Rules
from harness.dtdl.parser.documents import Document, to_text, to_value
from harness.dtdl.parser.elements import read
from harness.dtdl.parser.inheritance import Hierarchy
from harness.dtdl.parser.linking import link, missing
from harness.dtdl.parser.reading import Reading
from harness.dtdl.parser.size import LONG_TEXT

__all__ = ["Document", "Quirk", "Resolver", "UndefinedExtensions", "parse"]

UndefinedExtensions = Literal["per-default", "always", "never"]
"""When extensions that nobody here knows are taken on trust: in DTDL v2 only, always, or never."""

Quirk = Literal["tolerate-solecisms-in-parse", "tolerate-solecisms-in-resolve"]
"""Slips of DTDL v2 models to let pass, in the documents given or in those that the resolver supplies: a reference
written as an object with nothing but @id, a content repeated under the same name, an @id that begins like a reserved
one."""

Submission = Iterable[Document] | str | bytes | Mapping[str, object]
"""Documents that are read together, or a single one as it is."""

Resolver = Callable[[list[str]], Submission | None]
"""Supplies the documents that define the ids it is given, None where it cannot."""


def parse(
    documents: Submission,
    *,
    resolve: Resolver | None = None,
    max_version: int = 4,
    undefined_extensions: UndefinedExtensions = "per-default",
    limits: Sequence[str] = (),
    quirks: Sequence[Quirk] = (),
) -> Model:
    """Parses and validates documents that are submitted together.

    `resolve` is asked in rounds for the ids that are still missing. `max_version` is the newest DTDL version allowed.
    `limits` names the limit extensions accepted, with or without version. Raises ModelError with everything found
    wrong (up to a thousand errors), and ResolutionError with the ids that nobody defines.
    """
    reading = Reading(Rules(max_version, tuple(limits), undefined_extensions))
    reading.tolerant = "tolerate-solecisms-in-parse" in quirks
    count = _read(reading, documents, 0)
    reading.tolerant = "tolerate-solecisms-in-resolve" in quirks
    while targets := missing(reading):
        if resolve is None:
            raise ResolutionError(targets)
        count += _read(reading, resolve(targets) or (), count)
        unresolved = [target for target in targets if target not in reading.elements]
        if unresolved:
            raise ResolutionError(unresolved, "the resolver was asked for them")
    _check(reading)
    return _model(reading)


def _read(reading: Reading, documents: Submission, first: int) -> int:
    """Reads documents, numbered from `first`; returns how many."""
    given: list[Document] = [documents] if isinstance(documents, str | bytes | Mapping) else list(documents)
    for number, document in enumerate(given, start=first):
        before = len(reading.findings.errors)
        text = to_text(document, number, reading.findings)
        value = None if text is None else to_value(text, number, reading.findings)
        if text is not None and len(text) > LONG_TEXT:
            reading.long_documents.add(number)
        if len(reading.findings.errors) == before:
            read(reading, value, number)
    reading.findings.stop()
    return len(given)


def _check(reading: Reading) -> None:
    findings = reading.findings
    link(reading)
    findings.stop()
    hierarchy = Hierarchy(reading)
    hierarchy.check_chains()
    findings.stop()
    hierarchy.check_contents()
    findings.stop()
    findings.errors += reading.when_checked.errors
    structure.check(reading)
    interfaces.check(reading, hierarchy)
    cotypes.check(reading, hierarchy)
    findings.stop()


def _model(reading: Reading) -> Model:
    for it, member in reading.plurals:
        values = it.members
        assert isinstance(values, dict)
        values[member.term] = tuple(values[member.term])
    elements: dict[str, Element] = {identifier: draft.seal() for identifier, draft in reading.elements.items()}
    for element in reading.predefined.values():
        for part in predefined.closure(element):
            elements[part.id] = part
    return Model(elements, incomplete=reading.incomplete)

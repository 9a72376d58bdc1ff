"""Where the parser collects what is wrong, so that an author sees all of it at once."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from harness.dtdl.errors import ModelError, ParsingError
from harness.dtdl.model import Draft
from harness.dtdl.parser.sentences import SENTENCES

_FIELDS = frozenset(field.name for field in fields(ParsingError)) - {"code", "message"}
_AS_TEXT = ("value", "restriction")
_LONGEST_SHOWN = 80
_MOST = 1000


class Findings:
    """The errors found so far. Later stages need sound results of earlier ones: `stop` ends the parse between them.

    Of a document that is wrong throughout, the first thousand errors are enough: `add` ends the parse then.
    """

    __slots__ = ("errors",)

    def __init__(self) -> None:
        self.errors: list[ParsingError] = []

    def add(self, code: str, it: Draft | None = None, **facts: Any) -> None:
        """Adds an error about an element, or about a place that is no element yet.

        The facts are fields of ParsingError, and what only its sentence shows: `term` for a property that the error
        names by its DTMI, `length` and the like. Where they do not say otherwise, the error is at the element itself.
        """
        if it is not None:
            facts = {"element": it.id, "pointer": it.pointer, "document": it.document, **facts}
        for name in _AS_TEXT:
            if facts.get(name) is not None:
                facts[name] = _text(facts[name])
        shown = _Shown({name: _short(_text(fact)) for name, fact in facts.items() if fact is not None})
        shown["it"] = in_words(it) if it is not None else shown["element"]
        if "term" in facts:
            shown["property"] = facts["term"]
        known = {name: fact for name, fact in facts.items() if name in _FIELDS}
        self.errors.append(ParsingError(code, SENTENCES[code].format_map(shown), **known))
        if len(self.errors) >= _MOST:
            self.stop()

    def stop(self) -> None:
        """Raises ModelError when there are errors."""
        if self.errors:
            raise ModelError(self.errors)


class _Shown(dict[str, str]):
    """The facts as a sentence shows them."""

    def __missing__(self, name: str) -> str:
        return NOT_KNOWN


NOT_KNOWN = "(not known)"
"""Stands in a sentence for a fact that it lacks."""


def in_words(it: Draft) -> str:
    """An element as its author knows it: by class and name, else by id."""
    return f"{it.kind} '{_short(it.name)}'" if it.name else f"{it.kind} {_short(it.id)}"


def _text(fact: object) -> str:
    """A fact that is any JSON value as text; what nests is only named, however deep it goes."""
    if isinstance(fact, dict | list):
        return "an object" if isinstance(fact, dict) else "an array"
    return str(fact)


def _short(text: str) -> str:
    if not text:
        return "empty"
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"

"""Where the parser collects what is wrong, so that an author sees all of it at once."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from harness.dtdl.errors import ModelError, ParsingError
from harness.dtdl.model import Draft
from harness.dtdl.parser.sentences import SENTENCES

_FIELDS = frozenset(field.name for field in fields(ParsingError)) - {"code", "message"}
_AS_TEXT = ("value", "restriction")
_LONGEST_SHOWN = 60


class Findings:
    """The errors found so far. Later stages need sound results of earlier ones: `stop` ends the parse between them."""

    __slots__ = ("errors",)

    def __init__(self) -> None:
        self.errors: list[ParsingError] = []

    def add(self, code: str, it: Draft | None = None, **facts: Any) -> None:
        """Adds an error about an element, or about a place that is no element yet.

        The facts are fields of ParsingError, and what only its sentence shows. Where they do not say otherwise, the
        error is at the element itself.
        """
        if it is not None:
            facts = {"element": it.id, "pointer": it.pointer, "document": it.document, **facts}
        shown = _Shown({name: _short(fact) for name, fact in facts.items()})
        shown["it"] = in_words(it) if it is not None else shown["element"]
        for name in _AS_TEXT:
            if facts.get(name) is not None:
                facts[name] = str(facts[name])
        known = {name: fact for name, fact in facts.items() if name in _FIELDS}
        self.errors.append(ParsingError(code, SENTENCES[code].format_map(shown), **known))

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


def _short(fact: object) -> str:
    if fact is None:
        return NOT_KNOWN
    text = str(fact)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 1]}…"

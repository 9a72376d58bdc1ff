"""Where the parser collects what is wrong, so that an author sees all of it at once."""

from __future__ import annotations

from harness.dtdl.errors import ModelError, ParsingError
from harness.dtdl.model import Draft
from harness.dtdl.parser.sentences import SENTENCES

_LONGEST_VALUE = 60


class Findings:
    """The errors found so far. Later stages need sound results of earlier ones: `stop` ends the parse between them."""

    __slots__ = ("errors",)

    def __init__(self) -> None:
        self.errors: list[ParsingError] = []

    def add(
        self,
        code: str,
        it: Draft | None = None,
        *,
        element: str | None = None,
        property: str | None = None,  # noqa: A002
        value: object = None,
        secondary: str | None = None,
        type: str | None = None,  # noqa: A002
        aux: str | None = None,
        restriction: object = None,
        pointer: str | None = None,
        document: int | None = None,
        **details: object,
    ) -> None:
        """`it` is the element concerned; its id, pointer and document are taken where none are given."""
        if it is not None:
            element = it.id if element is None else element
            pointer = it.pointer if pointer is None else pointer
            document = it.document if document is None else document
        facts = {
            "element": element,
            "property": property,
            "value": None if value is None else str(value),
            "secondary": secondary,
            "type": type,
            "aux": aux,
            "restriction": None if restriction is None else str(restriction),
        }
        shown = {name: _short(fact) for name, fact in facts.items()}
        message = SENTENCES[code].format(it=in_words(it) if it is not None else element, **shown, **details)
        line, column = details.get("line"), details.get("column")
        self.errors.append(
            ParsingError(
                code,
                message,
                element=element,
                property=property,
                value=facts["value"],
                secondary=secondary,
                type=type,
                aux=aux,
                restriction=facts["restriction"],
                pointer=pointer or "",
                document=document or 0,
                line=line if isinstance(line, int) else None,
                column=column if isinstance(column, int) else None,
            )
        )

    def stop(self) -> None:
        """Raises ModelError when there are errors."""
        if self.errors:
            raise ModelError(self.errors)


def in_words(it: Draft) -> str:
    """An element as its author knows it: by class and name, else by id."""
    return f"{it.kind} '{_short(it.name)}'" if it.name else f"{it.kind} {_short(it.id)}"


def _short(text: str | None) -> str:
    if text is None:
        return "nothing"
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"

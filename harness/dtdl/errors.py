"""What goes wrong with a model, and whose move it is.

ModelError        the documents break the language: `.errors` lists every ParsingError found. The author's move.
ResolutionError   the documents are well as far as they go, but refer to models nobody supplied: `.unresolved`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ParsingError:
    """One rule broken at one place.

    `code` is the id that Microsoft's reference parser uses for the rule, without the prefix `dtmi:dtdl:parsingError:`.
    `element` is the DTMI of the element concerned; `secondary` that of another element involved. `property` is the
    member's name, `value` the value in question, `aux` a second member, `type` a type, `restriction` the limit broken.
    `pointer` is the JSON pointer into document number `document`. `line` and `column` are known only for text that is
    not JSON at all.
    """

    code: str
    message: str
    element: str | None = None
    property: str | None = None
    value: str | None = None
    secondary: str | None = None
    type: str | None = None
    aux: str | None = None
    restriction: str | None = None
    layer: str | None = None
    pointer: str = ""
    document: int = 0
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"


_MOST_LISTED = 100


class ModelError(ValueError):
    """The documents are not a valid DTDL model. The text of the exception lists the errors."""

    def __init__(self, errors: Sequence[ParsingError]) -> None:
        self.errors = tuple(errors)
        count = len(self.errors)
        lines = [f"the model has {count} error{'s' if count != 1 else ''}", *map(str, self.errors[:_MOST_LISTED])]
        if count > _MOST_LISTED:
            lines.append(f"and {count - _MOST_LISTED} more")
        super().__init__("\n  ".join(lines))

    def __reduce__(self) -> tuple[type[ModelError], tuple[tuple[ParsingError, ...]]]:
        return type(self), (self.errors,)


class ResolutionError(LookupError):
    """The documents refer to models that are neither among them nor supplied by the resolver."""

    def __init__(self, unresolved: Sequence[str], reason: str = "") -> None:
        self.unresolved = tuple(unresolved)
        self.reason = reason
        names = ", ".join(self.unresolved)
        super().__init__(
            f"no definition was found for {names}"
            + (f" ({reason})" if reason else "")
            + "; supply these models with the documents, or through a repository that has them"
        )

    def __reduce__(self) -> tuple[type[ResolutionError], tuple[tuple[str, ...], str]]:
        return type(self), (self.unresolved, self.reason)

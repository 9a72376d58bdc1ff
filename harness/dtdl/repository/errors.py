"""What a user of a repository can meet: a model that is nowhere, and one that is invalid (with file and line)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..errors import ModelError, ParsingError

Tried = tuple[tuple[str, str], ...]
"""(place, why it did not serve), in the order tried."""


class ModelNotFound(LookupError):
    """One or more models are in none of the locations. `tried` tells of `dtmi`, the first; `missing` of each."""

    def __init__(self, missing: Mapping[str, Tried], needed_by: str | None = None) -> None:
        self.missing = dict(missing)
        self.dtmi = next(iter(self.missing))
        self.tried = self.missing[self.dtmi]
        self.needed_by = needed_by
        super().__init__(_story(self.missing, needed_by))

    def __reduce__(self) -> tuple[type[ModelNotFound], tuple[dict[str, Tried], str | None]]:
        return type(self), (self.missing, self.needed_by)


class InvalidModel(ModelError):
    """A ModelError whose errors know their files: `where(error)` is `place:line`, and `str()` lists them so."""

    def __init__(self, errors: tuple[ParsingError, ...], places: tuple[tuple[str, int], ...]) -> None:
        super().__init__(errors)
        self.places = places
        listed = (f"{place}:{line}: {error.message}" for error, (place, line) in zip(errors, places, strict=True))
        self.args = ("\n".join(listed),)

    def __reduce__(self) -> tuple[Callable[..., InvalidModel], tuple[object, ...]]:  # type: ignore[override]
        return type(self), (self.errors, self.places)

    def where(self, error: ParsingError) -> str:
        place, line = self.places[self.errors.index(error)]
        return f"{place}:{line}"


def _story(missing: Mapping[str, Tried], needed_by: str | None) -> str:
    lines = []
    for dtmi, tried in missing.items():
        lines.append(f"model {dtmi} was not found{f' ({needed_by} depends on it)' if needed_by else ''}.")
        lines.append("Tried:")
        lines += [f"  {place}: {why}" for place, why in tried] or ["  nothing: no location of models was given"]
    first = next(iter(missing))
    return "\n".join([*lines, _move(first, [why for tried in missing.values() for _, why in tried])])


def _move(dtmi: str, whys: list[str]) -> str:
    from .layout import model_path

    path = model_path(dtmi)
    if path is None:
        return (
            "A repository holds only ids with a version of one number; name the file instead, or give the id a version."
        )
    move = f"Put the model at {path} below one of these locations, or add a location that has it"
    if any("connect" in why or "resolve" in why or "answer" in why for why in whys):
        move += "; a location on the network needs a connection (a proxy goes into HTTPS_PROXY)"
    return move + "."

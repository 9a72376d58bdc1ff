"""What the public device model repository asks of a submission beyond valid DTDL.

The rules of its validation tool in strict mode and of its contribution guide: one model a file, an id that the layout
can hold, the file in the place of its id, every id in the namespace of the root, no reserved words.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from .repository.document import Document
from .repository.layout import model_path

_RESERVED = re.compile("Microsoft|Azure", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule not kept; `pointer` leads to the place in the document. A warning is for the reviewer to decide."""

    code: str
    pointer: str
    sentence: str
    severity: Literal["error", "warning"] = "error"


def submission_faults(document: Document, root: Path | None) -> Iterator[Fault]:
    """`root` is the directory of the repository that holds the file; None where the file is in no repository."""
    if isinstance(document.value, list):
        yield Fault("rootArray", "", "A submission is one model a file; this is an array.")
        return
    dtmi = document.value.get("@id")
    if not isinstance(dtmi, str):
        return
    path = model_path(dtmi)
    if path is None:
        yield Fault(
            "repositoryId", "/@id", f"The repository has no place for {dtmi}: give it a version of one whole number."
        )
    else:
        yield from _placement(document.place, path, root)
    yield from _namespace(document.value, dtmi)


def _placement(place: str, path: str, root: Path | None) -> Iterator[Fault]:
    file = Path(place).absolute()
    if root is None:
        if not file.as_posix().endswith("/" + path):
            yield Fault("filePlacement", "/@id", f"By its id the file belongs at {path} in a repository.")
        return
    actual = file.relative_to(root.absolute()).as_posix() if file.is_relative_to(root.absolute()) else str(file)
    if actual != path:
        yield Fault(
            "filePlacement", "/@id", f"By its id the file belongs at {path} in the repository, not at {actual}."
        )


def _namespace(value: dict[str, Any], dtmi: str) -> Iterator[Fault]:
    prefix = dtmi.partition(";")[0]
    reserved = False
    for pointer, each in _ids(value):
        if not each.startswith(prefix):
            yield Fault("namespace", pointer, f"{each} is outside the namespace of the model; begin it with {prefix}.")
        word = _RESERVED.search(each)
        if word is not None and not reserved:
            reserved = True
            sentence = f"{each} holds the reserved word {word.group()}; reviewers refuse it."
            yield Fault("reservedWord", pointer, sentence, "warning")


def _ids(value: object) -> Iterator[tuple[str, str]]:
    """Every `@id` with its pointer. Not recursive: a document may nest deep."""
    stack = [(value, "")]
    while stack:
        current, at = stack.pop()
        if isinstance(current, dict):
            dtmi = current.get("@id")
            if isinstance(dtmi, str):
                yield f"{at}/@id", dtmi
            members = [(each, f"{at}/{name.replace('~', '~0').replace('/', '~1')}") for name, each in current.items()]
            stack += reversed(members)
        elif isinstance(current, list):
            stack += reversed([(each, f"{at}/{index}") for index, each in enumerate(current)])

"""The local kinds of location: a directory in repository layout, and a single file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit
from urllib.request import url2pathname

from .document import LARGEST, BadDocument, Document, read_document
from .layout import model_path

_MOST_FILES = 2_000
_LARGEST_HINT = 2**20
"""Files, and bytes of each, looked into when hinting where else a model might be."""

_ID = re.compile(rb'"@id"\s*:\s*"(dtmi:[A-Za-z0-9_:;.]+)"')


NO_PLACE = "a repository has no place for an id without a version of one number"


class Miss(Exception):
    """A location does not have the model. `tried` holds (place, why); `final` says not to look further, because
    what should have been the model is there but unusable, and another location's copy would hide that."""

    def __init__(self, *tried: tuple[str, str], final: bool = False) -> None:
        super().__init__(*tried)
        self.tried = tried
        self.final = final


class Location(Protocol):
    """One place of models. `name` is how the user wrote it."""

    name: str

    def find(self, dtmi: str) -> Document:
        """The document that holds the model. Raises Miss."""

    def close(self) -> None: ...


class Directory:
    """A directory in repository layout."""

    def __init__(self, name: str, root: Path) -> None:
        self.name = name
        self.root = root

    def find(self, dtmi: str) -> Document:
        path = model_path(dtmi)
        if path is None:
            raise Miss((self.name, NO_PLACE))
        if not self.root.is_dir():
            raise Miss((self.name, _no_directory(self.name, self.root)))
        for form in (path, str(model_path(dtmi, expanded=True))):
            if (self.root / form).is_file():
                return _holding(dtmi, self.root / form, final=True)
        raise Miss((str(self.root / path), "not found" + self._elsewhere(dtmi, path)))

    def close(self) -> None:
        return None

    def _elsewhere(self, dtmi: str, path: str) -> str:
        """A remark on a file that seems to be the model under another name."""
        names, ids = self._index
        wanted = (self.root / path).name
        if wanted in names and names[wanted].name != wanted:
            return f"; {names[wanted]} is there, but names in a repository are in lower case"
        return f"; {ids[dtmi]} has this @id but is not in its place" if dtmi in ids else ""

    @cached_property
    def _index(self) -> tuple[dict[str, Path], dict[str, Path]]:
        """Files by name in lower case, and by the ids in them."""
        names: dict[str, Path] = {}
        ids: dict[str, Path] = {}
        for file in _json_files(self.root):
            names[file.name.lower()] = file
            with suppress(OSError):
                if file.stat().st_size <= _LARGEST_HINT:
                    ids.update((match.group(1).decode(), file) for match in _ID.finditer(file.read_bytes()))
        return names, ids


class File:
    """A single file, of one model or of several in an array."""

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.path = path

    def find(self, dtmi: str) -> Document:
        return _holding(dtmi, self.path, final=False)

    def close(self) -> None:
        return None


class Loose:
    """Documents already read, wherever they lie: the files of one command know each other."""

    name = "the files given"

    def __init__(self, documents: Iterable[Document]) -> None:
        self._documents = {dtmi: document for document in documents for dtmi in document.ids()}

    def find(self, dtmi: str) -> Document:
        document = self._documents.get(dtmi)
        if document is None:
            raise Miss((self.name, "none of them has it"))
        return document

    def close(self) -> None:
        return None


def local(name: str) -> Directory | File:
    """The location of a path or file URL."""
    path = Path(url2pathname(urlsplit(name).path)) if name.startswith("file:") else Path(name)
    return File(name, path) if path.is_file() else Directory(name, path)


def read_file(path: Path) -> Document:
    """Raises BadDocument, also where the file cannot be read."""
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise BadDocument(
                str(path), 1, "tooLarge", f"The file has {size >> 20} MiB; no model is larger than {LARGEST >> 20} MiB."
            )
        return read_document(str(path), path.read_bytes())
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise BadDocument(str(path), 1, "unreadable", f"The file cannot be read: {reason}.") from None


def _holding(dtmi: str, file: Path, *, final: bool) -> Document:
    try:
        document = read_file(file)
    except BadDocument as bad:
        raise Miss((f"{bad.place}:{bad.line}", bad.sentence), final=True) from None
    if document.find(dtmi) is None:
        raise Miss((str(file), wrong_id(document)), final=final)
    return document


def wrong_id(document: Document) -> str:
    """Why a document that was found is not the model asked for."""
    ids = document.ids()
    listed = ", ".join(ids[:3]) + (" …" if len(ids) > 3 else "")
    return f"its @id is {listed}" if ids else "it has no @id"


def _no_directory(name: str, root: Path) -> str:
    if root.exists():
        return "neither a directory nor a file"
    if not name.startswith((".", "/")) and "." in name.split("/")[0]:
        return f"no such directory; for a web address write https://{name}"
    return "no such directory"


def _json_files(root: Path) -> Iterator[Path]:
    count = 0
    for folder, _, files in os.walk(root):
        for name in files:
            if name.lower().endswith(".json"):
                count += 1
                if count > _MOST_FILES:
                    return
                yield Path(folder, name)

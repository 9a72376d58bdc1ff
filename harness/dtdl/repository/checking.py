"""Check files, whole repositories and ids: every finding with file, line and rule."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ..submission import submission_faults
from .document import BadDocument, Document
from .errors import InvalidModel, ModelNotFound, Tried
from .layout import EXPANDED, repository_root
from .places import Location, Loose, read_file
from .repository import Repository, Resolved


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong. `place` is a file, a URL or a DTMI; `line` counts from 1, 0 = unknown. `rule` is the parser's
    error id, a rule of `submission`, or a code of the reading of files (`syntax`, `noModel`, `unresolved` …)."""

    place: str
    line: int
    rule: str
    message: str
    severity: Literal["error", "warning"] = "error"
    pointer: str = ""

    def __str__(self) -> str:
        where = f"{self.place}:{self.line}" if self.line else self.place
        note = "warning: " if self.severity == "warning" else ""
        return f"{where}: {self.rule}: {note}{self.message}"


class NoSuchTarget(ValueError):
    """A target that is neither an id, a file nor a directory."""


class Checker:
    """Checks targets one by one. `repos` are locations for what the models depend on, after the repository that a
    file lies in; `files` are all that will be checked, as those outside of repositories may depend on each other;
    `strict` adds the rules of a submission. Raises ValueError for a location of an unknown kind."""

    def __init__(
        self, repos: Sequence[str], files: Sequence[Path] = (), *, strict: bool = False, max_version: int = 4
    ) -> None:
        self._repos = list(repos)
        self._strict = strict
        self._max_version = max_version
        self._repositories: dict[Path | None, Repository] = {}
        self._seen: set[tuple[str, int, str, str]] = set()

        loose = [file for file in files if repository_root(file) is None]
        own: list[Location] = [Loose(_readable(loose))] if len(loose) > 1 else []
        self._repositories[None] = Repository([*own, *self._repos])

    def close(self) -> None:
        for repository in self._repositories.values():
            repository.close()

    def file(self, path: Path) -> list[Finding]:
        """What is wrong with one file; a finding in a file that it depends on is told once."""
        try:
            document = read_file(path)
        except BadDocument as bad:
            return self._new([Finding(bad.place, bad.line, bad.code, bad.sentence)])
        findings = list(self._model(document, repository_root(path)))
        if self._strict and not path.name.endswith(EXPANDED):
            faults = list(submission_faults(document, repository_root(path)))
            lines = document.lines(each.pointer for each in faults)
            findings += [
                Finding(document.place, lines[each.pointer], each.code, each.sentence, each.severity, each.pointer)
                for each in faults
            ]
        return self._new(findings)

    def dtmi(self, dtmi: str) -> list[Finding]:
        """What is wrong with a model of the locations."""
        try:
            self._repositories[None].resolve(dtmi, max_version=self._max_version)
        except ModelNotFound as error:
            return self._new([Finding(dtmi, 0, "unresolved", _unresolved(*each)) for each in error.missing.items()])
        except InvalidModel as error:
            return self._new(_invalid(error))
        return []

    def _model(self, document: Document, root: Path | None) -> Iterator[Finding]:
        try:
            self._repository(root).check(document, max_version=self._max_version)
        except ModelNotFound as error:
            for dtmi, tried in error.missing.items():
                yield Finding(document.place, _mention(document, dtmi), "unresolved", _unresolved(dtmi, tried))
        except InvalidModel as error:
            yield from _invalid(error)
        except RecursionError:
            yield Finding(document.place, 1, "depth", "The model nests too deep to be read; no DTDL version allows it.")

    def _repository(self, root: Path | None) -> Repository:
        if root is not None and root not in self._repositories:
            self._repositories[root] = Repository([_relative(root), *self._repos])
        return self._repositories[root]

    def _new(self, findings: Sequence[Finding]) -> list[Finding]:
        fresh = []
        for each in findings:
            key = (each.place, each.line, each.rule, each.message)
            if key not in self._seen:
                self._seen.add(key)
                fresh.append(each)
        return fresh


def files_of(target: Path) -> list[Path]:
    """The model files that a path names: itself, or all below a directory (of a repository: below its `dtmi`),
    hidden directories left out. Raises NoSuchTarget."""
    if target.is_file():
        return [target]
    if not target.is_dir():
        raise NoSuchTarget(f"{target}: no such file or directory; an id begins with dtmi:")
    start = target / "dtmi" if (target / "dtmi").is_dir() else target
    found = []
    for folder, folders, names in os.walk(start):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        found += [Path(folder, name) for name in sorted(names) if name.lower().endswith(".json")]
    if not found:
        raise NoSuchTarget(f"{target}: no .json files below this directory")
    return found


def resolve_target(target: str, repos: Sequence[str], *, max_version: int = 4) -> Resolved:
    """The model of an id, or of a file with what it depends on. Raises ModelNotFound, InvalidModel, and ValueError
    for a target or location that cannot be read."""
    if target.startswith("dtmi:"):
        with Repository(repos) as repository:
            return repository.resolve(target, max_version=max_version)
    path = Path(target)
    if not path.is_file():
        raise NoSuchTarget(f"{target}: no such file; an id begins with dtmi:")
    root = repository_root(path)
    try:
        document = read_file(path)
    except BadDocument as bad:
        raise NoSuchTarget(str(bad)) from None
    with Repository([*([] if root is None else [_relative(root)]), *repos]) as repository:
        return repository.check(document, max_version=max_version)


def _readable(files: Sequence[Path]) -> Iterator[Document]:
    for file in files:
        with suppress(BadDocument):
            yield read_file(file)


def _invalid(error: InvalidModel) -> list[Finding]:
    return [
        Finding(place, line, each.code, each.message, "error", each.pointer)
        for each, (place, line) in zip(error.errors, error.places, strict=True)
    ]


def _unresolved(dtmi: str, tried: Tried) -> str:
    listed = "; ".join(f"{place}: {why}" for place, why in tried) or "no location of models was given"
    return f"Model {dtmi} was not found ({listed}). Add a location that has it, with --repo."


def _mention(document: Document, dtmi: str) -> int:
    """The line where an id first stands."""
    offset = document.text.find(json.dumps(dtmi))
    return document.text.count("\n", 0, max(offset, 0)) + 1


def _relative(root: Path) -> str:
    """As a person would write it: below the working directory without the way there."""
    try:
        return str(root.relative_to(Path.cwd()))
    except ValueError:
        return str(root)

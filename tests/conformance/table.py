"""How far the library agrees with the reference parser, line by line."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from harness.dtdl import Model, ModelError, NotInstantiable, ResolutionError, check_instance, parse
from tests.conformance.data import Case, model_texts, oracle, rows, tier
from tests.conformance.judge import judge

BARS = {
    # what is compared: the share that must agree, in percent; nothing is demanded of other lines
    "T1 verdict": 100,
    "T2 verdict": 100,
    "T3 verdict": 97,
    "T4 verdict": 97,
    "DTMI verdict": 100,
    "T1 errors": 99,
    "T2 errors": 99,
    "T1 elements": 100,
    "T2 elements": 100,
    "T1 unresolved": 100,
    "T2 unresolved": 100,
    "mutants verdict": 99.5,
    "models": 100,
    "instances": 99,
}


@dataclass
class Line:
    """How many of the cases that ask for it agree; `failures` says which do not, and why."""

    name: str
    agree: int = 0
    total: int = 0
    failures: list[str] = field(default_factory=list)

    def count(self, agrees: bool, why: str) -> None:
        self.total += 1
        self.agree += agrees
        if not agrees:
            self.failures.append(why)

    @property
    def share(self) -> float:
        return 100 * self.agree / self.total

    @property
    def enough(self) -> bool:
        return self.share >= BARS.get(self.name, 0)


def compare(folder: Path) -> list[Line]:
    """Everything that the folder has data for."""
    lines = [*_models_and_errors(rows(folder / "conformance.jsonl.gz"))]
    lines += _models_and_errors(rows(folder / "mutants.jsonl.gz"), "mutants")
    lines += [_published(folder), _instances(folder / "instances.jsonl.gz")]
    return [line for line in lines if line.total]


def _models_and_errors(cases: Iterable[Case], label: str | None = None) -> Iterator[Line]:
    lines: dict[str, Line] = {}
    for case in cases:
        result = judge(case)
        asked = {
            "verdict": result.verdict,
            "errors": result.errors,
            "elements": result.elements,
            "unresolved": result.unresolved,
        }
        for question, agrees in asked.items():
            if agrees is not None:
                name = f"{label or tier(case)} {question}"
                lines.setdefault(name, Line(name)).count(agrees, f"{case['name']}: {'; '.join(result.why)}")
    return iter(sorted(lines.values(), key=lambda line: line.name))


def _published(folder: Path) -> Line:
    """Published models with all they depend on: validity, and how many elements they have."""
    line = Line("models")
    for dtmi, expected in oracle(folder).items():
        try:
            found: int | None = len(parse(model_texts(folder, dtmi)))
        except (ModelError, ResolutionError):
            found = None
        wanted = expected["element_count"] if expected["valid"] else None
        line.count(found == wanted, f"{dtmi}: {found} elements, expected {wanted}")
    return line


def _instances(path: Path) -> Line:
    """Payloads against the elements that describe them."""
    line = Line("instances")
    for case in rows(path):
        element = _parsed(json.dumps(case["input"])).element(case["subject"])
        try:
            verdict = "rejects" if check_instance(element, case["payload_text"]) else "conforms"
        except NotInstantiable:
            verdict = "throws"
        expected = "throws" if case["throws"] else "conforms" if case["conforms"] else "rejects"
        line.count(verdict == expected, f"{case['name']}: {verdict}, expected {expected}")
    return line


@lru_cache(maxsize=200)
def _parsed(documents: str) -> Model:
    return parse(json.loads(documents))

"""The reference parser's own payload vectors: every verdict agrees."""

from __future__ import annotations

import gzip
import json
from functools import lru_cache

from harness.dtdl import Model, NotInstantiable, check_instance, parse
from tests.paths import SHARED, needs_shared_dtdl

VECTORS = SHARED / "dtdl" / "instances.jsonl.gz"


@lru_cache(maxsize=256)
def _model(documents: str) -> Model:
    return parse(json.loads(documents))


@needs_shared_dtdl
def test_every_verdict_agrees() -> None:
    wrong = []
    with gzip.open(VECTORS, "rt", encoding="utf-8") as lines:
        for vector in map(json.loads, lines):
            element = _model(json.dumps(vector["input"])).element(vector["subject"])
            try:
                verdict = "conforms" if not check_instance(element, vector["payload_text"]) else "rejects"
            except NotInstantiable:
                verdict = "throws"
            expected = "throws" if vector["throws"] else "conforms" if vector["conforms"] else "rejects"
            if verdict != expected:
                wrong.append((vector["name"], vector["payload_text"], verdict))
    assert wrong == []

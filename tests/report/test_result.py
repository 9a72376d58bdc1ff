"""result.json: as its schema describes it, whatever the run was; the schema leaves no key undescribed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from harness.report import write_reports
from harness.report.result import SCHEMA
from tests.paths import REPO
from tests.report import stories, verdicts
from tests.report.stories import Tale, replayed

DESCRIBED: dict[str, Any] = json.loads(resources.files("harness.report").joinpath("result.schema.json").read_text())
TALES: dict[str, tuple[Callable[[], Tale], str]] = {
    "passed": (verdicts.passed, "passed"),
    "warned": (verdicts.warned, "passed-with-warnings"),
    "failed": (stories.bad, "failed"),
    "with a trial": (stories.tried, "failed"),
    "blocked": (stories.blocked, "failed"),
    "interrupted": (stories.interrupted, "failed"),
    "empty": (Tale, "failed"),
}


def written(tale: Tale, folder: Path) -> dict[str, Any]:
    run = replayed(tale, folder)
    write_reports(run)
    found: dict[str, Any] = json.loads((folder / "reports" / "result.json").read_text(encoding="utf-8"))
    return found


def wrong(document: Any) -> list[str]:
    return [e.message for e in jsonschema.Draft202012Validator(DESCRIBED).iter_errors(document)]


def described(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, inner in schema.get("properties", {}).items():
        yield name, inner
        yield from described(inner)
        yield from described(inner.get("items", {}))


def test_the_schema_is_one_and_says_what_every_key_means() -> None:
    jsonschema.Draft202012Validator.check_schema(DESCRIBED)
    assert DESCRIBED["$id"] == SCHEMA
    keys = list(described(DESCRIBED))
    assert len(keys) > 40
    assert [name for name, inner in keys if len(inner.get("description", "")) < 10] == []
    objects = [DESCRIBED, *(s for _, inner in keys for s in (inner, inner.get("items", {})) if "properties" in s)]
    assert [s for s in objects if s.get("additionalProperties") is not False] == []


@pytest.mark.parametrize("name", TALES)
def test_every_run_is_as_described(name: str, tmp_path: Path) -> None:
    tell, verdict = TALES[name]
    result = written(tell(), tmp_path)
    assert wrong(result) == []
    assert result["schema"] == SCHEMA
    assert result["verdict"] == verdict
    assert sum(result["counts"].values()) == len(result["cases"])


def test_an_unknown_key_is_no_part_of_it(tmp_path: Path) -> None:
    result = written(stories.bad(), tmp_path)
    assert wrong({**result, "extra": 1})
    result["findings"][0]["extra"] = 1
    assert wrong(result)


def test_what_is_left_for_a_person_stands_in_it_and_in_the_page(tmp_path: Path) -> None:
    result = written(verdicts.passed(), tmp_path)
    left = [m["requirement"] for m in result["manual"]]
    assert left == ["IoTPnP.Physicaldevice", "AzureCertified.Policy.LimitRecompile", "IoTPnP.ModelRepo"]
    page = (tmp_path / "reports" / "report.html").read_text(encoding="utf-8")
    assert all(m["task"] in page for m in result["manual"])


def test_a_full_run_leaves_what_edge_programmes_ask_of_a_person(tmp_path: Path) -> None:
    result = written(Tale().begun("full").connected().ended(5.0), tmp_path)
    assert "SecuredCore.Firmware.SecureBoot" in {m["requirement"] for m in result["manual"]}
    assert wrong(result) == []


def test_the_page_about_it_names_every_key() -> None:
    page = (REPO / "docs" / "result.md").read_text(encoding="utf-8")
    assert [name for name, _ in described(DESCRIBED) if f"`{name}`" not in page] == []
    assert SCHEMA in page

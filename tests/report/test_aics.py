"""aics.json: the fields of a test run as the service answered it, its statuses and no others."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.record import events as ev
from harness.report import write_reports
from tests.report import stories, verdicts
from tests.report.stories import Tale, replayed

RUN = ["id", "startTime", "endTime", "status", "certificationBadgeResults"]
BEFORE = ["name", "startTime", "endTime", "status", "logs", "rawData"]
VALIDATION = ["name", "timeout", "startTime", "endTime", "status", "message", "logs", "rawData"]
OURS = "x-preflight"
RUN_STATUSES = ("Queued", "Started", "Running", "Failed", "Completed", "Cancelled")
TASK_STATUSES = ("Created", "Running", "Failed", "Passed", "Cancelled", "Aborted")
"""All that the service had."""
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}\+00:00")
TALES: dict[str, tuple[Callable[[], Tale], str, str]] = {
    "passed": (verdicts.passed, "Completed", "Passed"),
    "warned": (verdicts.warned, "Completed", "PassedWithWarnings"),
    "bad": (stories.bad, "Failed", "Failed"),
    "blocked": (stories.blocked, "Failed", "Failed"),
    "interrupted": (stories.interrupted, "Cancelled", "Failed"),
    "empty": (Tale, "Failed", "Failed"),
}


def written(tale: Tale, folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    write_reports(replayed(tale, folder))
    read = [json.loads((folder / "reports" / n).read_text(encoding="utf-8")) for n in ("aics.json", "result.json")]
    return read[0], read[1]


def fields(task: dict[str, Any]) -> list[str]:
    return [name for name in task if name != OURS]


def tasks(document: dict[str, Any]) -> list[dict[str, Any]]:
    badges = document["certificationBadgeResults"]
    return [t for b in badges for t in (*b.get("preValidationTasks", ()), *b["validationTasks"])]


def task_of(document: dict[str, Any], name: str) -> dict[str, Any]:
    return next(t for t in tasks(document) if t["name"] == name)


@pytest.mark.parametrize("name", TALES)
def test_every_run_has_the_fields_of_the_service_and_no_others(name: str, tmp_path: Path) -> None:
    tell, status, outcome = TALES[name]
    document, result = written(tell(), tmp_path)
    assert fields(document) == RUN
    assert document["status"] == status in RUN_STATUSES
    assert document[OURS]["outcome"] == outcome
    pnp, *others = document["certificationBadgeResults"]
    assert list(pnp) == ["type", "preValidationTasks", "validationTasks", "resolutionSource"]
    assert pnp["type"] == "Pnp"
    assert all(fields(t) == BEFORE for t in pnp["preValidationTasks"])
    assert all(fields(t) == ["interfaceId", "componentName", *VALIDATION] for t in pnp["validationTasks"])
    for badge in others:
        assert list(badge) == ["type", "validationTasks"]
        assert badge["type"] in ("IotDevice", "IotEdgeCompatible")
        assert all(fields(t) == VALIDATION for t in badge["validationTasks"])
    for task in tasks(document):
        assert task["status"] in TASK_STATUSES
        assert task["status"] not in ("Created", "Running"), "nothing of a run that is over is still to come"
        assert all(list(entry) == ["time", "message"] and entry["message"] for entry in task["logs"])
        assert all(isinstance(raw, str) for raw in task["rawData"])
        assert isinstance(task.get("timeout", 0), int)
        times = [task["startTime"], task["endTime"], *(entry["time"] for entry in task["logs"])]
        assert all(t is None or TIME.fullmatch(t) for t in times)
        if "message" in task:
            assert task["message"] == task["logs"][-1]["message"]
    listed = [case for task in tasks(document) for case in task[OURS]["cases"]]
    judged = {c["id"] for c in result["cases"] if c["outcome"] not in ("not observable", "not chosen")}
    assert len(listed) == len(set(listed))
    assert judged <= set(listed) <= {c["id"] for c in result["cases"]}


def test_a_component_and_its_interface_are_a_task(tmp_path: Path) -> None:
    document, _ = written(verdicts.passed(), tmp_path)
    pnp = document["certificationBadgeResults"][0]
    pairs = [(t["componentName"], t["interfaceId"]) for t in pnp["validationTasks"]]
    assert pairs == [("Default component", "dtmi:test:Pump;1"), ("part1", "dtmi:test:Part;1")]
    assert pnp["resolutionSource"] == "UserUploads"
    assert {t["timeout"] for t in pnp["validationTasks"]} == {60}


def test_a_wrong_type_is_named_as_the_service_did(tmp_path: Path) -> None:
    document, _ = written(stories.bad(), tmp_path)
    root = task_of(document, "Default component")
    assert root["status"] == "Failed"
    told = [json.loads(entry["message"]) for entry in root["logs"][:-1]]
    flow = next(t for t in told if t.get("telemetryName") == "flow")
    assert list(flow) == [
        "telemetryName",
        "expectedSchemaType",
        "actualSchemaType",
        "message",
        "passed",
        "time",
    ]
    assert (flow["expectedSchemaType"], flow["actualSchemaType"], flow["passed"]) == ("Double", "String", False)
    prime = next(t for t in told if t.get("commandName") == "prime")
    assert (prime["expectedSchemaType"], prime["actualSchemaType"]) == ("Boolean", "String")
    hours = next(t for t in told if t.get("propertyName") == "hours")
    assert (hours["expectedSchemaType"], hours["actualSchemaType"], hours["passed"]) == (None, None, False)
    assert any('"flow' in raw for raw in root["rawData"])


def test_what_passed_names_no_types(tmp_path: Path) -> None:
    document, _ = written(verdicts.passed(), tmp_path)
    told = json.loads(task_of(document, "part1")["logs"][0]["message"])
    assert told["telemetryName"] == "heat"
    assert (told["expectedSchemaType"], told["actualSchemaType"], told["passed"]) == (None, None, True)


def test_a_warning_passes_and_stands_beside(tmp_path: Path) -> None:
    document, _ = written(verdicts.warned(), tmp_path)
    task = task_of(document, "Preflight.Conventions")
    assert task["status"] == "Passed"
    assert task[OURS]["outcome"] == "PassedWithWarnings"
    assert task[OURS]["elements"] == ["pressure"]


def test_a_fault_of_the_target_aborts_the_tasks(tmp_path: Path) -> None:
    tale = Tale().begun()
    tale.at(0.2, ev.TargetFailed("local", "Port 8883 is taken."))
    document, _ = written(tale, tmp_path)
    assert document["status"] == "Failed"
    assert {t["status"] for t in tasks(document)} == {"Aborted"}


def test_the_same_record_has_the_same_id(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    first, _ = written(verdicts.passed(), tmp_path / "a")
    again, _ = written(verdicts.passed(), tmp_path / "b")
    assert first["id"] == again["id"]

"""What a maker states, end to end: preflight.toml, waivers, AICS test-case files, profiles, and their replay."""

from __future__ import annotations

import json
from pathlib import Path

from harness.cli import main
from tests.plugin.conftest import MODELS, PUMP, Preflight

STATED = f"""
dut = "preflight simulate --fault wrong-type=part1.heat --fault missing-telemetry=strokes"
model-id = "{PUMP}"

[device]
messages = 2
within = 30

[telemetry.flow]
count = 2
interval = 1
tolerance = 5

[telemetry.strokes]
implemented = false

[properties.part1.limit]
judged = false

[[waivers]]
finding = "telemetry-invalid"
element = "part1.heat"
owner = "QA"
reason = "mended in 2.0"
expires = 2999-12-31
"""


def test_what_is_stated_is_judged_by_and_the_record_is_judged_by_it_again(preflight_in: Preflight) -> None:
    stated = preflight_in.folder / "preflight.toml"
    stated.write_text(STATED, encoding="utf-8")
    run = preflight_in("--pyargs", "harness.suite", "--profile", "smoke")
    assert run.code == 0, run.terminal
    assert run.result["verdict"] == "passed-with-warnings"
    assert ("element-not-implemented", "strokes") in run.findings
    assert run.cases["telemetry[part1.heat]"] == "passed"
    assert run.cases["writable_property[part1.limit]"] == "not chosen"
    assert "waived by QA until 2999-12-31: mended in 2.0" in run.terminal
    assert "profile smoke (window 10 s)" in run.terminal
    assert not [row for row in run.journal if row["kind"] == "property_written" and row["name"] == "limit"]
    skipped = {c.get("name") for c in run.junit.iter("testcase") if c.find("skipped") is not None}
    assert "writable_property[part1.limit]" in skipped

    stated.unlink()
    again = preflight_in("--pyargs", "harness.suite", "--replay", "reports/journal.jsonl")
    assert again.code == 0, again.terminal
    assert "verdict: passed with warnings" in again.terminal
    assert "waived by QA" in again.terminal


def test_an_expired_waiver_fails_the_run(preflight_in: Preflight) -> None:
    text = STATED.replace("2999-12-31", "2020-01-31")
    (preflight_in.folder / "preflight.toml").write_text(text, encoding="utf-8")
    run = preflight_in("--pyargs", "harness.suite", "--profile", "smoke", "-k", "waivers or (telemetry and heat)")
    assert run.code == 1
    assert set(run.findings) == {("telemetry-invalid", "part1.heat"), ("waiver-expired", "part1.heat")}


def test_a_test_case_file_that_was_written_and_edited_is_honoured(preflight_in: Preflight) -> None:
    path = preflight_in.folder / "cases.json"
    assert main(["test-cases", PUMP, "--models", str(MODELS), "--output", str(path)]) == 0
    device = ("--dut", "preflight simulate --fault missing-telemetry=flow", "--model-id", PUMP, "--profile", "smoke")
    arguments = (*device, "-k", "telemetry or expectations", "--window", "2", "--test-cases", "cases.json")
    assert preflight_in(*arguments).result["verdict"] == "passed-with-warnings"

    root = json.loads(path.read_text(encoding="utf-8"))
    tests = root["certificationBadgeTestCases"][0]["interfaceTests"][0]
    next(t for t in tests["telemetryTests"] if t["telemetry"]["name"] == "flow")["isMandatory"] = True
    tests["telemetryTests"].append({"telemetry": {"name": "flwo"}})
    path.write_text(json.dumps(root), encoding="utf-8")
    run = preflight_in(*arguments)
    assert run.code == 1
    assert set(run.findings) == {("telemetry-not-seen", "flow"), ("expectation-of-unknown-element", "flwo")}
    assert "did you mean `flow`?" in run.terminal


def test_a_wrong_file_is_a_usage_error_with_every_sentence_and_no_traceback(preflight_in: Preflight) -> None:
    path: Path = preflight_in.folder / "cases.json"
    path.write_text('[{"type": "Pmp"}, {"type": "Pnp", "interfaceTests": 5}]', encoding="utf-8")
    run = preflight_in("--dut", "preflight simulate", "--test-cases", "cases.json")
    assert run.code == 4
    assert "the badge type `Pmp` is not known (did you mean `Pnp`?)" in run.terminal
    assert "interfaceTests must be a list." in run.terminal
    assert "Traceback" not in run.terminal
    (preflight_in.folder / "preflight.toml").write_text("[telemetry.flow]\ncount = 0\nfoo = 1\n", encoding="utf-8")
    run = preflight_in("--dut", "preflight simulate")
    assert run.code == 4
    assert "count = 0 cannot be used" in run.terminal
    assert "unknown key `foo`" in run.terminal

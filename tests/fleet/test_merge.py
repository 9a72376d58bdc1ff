"""`preflight merge`: what several report folders say together, and what is not merged."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.fleet import read_reports, summarize, table
from tests.report.junit_rules import faults

HOSTILE = "<script>alert(1)</script>\x1b[31m|"


def _result(verdict: str = "passed", **more: Any) -> dict[str, Any]:
    failed = verdict == "failed"
    outcome = {"passed": "passed", "passed-with-warnings": "warning", "failed": "failed"}[verdict]
    finding = {"severity": "error", "requirement": "IoTPnP.D2C", "element": "flow", "message": f"Wrong. {HOSTILE}"}
    return {
        "verdict": verdict,
        "model_id": "dtmi:test:Pump;1",
        "device_id": "preflight-pump",
        "target": "local",
        "requirements": [{"id": "IoTPnP.D2C", "outcome": outcome}, {"id": "IoTPnP.DTDL", "outcome": "passed"}],
        "findings": [finding] if failed else [],
        "cases": [
            {"id": "telemetry[flow]", "requirement": "IoTPnP.D2C", "element": "flow", "outcome": outcome},
            {"id": "model_is_found", "requirement": "IoTPnP.DTDL", "element": "", "outcome": "passed"},
            {"id": "c2d", "requirement": "IoTPnP.C2D", "element": "", "outcome": "not chosen", "reason": HOSTILE},
        ],
        "timing": {"finished": 3.5},
        "versions": {"pnp-preflight": "0.1.0"},
        **more,
    }


def _put(folder: Path, result: dict[str, Any] | str, junit: str | None = None) -> Path:
    folder.mkdir(parents=True)
    (folder / "result.json").write_text(result if isinstance(result, str) else json.dumps(result))
    if junit is not None:
        (folder / "junit.xml").write_text(junit)
    return folder


def _merge(*arguments: Path | str, output: Path) -> int:
    return main(["merge", *map(str, arguments), "--output", str(output)])


JUNIT = """<testsuites><testsuite name="IoTPnP.D2C" package="preflight" id="0" hostname="localhost" tests="2"
failures="1" errors="0" skipped="1" timestamp="2026-01-31T08:00:00" time="2.5">
<properties><property name="verdict" value="failed"/></properties>
<testcase classname="IoTPnP.D2C" name="telemetry[flow]" time="1"><failure type="t" message="m">text</failure></testcase>
<testcase classname="IoTPnP.D2C" name="c2d" time="0"><skipped type="s" message="s">text</skipped></testcase>
<system-out/><system-err/></testsuite></testsuites>"""


@pytest.mark.parametrize(
    ("verdicts", "strict", "verdict", "code"),
    [
        (("passed", "passed"), False, "passed", 0),
        (("passed", "passed-with-warnings"), False, "passed-with-warnings", 0),
        (("passed", "passed-with-warnings"), True, "passed-with-warnings", 1),
        (("failed", "passed-with-warnings"), False, "failed", 1),
    ],
)
def test_the_verdict_is_that_of_the_worst(
    tmp_path: Path, verdicts: tuple[str, ...], strict: bool, verdict: str, code: int
) -> None:
    for number, each in enumerate(verdicts):
        _put(tmp_path / "in" / f"d{number}", _result(each))
    out = tmp_path / "out"
    assert _merge(tmp_path / "in", *["--strict"] * strict, output=out) == code
    summary = json.loads((out / "fleet.json").read_text())
    assert summary["verdict"] == verdict
    assert [(d["name"], d["verdict"]) for d in summary["devices"]] == [(f"d{n}", v) for n, v in enumerate(verdicts)]


def test_the_summary_holds_each_device_and_the_worst_of_each_requirement(tmp_path: Path) -> None:
    _put(tmp_path / "a", _result(device="pump"))
    _put(tmp_path / "b", _result("failed", device="Boiler"))
    summary = summarize(read_reports([tmp_path / "a", tmp_path / "b" / "result.json"]), tmp_path / "out")
    assert [d["name"] for d in summary["devices"]] == ["Boiler", "pump"]
    assert summary["devices"][0]["cases"] == {"passed": 1, "failed": 1, "not chosen": 1}
    assert summary["devices"][0]["findings"] == {"error": 1, "warning": 0, "info": 0}
    assert (summary["devices"][0]["reports"], summary["devices"][0]["seconds"]) == ("../b", 3.5)
    outcomes = {row["id"]: row["outcome"] for row in summary["requirements"]}
    assert outcomes == {"IoTPnP.D2C": "failed", "IoTPnP.DTDL": "passed"}
    heading, boiler, pump = table(summary)
    assert heading.split() == ["device", "verdict", "cases", "model", "reports"]
    assert boiler.startswith("Boiler  failed ")
    assert pump.startswith("pump    passed ")


def test_one_junit_file_has_a_suite_for_each_device(tmp_path: Path) -> None:
    _put(tmp_path / "in" / "pump", _result("failed"), JUNIT)
    _put(tmp_path / "in" / "tank", _result("failed"))
    assert _merge(tmp_path / "in", output=tmp_path / "out") == 1
    root = ET.parse(tmp_path / "out" / "junit.xml").getroot()
    assert [s.get("name") for s in root] == ["pump: IoTPnP.D2C", "tank: pre-flight"]
    counts = [[s.get(k) for k in ("tests", "failures", "errors", "skipped")] for s in root]
    assert counts == [["2", "1", "0", "1"], ["3", "1", "0", "1"]]
    pump, tank = ([(c.get("classname"), c.get("name")) for c in s.iter("testcase")] for s in root)
    assert pump == [("pump.IoTPnP.D2C", "telemetry[flow]"), ("pump.IoTPnP.D2C", "c2d")]
    assert tank[0] == ("tank.IoTPnP.D2C", "telemetry[flow]")
    assert "Wrong." in (root[1].findtext("testcase/failure") or "")
    assert faults(root) == []


def test_what_a_device_wrote_is_no_markup(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _put(tmp_path / "in" / "pump", _result("failed", model_id=HOSTILE, device=HOSTILE))
    assert _merge(tmp_path / "in", output=tmp_path / "out") == 1
    assert "<script" not in (tmp_path / "out" / "fleet.html").read_text()
    assert "\x1b" not in capsys.readouterr().out


def test_the_page_links_to_the_reports_that_are_there(tmp_path: Path) -> None:
    (_put(tmp_path / "in" / "pump no 3", _result()) / "report.html").touch()
    _put(tmp_path / "in" / "tank", _result())
    assert _merge(tmp_path / "in", output=tmp_path / "out") == 0
    text = (tmp_path / "out" / "fleet.html").read_text()
    assert 'href="../in/pump%20no%203/report.html"' in text
    assert text.count("href=") == 1


def test_a_device_that_left_nothing_has_failed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _put(tmp_path / "in" / "pump", _result())
    assert _merge(tmp_path / "in", "--expect", "pump", "--expect", "tank", "--json", output=tmp_path / "out") == 1
    summary = json.loads(capsys.readouterr().out)
    assert [(d["name"], d["verdict"], d["judged"]) for d in summary["devices"]] == [
        ("pump", "passed", True),
        ("tank", "failed", False),
    ]
    assert summary == json.loads((tmp_path / "out" / "fleet.json").read_text())
    root = ET.parse(tmp_path / "out" / "junit.xml").getroot()
    assert root[1].find("testcase/error") is not None
    assert faults(root) == []
    assert "failed: no result" in (tmp_path / "out" / "fleet.html").read_text()


def _empty(at: Path) -> None:
    (at / "a").mkdir(parents=True)


def _truncated(at: Path) -> None:
    _put(at / "a", json.dumps(_result())[:100])


def _twice(at: Path) -> None:
    _put(at / "a", _result(device="pump"))
    _put(at / "b", _result(device="Pump"))


def _mixed(at: Path) -> None:
    _put(at / "a", _result())
    _put(at / "b", _result(versions={"pnp-preflight": "0.2.0"}))


def _binary(at: Path) -> None:
    _put(at / "a", _result())
    (at / "a" / "result.json").write_bytes(b"\xff\xfe\x00")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (_empty, "There is no result.json in"),
        (_truncated, "is not whole: it is not JSON"),
        (_binary, "is not whole: it is not JSON"),
        (_twice, "are both results of pump"),
        (_mixed, "Different versions of pnp-preflight judged: a by 0.1.0, b by 0.2.0"),
        (lambda at: None, "There is no"),
        (lambda at: _put(at / "a", "[]"), "it holds no object"),
        (lambda at: _put(at / "a", {**_result(), "verdict": "fine"}), "its verdict"),
        (lambda at: _put(at / "a", {**_result(), "cases": [{"id": 5}]}), "its cases are not what they should be"),
        (lambda at: _put(at / "a", {**_result(), "requirements": [{"id": "a", "outcome": "x"}]}), "an outcome that is"),
        (lambda at: _put(at / "a", _result(), "<testsuites><tes"), "junit.xml is not whole"),
        (lambda at: _put(at / "a", _result(), "<html/>"), "is no JUnit file"),
        (lambda at: _put(at / "a", "[" * 100_000), "is not whole"),
    ],
)
def test_what_cannot_be_merged_is_said(
    tmp_path: Path, given: Any, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given(tmp_path / "in")
    assert _merge(tmp_path / "in", output=tmp_path / "out") == 2
    assert says in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_the_reports_of_one_device_are_not_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _put(tmp_path / "reports", _result(), JUNIT)
    assert _merge(tmp_path / "reports", output=tmp_path / "reports") == 2
    assert "name another folder with --output" in capsys.readouterr().err
    assert (tmp_path / "reports" / "junit.xml").read_text() == JUNIT

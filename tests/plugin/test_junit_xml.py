"""pytest's own `--junit-xml`, under pytest-xdist, beside reports/junit.xml: the same content, and one run."""

from __future__ import annotations

import argparse
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.plugin import distributed
from harness.plugin.terminal import Terminal
from harness.settings import Settings
from tests.plugin.conftest import PUMP, Outcome, Preflight
from tests.report.junit_rules import faults
from tests.report.test_same_numbers import OnGitHub

DEVICE = "preflight simulate --fault missing-telemetry=flow --fault command-error=prime"
QUICK = ("--profile", "smoke", "--window", "1", "-n", "2", "--junit-xml", "own.xml")
RESULTS = ("failure", "error", "skipped")


def result_of(case: ET.Element) -> str:
    return next((tag for tag in RESULTS if case.find(tag) is not None), "passed")


def properties(element: ET.Element) -> dict[str, str]:
    return {p.get("name", ""): p.get("value", "") for p in element.iter("property")}


def ours(root: ET.Element) -> dict[str, tuple[str, dict[str, str]]]:
    """Of each case its result, and its properties as its suite has them."""
    found = {}
    for suite in root.iter("testsuite"):
        of_suite = properties(suite)
        common = {"requirement": of_suite["requirement"], "clause": of_suite["clause"]}
        for case in suite.iter("testcase"):
            name = case.get("name", "")
            own = {k.removeprefix(f"{name}."): v for k, v in of_suite.items() if k.startswith(f"{name}.")}
            found[name] = (result_of(case), {**common, **own})
    return found


def pytests(root: ET.Element) -> dict[str, tuple[str, dict[str, str]]]:
    cases = root.iter("testcase")
    return {c.get("name", "").removeprefix("test_"): (result_of(c), properties(c)) for c in cases}


def said(run: Outcome) -> dict[str, str]:
    cases = ET.parse(run.reports.parent / "own.xml").getroot().iter("testcase")
    return {c.get("name", "").removeprefix("test_"): c.findtext("system-out") or "" for c in cases}


def test_two_workers_make_one_run_and_both_reports_say_the_same(preflight_in: Preflight) -> None:
    (preflight_in.folder / "pytest.ini").write_text("[pytest]\n")
    on_github = OnGitHub(preflight_in.folder, preflight_in.address)
    run = on_github("--dut", DEVICE, "--model-id", PUMP, *QUICK, "--pyargs", "harness.suite", timeout=300)
    assert run.code == 1, run.terminal
    assert run.terminal.count("verdict: failed") == 1
    assert "2 workers" in run.terminal
    assert run.terminal.count("::error title=IoTPnP.DirectMethods prime::") == 1
    assert (preflight_in.folder / "step.md").read_text(encoding="utf-8").count("## Pre-flight: failed") == 1
    assert [r["kind"] for r in run.journal].count("target_opened") == 1
    assert [r["kind"] for r in run.journal].count("device_started") == 1
    own = pytests(ET.parse(run.reports.parent / "own.xml").getroot())
    assert faults(run.junit) == []
    assert own == ours(run.junit)
    assert set(own) == set(run.cases)
    assert {name: p["outcome"] for name, (_, p) in own.items()} == run.cases
    warned, failed = own["telemetry[flow]"], own["command[prime]"]
    assert warned[0] == "passed"
    assert warned[1]["findings"] == "telemetry-not-seen"
    assert failed[0] == "failure"
    assert failed[1]["element"] == "prime"
    printed = said(run)
    assert printed["telemetry[flow]"].startswith("Telemetry flow was not seen")
    assert "command_returned: prime answered: 500" in printed["command[prime]"]
    in_suites = "\n".join(run.junit.findtext(f".//testsuite[{i}]/system-out") or "" for i in range(1, 20))
    assert [text for text in printed.values() if text not in in_suites] == []


def test_other_tests_are_free_and_those_about_the_device_stay_together(preflight_in: Preflight) -> None:
    (preflight_in.folder / "pytest.ini").write_text("[pytest]\n")
    (preflight_in.folder / "test_mine.py").write_text(
        "import os, pathlib, pytest\n"
        "@pytest.mark.parametrize('n', range(6))\n"
        "def test_about_the_device(preflight, n):\n    note('device')\n"
        "@pytest.mark.parametrize('n', range(6))\n"
        "def test_alone(n):\n    note('alone')\n"
        "def note(kind):\n"
        "    with open('noted.txt', 'a') as f:\n        f.write(f\"{kind} {os.environ['PYTEST_XDIST_WORKER']}\\n\")\n"
    )
    journal = _recorded(preflight_in.folder)
    run = preflight_in("--replay", str(journal), "-n", "2", "test_mine.py", timeout=300)
    assert run.code == 0, run.terminal
    noted = [line.split() for line in (preflight_in.folder / "noted.txt").read_text().splitlines()]
    assert len({worker for kind, worker in noted if kind == "device"}) == 1
    assert len(noted) == 12


def test_what_a_worker_has_to_say_is_seen(capsys: pytest.CaptureFixture[str]) -> None:
    plugins = SimpleNamespace(get_plugin={"terminalreporter": SimpleNamespace(isatty=False)}.get)
    plugins.get_plugin("terminalreporter").ensure_newline = lambda: None
    config: Any = SimpleNamespace(workerinput={}, pluginmanager=plugins)
    Terminal(config, str).say("Configure the device with these settings")
    assert capsys.readouterr() == ("", "Configure the device with these settings\n")


def _recorded(folder: Path) -> Path:
    from harness.record.journal import encode
    from tests.report.verdicts import passed

    journal = folder / "told.jsonl"
    journal.write_text("\n".join(encode(e) for e in passed().entries) + "\n", encoding="utf-8")
    return journal


def _config(**options: Any) -> Any:
    option = argparse.Namespace(tx=["3*popen", "popen"], **options)
    return SimpleNamespace(option=option, getoption=lambda name, default=None: getattr(option, name, default))


def test_a_model_that_the_device_is_asked_for_leaves_one_worker() -> None:
    config = _config(dist="load")
    assert distributed.controller(config, Settings(dut="x")) is not None
    assert config.option.tx == ["popen"]


def test_a_model_that_is_named_leaves_all() -> None:
    config = _config(dist="load")
    assert distributed.controller(config, Settings(dut="x", model_id=PUMP)) is not None
    assert config.option.tx == ["3*popen", "popen"]


def test_without_a_device_nothing_is_changed() -> None:
    assert distributed.controller(_config(dist="load"), Settings()) is None
    assert distributed.controller(_config(dist="no"), Settings(dut="x")) is None


def test_everything_on_every_worker_is_refused() -> None:
    with pytest.raises(pytest.UsageError, match="--dist each"):
        distributed.controller(_config(dist="each"), Settings(dut="x"))

"""Fleets end to end: `pytest` as a user runs it, with simulated devices of different models."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.addresses import free_address
from tests.paths import REPO
from tests.report.junit_rules import faults

MODELS = REPO / "tests" / "plugin" / "models"
FLEET = f"""
dut = "preflight simulate --raw"
models = ["{MODELS.as_posix()}"]
profile = "smoke"

[[fleet]]
name = "pump"
model-id = "dtmi:test:Pump;1"
dut = "preflight simulate --raw --fault command-error=prime"

[[fleet]]
name = "Part-7"
model-id = "dtmi:test:Part;1"

[[fleet]]
name = "tank"
model-id = "dtmi:test:Tank;1"
attestation = "x509"
"""
OWN_TEST = """
def test_own(hub, device_id):
    assert hub.device_twin(device_id)

def test_unrelated():
    pass
"""


@dataclass(frozen=True)
class Session:
    """What a user sees of a session."""

    code: int
    terminal: str
    reports: Path

    def result(self, device: str) -> dict[str, Any]:
        return json.loads((self.reports / device / "result.json").read_text("utf-8"))  # type: ignore[no-any-return]

    @property
    def summary(self) -> dict[str, Any]:
        return json.loads((self.reports / "fleet.json").read_text("utf-8"))  # type: ignore[no-any-return]


def _run(folder: Path, *arguments: str, program: str = "pytest") -> Session:
    ours = {k: v for k, v in os.environ.items() if not k.startswith(("PREFLIGHT_", "PYTEST_", "GITHUB_", "TF_"))}
    done = subprocess.run(
        [sys.executable, "-m", program, *(["-p", "no:cacheprovider"] if program == "pytest" else []), *arguments],
        cwd=folder,
        env={**ours, "PYTHONPATH": str(REPO)},
        capture_output=True,
        text=True,
        timeout=480,
        check=False,
    )
    return Session(done.returncode, done.stdout + done.stderr, folder / "reports")


@pytest.fixture(scope="module")
def side_by_side(tmp_path_factory: pytest.TempPathFactory) -> Session:
    folder = tmp_path_factory.mktemp("fleet")
    (folder / "preflight.toml").write_text(FLEET)
    (folder / "test_own.py").write_text(OWN_TEST)
    return _run(folder, "-n", "3", "-v", "--pyargs", "harness.suite", "test_own.py", "--junit-xml", "pytest.xml")


def test_the_worst_device_fails_the_session_and_harms_no_other(side_by_side: Session) -> None:
    session = side_by_side
    assert session.code == 1, session.terminal
    assert {d: session.result(d)["verdict"] for d in ("pump", "Part-7", "tank")} == {
        "pump": "failed",
        "Part-7": "passed",
        "tank": "passed",
    }
    assert session.terminal.rstrip().splitlines()[-1] == "verdict: failed"


def test_each_device_has_a_report_of_its_own(side_by_side: Session) -> None:
    for device, model, telemetry in (
        ("pump", "dtmi:test:Pump;1", {"telemetry[flow]", "telemetry[strokes]", "telemetry[part1.heat]"}),
        ("Part-7", "dtmi:test:Part;1", {"telemetry[heat]"}),
        ("tank", "dtmi:test:Tank;1", {"telemetry[level]"}),
    ):
        result = side_by_side.result(device)
        cases = {case["id"] for case in result["cases"]}
        assert (result["device"], result["model_id"]) == (device, model)
        assert result["device_id"] == f"preflight-{device.lower()}"
        assert {case for case in cases if case.startswith("telemetry[")} == telemetry
        names = {c.get("name") for c in ET.parse(side_by_side.reports / device / "junit.xml").iter("testcase")}
        assert names == cases
        journal = (side_by_side.reports / device / "journal.jsonl").read_text("utf-8")
        others = {"preflight-pump", "preflight-part-7", "preflight-tank"} - {result["device_id"]}
        assert not [other for other in others if other in journal]


def test_the_devices_ran_at_once_on_addresses_of_their_own(side_by_side: Session) -> None:
    opened = {}
    for device in ("pump", "Part-7", "tank"):
        rows = [
            json.loads(r) for r in (side_by_side.reports / device / "journal.jsonl").read_text("utf-8").splitlines()
        ]
        opened[device] = next(row["endpoints"]["hub"] for row in rows if row["kind"] == "target_opened")
    if sys.platform != "darwin":
        assert len(set(opened.values())) == 3
        workers = {line.split()[0] for line in side_by_side.terminal.splitlines() if "::test_connects_to_hub[" in line}
        assert workers >= {"[gw0]", "[gw1]", "[gw2]"}


def test_tests_are_named_after_their_device(side_by_side: Session) -> None:
    cases = {
        (c.get("name"), c.get("classname"))
        for c in ET.parse(side_by_side.reports.parent / "pytest.xml").iter("testcase")
    }
    names = {name for name, _ in cases}
    assert {"test_telemetry[pump-part1.heat]", "test_telemetry[tank-level]", "test_connects_to_hub[Part-7]"} <= names
    assert {"test_own[pump]", "test_own[Part-7]", "test_own[tank]", "test_unrelated"} <= names
    assert "@" not in "".join(map(str, names))


def test_the_summary_has_every_device(side_by_side: Session) -> None:
    summary = side_by_side.summary
    assert [(d["name"], d["verdict"], d["reports"]) for d in summary["devices"]] == [
        ("Part-7", "passed", "Part-7"),
        ("pump", "failed", "pump"),
        ("tank", "passed", "tank"),
    ]
    assert (summary["devices"][1]["cases"]["failed"], summary["verdict"]) == (1, "failed")
    page = (side_by_side.reports / "fleet.html").read_text("utf-8")
    assert 'href="Part-7/report.html"' in page
    suites = ET.parse(side_by_side.reports / "junit.xml").getroot()
    names = [str(s.get("name")).partition(": ")[0] for s in suites]
    assert list(dict.fromkeys(names)) == ["Part-7", "pump", "tank"]
    assert faults(suites) == []


def test_merged_shards_equal_the_own_summary_of_the_fleet(side_by_side: Session, tmp_path: Path) -> None:
    own = {name: (side_by_side.reports / name).read_text("utf-8") for name in ("fleet.json", "fleet.html", "junit.xml")}
    merged = _run(
        tmp_path, "merge", str(side_by_side.reports), "--output", str(side_by_side.reports), program="harness"
    )
    assert merged.code == 1, merged.terminal
    assert own == {name: (side_by_side.reports / name).read_text("utf-8") for name in own}


def test_a_shard_is_the_same_as_in_the_fleet(side_by_side: Session, tmp_path: Path) -> None:
    (tmp_path / "preflight.toml").write_text(FLEET)
    stale = tmp_path / "reports" / "pump" / "result.json"
    stale.parent.mkdir(parents=True)
    stale.write_text("of an earlier run")
    shard = _run(tmp_path, "--device", "tank", "--listen", free_address(), "--pyargs", "harness.suite", "-v")
    assert shard.code == 0, shard.terminal
    assert "test_telemetry[tank-level]" in shard.terminal
    assert not (shard.reports / "fleet.json").exists()
    assert stale.read_text() == "of an earlier run"
    in_fleet = side_by_side.result("tank")
    assert {c["id"]: c["outcome"] for c in shard.result("tank")["cases"]} == {
        c["id"]: c["outcome"] for c in in_fleet["cases"]
    }


STOPS_AT_THE_TANK = """
import pytest

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    if "[tank" in item.name:
        raise KeyboardInterrupt
"""


def test_without_xdist_one_device_follows_the_other_and_what_never_began_has_no_result(tmp_path: Path) -> None:
    (tmp_path / "preflight.toml").write_text(FLEET)
    (tmp_path / "stopping.py").write_text(STOPS_AT_THE_TANK)
    stale = tmp_path / "reports" / "tank" / "result.json"
    stale.parent.mkdir(parents=True)
    stale.write_text("of an earlier run")
    address = free_address()
    session = _run(tmp_path, "-p", "no:xdist", "-p", "stopping", "--listen", address, "--pyargs", "harness.suite", "-v")
    assert session.code == 2, session.terminal
    tests = [line for line in session.terminal.splitlines() if "::test_" in line and "%]" in line]
    turns = [next(d for d in ("pump", "Part-7", "tank") if f"[{d}" in line) for line in tests]
    assert turns == sorted(turns, key=("pump", "Part-7").index)
    assert {d["name"]: (d["judged"], d["verdict"]) for d in session.summary["devices"]} == {
        "Part-7": (True, "passed"),
        "pump": (True, "failed"),
        "tank": (False, "failed"),
    }
    assert not stale.exists()


def test_a_wrong_fleet_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "preflight.toml").write_text(FLEET)
    session = _run(tmp_path, "--device", "tnk", "--pyargs", "harness.suite")
    assert session.code == 4
    assert "The fleet has no device 'tnk' (did you mean `tank`?). Its devices: pump, Part-7, tank." in session.terminal
    assert "Traceback" not in session.terminal

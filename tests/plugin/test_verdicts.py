"""The whole road, end to end: real TLS, real MQTT, a device process on Microsoft's SDK."""

from __future__ import annotations

import json
import sys

from tests.paths import REPO
from tests.plugin.conftest import PUMP, Preflight

SIMULATE = "preflight simulate"
SOON = ("--window", "1", "--ack-timeout", "1", "--command-timeout", "5")
DECLARED = {
    "telemetry[flow]",
    "telemetry[strokes]",
    "telemetry[part1.heat]",
    "read_only_property[hours]",
    "read_only_property[part1.serial]",
    "writable_property[speed]",
    "writable_property[part1.limit]",
    "command[prime]",
    "command[part1.reset]",
}


def test_a_good_device_passes(preflight_in: Preflight) -> None:
    run = preflight_in("--dut", SIMULATE, "--model-id", PUMP)
    assert run.code == 0, run.terminal
    assert run.result["verdict"] == "passed"
    assert run.result["model_id"] == PUMP
    assert run.terminal.rstrip().splitlines()[-1] == "verdict: passed"
    assert set(run.cases) >= DECLARED
    assert set(run.cases.values()) == {"passed"}
    names = {case.get("name") for case in run.junit.iter("testcase")}
    assert names == set(run.cases)
    timing = run.result["timing"]
    assert timing["enrolled"] <= timing["registered"] <= timing["connected"] <= timing["judged"] <= timing["finished"]
    assert (run.reports / "device.log").exists()


def test_the_earlier_values_are_put_back(preflight_in: Preflight) -> None:
    run = preflight_in("--dut", SIMULATE, "--model-id", PUMP)
    first = {}
    for row in run.journal:
        if row["kind"] == "twin_read":
            reported = row["twin"]["properties"]["reported"]
            first = {"speed": reported["speed"]["value"], "limit": reported["part1"]["limit"]["value"]}
    restored = {
        r["name"]: r["value"] for r in run.journal if r["kind"] == "property_written" and r["purpose"] == "restore"
    }
    assert restored == first


def test_the_model_is_discovered_when_none_is_named(preflight_in: Preflight) -> None:
    run = preflight_in("--dut", f"{SIMULATE} --model-id {PUMP} --models {REPO}/tests/plugin/models")
    assert run.code == 0, run.terminal
    assert run.result["model_id"] == PUMP
    assert set(run.cases) >= DECLARED


def test_telemetry_never_sent_is_a_warning_and_with_strict_a_failure(preflight_in: Preflight) -> None:
    device = ("--dut", f"{SIMULATE} --fault missing-telemetry=flow", "--model-id", PUMP, "--window", "2")
    run = preflight_in(*device)
    assert run.code == 0, run.terminal
    assert run.result["verdict"] == "passed-with-warnings"
    assert run.findings == [("telemetry-not-seen", "flow")]
    assert run.terminal.rstrip().splitlines()[-1] == "verdict: passed with warnings"
    strict = preflight_in(*device, "--strict")
    assert strict.code == 1
    assert strict.result["verdict"] == "passed-with-warnings"


def test_a_string_for_a_double_fails_and_names_the_element(preflight_in: Preflight) -> None:
    run = preflight_in("--dut", f"{SIMULATE} --fault wrong-type=part1.heat", "--model-id", PUMP)
    assert run.code == 1
    assert run.result["verdict"] == "failed"
    assert run.findings == [("telemetry-invalid", "part1.heat")]
    assert "part1.heat" in run.terminal
    failures = [c.get("name") for c in run.junit.iter("testcase") if c.find("failure") is not None]
    assert failures == ["telemetry[part1.heat]"]


def test_no_model_id_in_the_dps_payload_fails_that_alone(preflight_in: Preflight) -> None:
    run = preflight_in("--dut", f"{SIMULATE} --fault no-dps-model-id", "--model-id", PUMP)
    assert run.findings == [("dps-payload-without-model-id", "")]


def test_no_model_id_in_the_connect_is_one_failure(preflight_in: Preflight) -> None:
    run = preflight_in("--dut", f"{SIMULATE} --fault no-hub-model-id", "--model-id", PUMP)
    assert [code for code, _ in run.findings] == ["connect-without-model-id"]
    assert run.cases["digital_twin_names_model"] == "blocked"


def test_a_bare_acknowledgement_fails(preflight_in: Preflight) -> None:
    run = preflight_in("--dut", f"{SIMULATE} --fault bare-ack", "--model-id", PUMP)
    writable = ("speed", "part1.limit")
    assert set(run.findings) == {(code, path) for code in ("ack-incomplete", "initial-value-bare") for path in writable}


def test_a_command_that_fails_is_named(preflight_in: Preflight) -> None:
    run = preflight_in("--dut", f"{SIMULATE} --fault command-error=prime", "--model-id", PUMP)
    assert run.findings == [("command-status", "prime")]


def test_no_device_is_one_failure_and_the_rest_is_blocked(preflight_in: Preflight) -> None:
    run = preflight_in("--dut", f"{SIMULATE} --fault silent", "--model-id", PUMP, "--connect-timeout", "3")
    assert run.code == 1
    outcomes = run.cases
    assert outcomes.pop("registers_through_dps") == "failed"
    assert set(outcomes.values()) <= {"blocked", "passed"}
    assert [c for c, o in outcomes.items() if o == "passed"] == []
    assert len(run.findings) == 1


def test_registered_but_never_connected(preflight_in: Preflight) -> None:
    run = preflight_in("--dut", f"{SIMULATE} --fault no-hub", "--model-id", PUMP, "--connect-timeout", "4")
    assert run.cases["registers_through_dps"] == "passed"
    assert [code for code, _ in run.findings] == ["device-not-connected"]
    assert "DeviceNotConnected" in run.terminal
    assert "Reboot the device and restart provisioning" in run.terminal


def test_a_device_that_ends_early_shows_its_last_lines(preflight_in: Preflight) -> None:
    device = f"{sys.executable} -c \"print('firmware 7: no network'); raise SystemExit(3)\""
    run = preflight_in("--dut", device, "--model-id", PUMP)
    assert run.code == 1
    assert "firmware 7: no network" in run.terminal
    assert "exit code 3" in run.terminal
    assert "firmware 7: no network" in (run.reports / "device.log").read_text()


def test_a_command_that_does_not_exist(preflight_in: Preflight) -> None:
    run = preflight_in("--dut", "no-such-program --flag", "--model-id", PUMP)
    assert run.code == 1
    assert "not found: no-such-program" in run.terminal
    assert "Traceback" not in run.terminal
    assert len(run.findings) == 1


def test_a_wrong_key(preflight_in: Preflight) -> None:
    key = "d3Jvbmcga2V5IHdyb25nIGtleSB3cm9uZyBrZXkgd3I="
    device = f"{sys.executable} -c \"import os, subprocess; os.environ['IOTHUB_DEVICE_DPS_DEVICE_KEY']='{key}'; "
    device += "subprocess.call(['preflight', 'simulate'])\""
    run = preflight_in("--dut", device, "--model-id", PUMP, "--connect-timeout", "20")
    assert run.cases["registers_through_dps"] == "failed"
    assert "check the key" in run.terminal.lower()


def test_the_model_id_differs_from_what_the_device_announces(preflight_in: Preflight) -> None:
    run = preflight_in("--dut", f"{SIMULATE} --model-id dtmi:test:Part;1", "--model-id", PUMP, *SOON)
    assert run.cases["model_ids_agree"] == "failed"
    assert "dtmi:test:Part;1" in run.terminal


def test_a_model_that_is_nowhere_lists_every_place(preflight_in: Preflight) -> None:
    run = preflight_in("--dut", f"{SIMULATE} --model-id {PUMP}", "--model-id", "dtmi:test:Nowhere;1")
    assert run.cases["model_is_found"] == "failed"
    assert "tests/plugin/models" in run.terminal.replace("\\", "/")
    assert "devicemodels.azure.com" in run.terminal


def test_a_journal_is_judged_again_without_the_device(preflight_in: Preflight) -> None:
    recorded = preflight_in("--dut", f"{SIMULATE} --fault command-error=prime", "--model-id", PUMP)
    assert recorded.code == 1
    (recorded.reports / "journal.jsonl").rename(preflight_in.folder / "old.jsonl")
    for report in set(recorded.reports.iterdir()) - {recorded.reports / "device.log"}:
        report.unlink()
    again = preflight_in("--replay", "old.jsonl")
    assert again.code == 1
    assert "test_command[prime]" in again.terminal
    assert "recorded verdict: failed (the same as today's)" in again.terminal
    assert again.terminal.rstrip().splitlines()[-1] == "verdict: failed"
    assert [p.name for p in again.reports.iterdir()] == ["device.log"], "a replay writes no reports unasked"
    cut = (preflight_in.folder / "old.jsonl").read_text().splitlines()
    (preflight_in.folder / "cut.jsonl").write_text("\n".join(cut[:-1])[:-30])
    shortened = preflight_in("--replay", "cut.jsonl")
    assert "the run ended here" in shortened.terminal
    assert "it is judged up to entry" in shortened.terminal
    assert "Traceback" not in shortened.terminal


def test_a_replay_says_what_differs_from_the_recorded_verdict(preflight_in: Preflight) -> None:
    recorded = preflight_in("--dut", SIMULATE, "--model-id", PUMP, "--profile", "smoke")
    journal = (recorded.reports / "journal.jsonl").read_text(encoding="utf-8")
    head, _, end = journal.rstrip().rpartition("\n")
    ended = json.loads(end)
    ended |= {"verdict": "failed", "cases": ended["cases"] | {"command[prime]": "failed"}}
    (preflight_in.folder / "edited.jsonl").write_text(f"{head}\n{json.dumps(ended)}\n", encoding="utf-8")
    again = preflight_in("--replay", "edited.jsonl", "--reports", "again")
    assert "recorded verdict: failed (today's is another one)" in again.terminal
    assert "  command[prime]: failed then, passed now" in again.terminal
    assert again.terminal.rstrip().splitlines()[-1] == "verdict: passed"
    result = json.loads((preflight_in.folder / "again" / "result.json").read_text(encoding="utf-8"))
    assert {c["id"]: c["outcome"] for c in result["cases"]} == recorded.cases  # of the recorded profile
    assert result["timing"]["connected"] == recorded.result["timing"]["connected"]

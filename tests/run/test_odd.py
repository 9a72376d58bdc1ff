"""Devices that do one odd thing while they are tested: one clear finding each, and what comes later is unharmed."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.plugin.conftest import Outcome, Preflight
from tests.plugin.conftest import preflight_in as preflight_in

HERE = Path(__file__).parent
SOON = ("--window", "5", "--ack-timeout", "3", "--command-timeout", "5", "--connect-timeout", "30")


def try_out(preflight: Preflight, device: str, *more: str) -> Outcome:
    command = f'"{sys.executable}" "{HERE / "odd.py"}" {device}'
    return preflight(
        "--models", str(HERE / "models"), "--model-id", "dtmi:test:Plant;1", "--dut", command, *SOON, *more, timeout=180
    )


def errors(run: Outcome) -> list[tuple[str, str]]:
    return [(f["code"], f["element"]) for f in run.result["findings"] if f["severity"] == "error"]


def test_a_device_that_takes_messages_passes(preflight_in: Preflight) -> None:
    run = try_out(preflight_in, "listening")
    assert run.code == 0, run.terminal
    assert run.findings == []
    settled = [row["outcome"] for row in run.journal if row["kind"] == "c2d_settled"]
    assert settled == ["Success"]


def test_a_device_that_really_reboots_passes(preflight_in: Preflight) -> None:
    run = try_out(preflight_in, "rebooting")
    assert errors(run) == [], run.terminal
    assert run.cases["command[reboot]"] == "passed"
    assert sum(row["kind"] == "hub_connected" for row in run.journal) == 2


def test_a_device_whose_program_ends_to_be_started_again_passes(preflight_in: Preflight) -> None:
    run = try_out(preflight_in, "watched exiting")
    assert errors(run) == [], run.terminal
    assert run.cases["command[reboot]"] == "passed"
    assert sum(row["kind"] == "hub_connected" for row in run.journal) == 2
    (waited,) = [row for row in run.journal if row["kind"] == "wait_ended" and "come back" in row["waited_for"]]
    assert waited["satisfied"]


def test_a_device_that_does_nothing_at_all_is_one_finding(preflight_in: Preflight) -> None:
    run = try_out(preflight_in, "mute", "--window", "1", "-k", "connects_to_hub or telemetry or hours")
    assert run.findings == [("device-mute", "")], run.terminal
    assert run.cases["telemetry[flow]"] == run.cases["read_only_property[hours]"] == "blocked"
    assert "it subscribed to nothing" in run.terminal


def test_a_device_that_leaves_in_the_middle_of_a_command(preflight_in: Preflight) -> None:
    run = try_out(preflight_in, "leaving", "--connect-timeout", "15")
    assert errors(run) == [("command-disconnected", "valve1.open")], run.terminal
    assert run.cases["writable_property[valve1.trim]"] == "passed"
    assert run.cases["connection_holds"] == run.cases["command[reboot]"] == "blocked"


def test_a_device_that_dies_of_an_invalid_value(preflight_in: Preflight) -> None:
    run = try_out(preflight_in, "dyingofinvalid")
    assert errors(run) == [("dead-after-invalid-input", "speed")]
    assert run.cases["connection_holds"] == "blocked"
    assert run.cases["writable_property[valve1.trim]"] == "passed"
    assert run.cases["command[valve1.open]"] == "blocked"


def test_a_device_that_ends_in_the_middle_of_a_command(preflight_in: Preflight) -> None:
    run = try_out(preflight_in, "dropping")
    assert errors(run) == [("command-disconnected", "valve1.open")]
    assert run.cases["connection_holds"] == "blocked"
    assert run.cases["rejects_invalid_value[speed]"] == "passed"


def test_a_device_that_floods(preflight_in: Preflight) -> None:
    run = try_out(preflight_in, "flooding")
    assert ("telemetry-flood", "") in run.findings, run.terminal
    assert set(errors(run)) <= {("telemetry-flood", "")}, "how bad it looks depends on the speed of this machine"
    assert run.cases["command[valve1.open]"] == "passed"


def test_a_device_that_shares_one_acknowledgement(preflight_in: Preflight) -> None:
    run = try_out(preflight_in, "sharedack")
    assert errors(run) == [("acknowledgements-mixed-up", "speed")]
    assert ("unmarked-patch-ignored", "valve1.trim") in run.findings


def test_smoke_tries_everything_declared_once(preflight_in: Preflight) -> None:
    command = f'"{sys.executable}" "{HERE / "odd.py"}" device'
    run = preflight_in(
        "--models", str(HERE / "models"), "--model-id", "dtmi:test:Plant;1", "--dut", command, "--profile", "smoke"
    )
    assert run.code == 0, run.terminal
    purposes = {row["purpose"] for row in run.journal if row["kind"] in ("property_written", "command_sent")}
    assert purposes == {"exercise", "restore"}

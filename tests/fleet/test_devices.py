"""Which devices preflight.toml has, what each of them is set to, and clear words about wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.fleet import Fleet, load_fleet
from harness.settings import SettingsError, load
from tests.paths import REPO

TWO = """
dut = "preflight simulate"
window = 5
models = ["models"]
model-id = "dtmi:of:all;1"

[telemetry.flow]
interval = 5

[[waivers]]
finding = "a"
owner = "o"
reason = "r"
expires = 2099-01-01

[[fleet]]
name = "Pump-3"
model-id = "dtmi:test:Pump;1"

[fleet.telemetry.flow]
count = 3

[fleet.device]
firmware = "2"

[[fleet]]
name = "tank"
dut = "./tank"
model-id = "dtmi:test:Tank;1"
window = 7
listen = "127.0.0.9"
"""


def _fleet(folder: Path, text: str, command_line: dict[str, object] | None = None) -> Fleet:
    (folder / "preflight.toml").write_text(text)
    found = load_fleet(command_line or {}, {}, folder)
    assert found is not None
    return found


def test_each_device_has_the_common_settings_and_its_own_over_them(tmp_path: Path) -> None:
    pump, tank = _fleet(tmp_path, TWO).devices
    assert (pump.dut, pump.window, pump.model_id) == ("preflight simulate", 5.0, "dtmi:test:Pump;1")
    assert (tank.dut, tank.window, tank.model_id) == ("./tank", 7.0, "dtmi:test:Tank;1")
    assert pump.models == tank.models == (str(tmp_path / "models"),)


def test_what_follows_from_the_name(tmp_path: Path) -> None:
    fleet = _fleet(tmp_path, TWO, {"bundle": "out.zip"})
    pump, tank = fleet.devices
    assert (pump.device, tank.device) == ("Pump-3", "tank")
    assert (pump.registration_id, tank.registration_id) == ("preflight-pump-3", "preflight-tank")
    assert (pump.reports, tank.reports) == (tmp_path / "reports" / "Pump-3", tmp_path / "reports" / "tank")
    assert (pump.bundle, fleet.reports) == (tmp_path / "out-Pump-3.zip", tmp_path / "reports")
    assert pump.as_record()["device"] == "Pump-3"


def test_what_is_stated_of_an_element_replaces_what_is_stated_for_all(tmp_path: Path) -> None:
    pump, tank = (d.expectations for d in _fleet(tmp_path, TWO).devices)
    assert (pump.telemetry("flow").interval, pump.telemetry("flow").count) == (None, 3)
    assert (tank.telemetry("flow").interval, tank.telemetry("flow").count) == (5.0, 1)
    assert (pump.device.firmware, tank.device.firmware) == ("2", "")
    assert len(pump.waivers) == len(tank.waivers) == 1


def test_the_command_line_wins_for_all(tmp_path: Path) -> None:
    fleet = _fleet(tmp_path, TWO, {"window": "2", "reports": "elsewhere"})
    assert [d.window for d in fleet.devices] == [2.0, 2.0]
    assert [d.reports for d in fleet.devices] == [tmp_path / "elsewhere" / "Pump-3", tmp_path / "elsewhere" / "tank"]


def test_one_device_is_chosen_by_name(tmp_path: Path) -> None:
    fleet = _fleet(tmp_path, TWO, {"device": "tank", "dut": "./other", "model-id": "dtmi:test:Tank;2"})
    (tank,) = fleet.devices
    assert (tank.dut, tank.model_id, tank.reports) == ("./other", "dtmi:test:Tank;2", tmp_path / "reports" / "tank")
    assert not fleet.whole
    chosen = load_fleet({}, {"PREFLIGHT_DEVICE": "Pump-3"}, tmp_path)
    assert chosen is not None
    assert [d.device for d in chosen.devices] == ["Pump-3"]


def test_devices_that_share_an_address_are_not_tested_side_by_side(tmp_path: Path) -> None:
    lan = '[[fleet]]\nname = "c"\nmodel-id = "dtmi:c;1"\nlisten = "127.0.0.9"\n'
    groups = _fleet(tmp_path, TWO + lan).groups()
    assert groups["tank"] == groups["c"] == "tank"
    assert groups["Pump-3"] == "Pump-3"


def test_without_a_fleet_there_is_none(tmp_path: Path) -> None:
    (tmp_path / "preflight.toml").write_text('dut = "a"\n')
    assert load_fleet({}, {}, tmp_path) is None
    assert load({}, {}, tmp_path).device is None


def test_a_recorded_run_is_judged_without_the_fleet(tmp_path: Path) -> None:
    (tmp_path / "preflight.toml").write_text(TWO)
    assert load_fleet({"replay": "journal.jsonl"}, {}, tmp_path) is None


def _one(name: str, more: str = "") -> str:
    return f'[[fleet]]\nname = "{name}"\ndut = "d"\nmodel-id = "dtmi:a;1"\n{more}\n'


@pytest.mark.parametrize(
    ("text", "given", "says"),
    [
        (_one("a") + _one("A"), {}, "device 2 of the fleet is named 'A', as one before it"),
        ('[[fleet]]\ndut = "d"', {}, "device 1 of the fleet has no `name`"),
        (_one("../up"), {}, "name = '../up' cannot be used"),
        ('[[fleet]]\nname = 5\ndut = "d"', {}, "name = 5 cannot be used"),
        ('[[fleet]]\nname = "a"\nmodel-id = "dtmi:a;1"', {}, "Device a of the fleet: it has no `dut`"),
        ('[[fleet]]\nname = "a"\ndut = "d"', {}, "Device a of the fleet: it has no `model-id`"),
        (_one("a") + _one("b"), {"device": "c"}, "no device 'c'. Its devices: a, b."),
        (_one("kitchen") + _one("b"), {"device": "kitchn"}, "did you mean `kitchen`?"),
        (
            'registration-id = "x"\n' + _one("a") + _one("b"),
            {},
            "Devices a and b of the fleet have the same registration",
        ),
        (_one("a") + _one("b", 'registration-id = "Preflight-A"'), {}, "the same registration id"),
        (_one("a", "windw = 5"), {}, "Device a of the fleet: preflight.toml has an unknown key `windw`"),
        (_one("a", 'window = "soon"'), {}, "Device a of the fleet: window = 'soon'"),
        (_one("a", "[fleet.telemetry.flow]\ncuont = 3"), {}, "did you mean `count`"),
        (_one("a", 'reports = "x"'), {}, "`reports` is of the whole run"),
        ("fleet = 3", {}, "write [[fleet]] above each device"),
        ("[fleet]\nname = 'a'", {}, "write [[fleet]] above each device"),
        ("fleet = []", {}, "write [[fleet]] above each device"),
        (_one("a") + _one("b"), {"dut": "x"}, "--dut is about one device, and preflight.toml has a fleet of 2 (a, b)"),
        ('dut = "d"', {"device": "a"}, "preflight.toml has no [[fleet]]"),
        (_one("a"), {"device": "a", "replay": "j"}, "--replay judges one recorded run"),
    ],
)
def test_wrong_ones_are_said(tmp_path: Path, text: str, given: dict[str, str], says: str) -> None:
    (tmp_path / "preflight.toml").write_text(text)
    with pytest.raises(SettingsError) as caught:
        load_fleet(given, {}, tmp_path)
    assert says in str(caught.value)


def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "preflight.toml").write_text(_one("a", "window = 0") + _one("b", 'target = "azur"'))
    with pytest.raises(SettingsError) as caught:
        load_fleet({}, {}, tmp_path)
    assert "Device a of the fleet" in str(caught.value)
    assert "did you mean `azure`" in str(caught.value)


def test_a_name_without_a_fleet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"PREFLIGHT_DEVICE chooses a device of a fleet, but preflight.toml has no"):
        load_fleet({}, {"PREFLIGHT_DEVICE": "pump"}, tmp_path)
    assert load_fleet({}, {"PREFLIGHT_DEVICE": "pump", "PREFLIGHT_REPLAY": "journal.jsonl"}, tmp_path) is None


def test_the_example_of_the_guide_is_a_fleet(tmp_path: Path) -> None:
    guide = (REPO / "docs" / "fleets.md").read_text("utf-8")
    fleet = _fleet(tmp_path, guide.partition("```toml\n")[2].partition("```")[0])
    assert [d.device for d in fleet.devices] == ["kitchen", "pump", "gateway"]
    assert fleet.devices[0].expectations.telemetry("temperature").interval == 5.0

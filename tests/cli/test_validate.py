"""`preflight validate` beside a real emulator and a real device."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.emulator.fixtures import LocalCloud
from tests.cli.processes import Command, Inline
from tests.watch.devices import connected, message
from tests.watch.model import BARE, DOCUMENTS, ROOT

Preflight = Callable[..., Command]


@pytest.fixture
def models(tmp_path: Path) -> str:
    """A repository with the test's models; nothing else is ever asked for a model that is there."""
    for document in DOCUMENTS:
        name, _, version = document["@id"].removeprefix("dtmi:").lower().partition(";")
        path = tmp_path / "repository" / "dtmi" / f"{name.replace(':', '/')}-{version}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))
    return str(tmp_path / "repository")


def validate(cloud: LocalCloud, models: str, *arguments: str) -> Inline:
    return Inline("validate", "--emulator", cloud.endpoints.control, "--models", models, *arguments).listening()


def send_good(device: Any) -> None:
    device.send_message(message('{"d": 21.5, "s": "C:\\\\network\\\\reports"}'))
    device.send_message(message('{"map": {"a": 1}, "list": [1], "span": "PT0S"}'))
    device.send_message(message('{"heat": 3}', "left"))
    device.patch_twin_reported_properties({"left": {"__t": "c", "wear": 1}})
    device.patch_twin_reported_properties({"left": {"wear": 2}})


def test_a_good_device(cloud: LocalCloud, models: str) -> None:
    command = validate(cloud, models, "--count", "5")
    with connected(cloud, "dev-1", ROOT) as device:
        send_good(device)
        assert command.finish() == 0
    assert "3 messages and 2 property changes" in command.out[-1]
    assert "no findings (" in command.out[-1]  # what was not seen, cut short, is a note
    assert any(f"dev-1 is judged by {ROOT}, found in" in line for line in command.err)


def test_a_good_device_as_json_is_an_empty_array(cloud: LocalCloud, models: str) -> None:
    command = validate(cloud, models, "--count", "5", "--format", "json")
    with connected(cloud, "dev-1", ROOT) as device:
        send_good(device)
        assert command.finish() == 0
    assert json.loads(command.text()) == []


def send_bad(device: Any) -> None:
    for value in ("1.5", "2.5", "3.5"):
        device.send_message(message(json.dumps({"d": value})))
    device.send_message(message('{"d": NaN}'))
    device.send_message(message('{"sparkle": "\x1b[31m=cmd"}'.replace("\x1b", "\\u001b")))
    device.patch_twin_reported_properties({"d": 5})


def test_a_bad_device_for_a_person(cloud: LocalCloud, models: str) -> None:
    command = validate(cloud, models, "--device", "dev-1", "--count", "6")
    with connected(cloud, "dev-1", BARE) as device:
        send_bad(device)
        assert command.finish() == 1
    text = command.text()
    assert "error    dev-1  d  telemetry-invalid" in text
    assert "error    dev-1  payload-not-finite" in text
    assert "warning  dev-1  sparkle  telemetry-undeclared" in text
    assert "warning  dev-1  d  property-undeclared" in text
    assert "3 times  error     dev-1   d        telemetry-invalid" in text
    assert "5 messages and 1 property change in" in command.out[-1]
    assert "2 errors, 2 warnings" in command.out[-1]


def test_a_bad_device_for_a_program(cloud: LocalCloud, models: str) -> None:
    command = validate(cloud, models, "--count", "6", "--format", "json", "--minimum-severity", "error")
    with connected(cloud, "dev-1", BARE) as device:
        send_bad(device)
        assert command.finish() == 1
    rows = json.loads(command.text())
    assert [(row["code"], row["element"], row["count"]) for row in rows] == [
        ("telemetry-invalid", "d", 3),
        ("payload-not-finite", None, 1),
    ]
    assert rows[0]["device"] == "dev-1"
    assert rows[0]["model"] == BARE
    assert len(rows[0]["events"]) == 3
    assert rows[0]["severity"] == "error"
    assert "(2 below error not shown)" in command.err[-1]


def test_a_bad_device_for_a_spreadsheet(cloud: LocalCloud, models: str) -> None:
    command = validate(cloud, models, "--count", "1", "--format", "csv")
    with connected(cloud, "dev-1", BARE) as device:
        device.send_message(message('{"d": "=cmd()"}'))
        assert command.finish() == 1
    header, row = csv.reader(command.text().splitlines())
    named = dict(zip(header, row, strict=True))
    assert (named["severity"], named["code"], named["element"]) == ("error", "telemetry-invalid", "d")
    assert not any(cell.startswith("=") for cell in row)


def test_only_warnings_pass_where_errors_are_asked_for(cloud: LocalCloud, models: str) -> None:
    command = validate(cloud, models, "--count", "1", "--minimum-severity", "error")
    with connected(cloud, "dev-1", BARE) as device:
        device.send_message("{}")  # neither content type nor encoding
        assert command.finish() == 0


def test_a_model_given_beats_the_announced_one(cloud: LocalCloud, models: str) -> None:
    arguments = ("--count", "1", "--model-id", BARE, "--minimum-severity", "info", "--format", "json")
    command = validate(cloud, models, *arguments)
    with connected(cloud, "dev-1", ROOT) as device:
        device.send_message(message('{"i": 1}'))
        assert command.finish() == 1
    codes = {row["code"]: row for row in json.loads(command.text())}
    assert codes["model-ids-differ"]["severity"] == "info"
    assert codes["telemetry-undeclared"]["element"] == "i"
    assert codes["telemetry-undeclared"]["model"] == BARE


def test_a_device_that_was_connected_before(cloud: LocalCloud, models: str) -> None:
    with connected(cloud, "dev-1", ROOT) as device:
        device.patch_twin_reported_properties({"left": {"__t": "c", "wear": 1}})
        command = validate(cloud, models, "--count", "2")
        device.patch_twin_reported_properties({"left": {"wear": 2}})
        device.send_message(message('{"d": 1}'))
        assert command.finish() == 0, command.text()


def test_what_the_emulator_still_holds(cloud: LocalCloud, models: str) -> None:
    with connected(cloud, "dev-1", ROOT) as device:
        device.send_message(message('{"d": "x"}'))
        device.patch_twin_reported_properties({"left": {"__t": "c", "wear": 1}})
    command = validate(cloud, models, "--past", "--count", "2", "--format", "json")
    assert command.finish() == 1
    assert [row["code"] for row in json.loads(command.text())] == ["telemetry-invalid"]


def test_without_a_model(cloud: LocalCloud, models: str) -> None:
    command = validate(cloud, models, "--count", "2", "--format", "json")
    with connected(cloud, "dev-1") as device:
        device.send_message(message('{"d": 1}'))
        device.send_message(message("{"))
        assert command.finish() == 1
    assert [row["code"] for row in json.loads(command.text())] == ["connect-without-model-id", "payload-malformed"]


def test_missing_telemetry_at_the_end_of_the_whole_time(cloud: LocalCloud, models: str) -> None:
    with connected(cloud, "dev-1", BARE) as device:
        device.patch_twin_reported_properties({"x": None})
        command = validate(cloud, models, "--past", "--duration", "0.5", "--format", "json")
        assert command.finish() == 1
    assert [row["code"] for row in json.loads(command.text())] == ["telemetry-not-seen"]


def test_nothing_judged_is_no_pass(cloud: LocalCloud, models: str) -> None:
    command = validate(cloud, models, "--duration", "0.2")
    assert command.finish() == 1
    assert "nothing-judged" in command.text()
    assert "No message and no property change came" in command.text()


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process there")
def test_ctrl_c_ends_it_with_what_was_found(preflight: Preflight, cloud: LocalCloud, models: str) -> None:
    arguments = ("--emulator", cloud.endpoints.control, "--models", models, "--duration", "0")
    command = preflight("validate", *arguments).listening()
    with connected(cloud, "dev-1", BARE) as device:
        device.send_message(message('{"d": "x"}'))
        assert "telemetry-invalid" in command.line()
        assert command.interrupt() == 1
    assert "1 message and 0 property changes" in command.out[-1]


def test_a_broken_stream_says_so_after_what_was_found(cloud: LocalCloud, models: str) -> None:
    command = validate(cloud, models, "--minimum-severity", "info")
    with connected(cloud, "dev-1", BARE) as device:
        device.send_message(message('{"d": "x"}'))
        assert "telemetry-invalid" in command.line()
        cloud.close()
    assert command.finish() == 1
    assert "broke off" in "".join(command.err)
    assert "1 message and 0 property changes" in command.out[-1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--emulator", "http://127.0.0.1:1", "--model-id", "dtmi:test:Part"), "dtmi:test:Part cannot be used"),
        (("--duration", "long"), "is not a number of seconds"),
        (("--format", "xml"), "invalid choice"),
        (("--minimum-severity", "note"), "invalid choice"),
        (("--state", "nowhere"), "No emulator runs"),
    ],
)
def test_wrong_options(
    capsys: pytest.CaptureFixture[str], models: str, arguments: tuple[str, ...], sentence: str
) -> None:
    try:
        code = main(["validate", "--models", models, *arguments])
    except SystemExit as ended:
        code = int(ended.code or 0)
    assert code == 2
    assert sentence in capsys.readouterr().err

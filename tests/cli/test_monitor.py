"""`preflight monitor` beside a real emulator and a real device."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure.iot.device import MethodResponse
from azure.iot.hub import IoTHubRegistryManager
from azure.iot.hub.models import CloudToDeviceMethod, Twin, TwinProperties

from harness.cli import main
from harness.emulator.announcing import announced, running
from harness.emulator.fixtures import LocalCloud
from tests.addresses import free_address
from tests.cli.processes import Command, Inline
from tests.watch.devices import connected, message

Preflight = Callable[..., Command]
MODEL = "dtmi:test:Rig;1"
HOSTILE = "\x1b[2J\x1b]0;owned\x07[bold red]x[/] \u202e"


def watch(cloud: LocalCloud, *arguments: str) -> Inline:
    return Inline("monitor", "--emulator", cloud.endpoints.control, *arguments).listening()


def work(cloud: LocalCloud) -> None:
    """A device does one of everything, and the service too."""
    registry: Any = cloud.hub.client(IoTHubRegistryManager)
    with connected(cloud, "dev-1", MODEL) as device:

        def answer(request: Any) -> None:
            device.send_method_response(MethodResponse.create_from_method_request(request, 200, {"ok": True}))

        device.on_method_request_received = answer
        device.on_twin_desired_properties_patch_received = lambda patch: None
        device.send_message(message('{"heat": 21.5}', "left", colour="red"))
        device.send_message(message('{"flow": 1}'))
        device.patch_twin_reported_properties({"left": {"__t": "c", "wear": 1}})
        method = CloudToDeviceMethod(method_name="left*reboot", payload={"delay": 1})
        registry.invoke_device_method("dev-1", method)
        registry.update_twin("dev-1", Twin(properties=TwinProperties(desired={"target": 20})), "*")
        cloud.emulator.call(lambda services: services.hub.c2d.enqueue("dev-1", b"hello"))


def test_everything_of_a_device_as_json(cloud: LocalCloud) -> None:
    monitor = watch(cloud, "--json", "--properties")
    work(cloud)
    rows: list[dict[str, Any]] = []
    while not rows or rows[-1]["event"] != "hub_disconnected":
        rows.append(json.loads(monitor.line()))
    cloud.close()
    assert monitor.finish() == 1
    by_event = {row["event"]: row for row in rows}
    assert {row["kind"] for row in rows} >= {"telemetry", "reported", "desired", "commands", "connection", "c2d"}
    first = next(row for row in rows if row["kind"] == "telemetry")
    assert (first["device"], first["component"], first["payload"]) == ("dev-1", "left", {"heat": 21.5})
    assert first["properties"]["application"] == {"colour": "red"}
    assert first["properties"]["system"]["ct"] == "application/json"
    assert by_event["reported_patched"]["payload"] == {"left": {"__t": "c", "wear": 1}}
    assert by_event["desired_changed"]["patch"] == {"target": 20}
    assert by_event["method_answered"]["payload"] == {"ok": True}
    assert by_event["c2d_enqueued"]["payloadText"] == "hello"
    assert by_event["hub_connected"]["model_id"] == MODEL
    assert all(row["time"].endswith("Z") for row in rows)


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C cannot be sent to one process there")
def test_a_person_reads_it_and_presses_ctrl_c(preflight: Preflight, cloud: LocalCloud) -> None:
    filters = ("--kind", "telemetry", "--kind", "reported", "--component", "left")
    monitor = preflight("monitor", "--emulator", cloud.endpoints.control, *filters).listening()
    work(cloud)
    assert 'dev-1  telemetry   left  {"heat": 21.5}' in monitor.line()
    assert 'reported    {"left": {"__t": "c", "wear": 1}}  version 2' in monitor.line()
    assert monitor.interrupt() == 0
    assert len(monitor.out) == 2
    assert len(monitor.err) == 1


def test_filters_and_count(cloud: LocalCloud) -> None:
    work(cloud)
    past = ("--past", "--json")
    commands = watch(cloud, *past, "--device", "dev-?", "--kind", "commands", "--count", "2")
    assert commands.finish() == 0
    assert [row["event"] for row in commands.objects()] == ["method_requested", "method_answered"]
    model = watch(cloud, *past, "--interface", MODEL, "--kind", "desired", "--count", "1")
    assert model.finish() == 0
    other = watch(cloud, *past, "--device", "dev-2", "--timeout", "0.2")
    assert other.finish() == 0
    assert other.out == []
    assert "the filters passed over" in other.err[-1]


def test_a_time_out_before_the_count(cloud: LocalCloud) -> None:
    monitor = watch(cloud, "--count", "1", "--timeout", "0.2")
    assert monitor.finish() == 1
    assert "Nothing happened. The hub has no device yet." in monitor.err[-1]


def test_hostile_payloads_are_harmless(cloud: LocalCloud) -> None:
    monitor = watch(cloud, "--kind", "telemetry", "--properties", "--count", "4")
    with connected(cloud, "dev-1") as device:
        device.send_message(message(HOSTILE, evil=HOSTILE))
        device.send_message(message(json.dumps({HOSTILE: HOSTILE})))
        device.send_message(message(b"\xff\xfe\x00\x1b[31m"))
        device.send_message(message(json.dumps({"big": "x" * 250_000})))
        assert monitor.finish() == 0
    assert all(line[:-1].isprintable() for line in monitor.out)
    text = monitor.text()
    assert "\\u001b[2J" in text
    assert "[bold red]x[/]" in text
    assert "\\u202e" in text
    assert "250,011 bytes in all" in text
    assert len(text) < 5_000


def test_a_broken_stream_says_so(cloud: LocalCloud) -> None:
    monitor = watch(cloud)
    cloud.close()
    assert monitor.finish() == 1
    assert "broke off" in monitor.err[-1]


@pytest.mark.skipif(sys.platform == "win32", reason="a shell with pipes is needed")
def test_a_reader_that_goes_away(cloud: LocalCloud, tmp_path: Path) -> None:
    with connected(cloud, "dev-1") as device:
        for _ in range(3):
            device.send_message(message("{}"))
    command = f"{sys.executable} -m harness monitor --past --emulator {cloud.endpoints.control} --count 3 | head -1"
    ended = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert "Traceback" not in ended.stderr
    assert ended.stdout.count("\n") == 1


# --- finding the emulator -----------------------------------------------------------------------------


def test_the_one_that_runs_is_found(cloud: LocalCloud, tmp_path: Path) -> None:
    with announced(tmp_path, {"control": cloud.endpoints.control, "hubHost": "h"}):
        assert Inline("monitor", "--state", str(tmp_path), "--timeout", "0.1").finish() == 0
    assert running(tmp_path) == []


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit code and the words of a command that has nothing to watch, run here and not as a process."""
    try:
        code = main(["monitor", *arguments])
    except SystemExit as ended:
        code = int(ended.code or 0)
    out, err = capsys.readouterr()
    assert out == ""
    return code, err


def test_nobody_there(capsys: pytest.CaptureFixture[str]) -> None:
    code, err = refused(capsys, "--emulator", "http://127.0.0.1:1")
    assert code == 1
    assert "No emulator can be reached at http://127.0.0.1:1" in err


def test_none_runs(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / ".preflight" / "running"
    folder.mkdir(parents=True)
    gone = {"control": "http://127.0.0.1:1", "hub_host": "h", "pid": os.getpid(), "began": 1.0}
    (folder / "left-behind.json").write_text(json.dumps(gone))
    for number, text in enumerate(("", "[]", "{", '{"pid": "x"}', '{"control": null}')):
        (folder / f"{number}.json").write_text(text)
    code, err = refused(capsys)
    assert code == 2
    assert "No emulator runs with the state folder .preflight" in err


def test_several_run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with (
        announced(tmp_path, {"control": "http://127.0.0.1:1", "hubHost": "127.0.0.2"}),
        announced(tmp_path, {"control": "http://127.0.0.1:2", "hubHost": "127.0.0.3"}),
    ):
        code, err = refused(capsys, "--state", str(tmp_path))
    assert code == 2
    assert "Several emulators run" in err
    assert "--emulator http://127.0.0.1:1   hub 127.0.0.2" in err
    assert "--emulator http://127.0.0.1:2   hub 127.0.0.3" in err


def test_an_emulator_announces_itself(preflight: Preflight, tmp_path: Path) -> None:
    emulator = preflight("emulator", "--json", "--host", free_address())
    ready = json.loads(emulator.line())
    (one,) = running(tmp_path / ".preflight")
    assert one.control == ready["control"]
    (file,) = (tmp_path / ".preflight" / "running").iterdir()
    assert "SharedAccessKey" not in file.read_text()
    monitor = preflight("monitor").listening()
    if sys.platform != "win32":
        assert emulator.interrupt() == 0
        assert running(tmp_path / ".preflight") == []
        assert monitor.finish() == 1
        assert "broke off" in monitor.err[-1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--emulator", "127.0.0.1:80"), "is not a URL"),
        (("--timeout", "soon"), "is not a number of seconds"),
        (("--timeout", "-1"), "a time is 0"),
        (("--timeout", "nan"), "a time is 0"),
        (("--count", "many"), "is not a whole number"),
        (("--kind", "all"), "invalid choice"),
    ],
)
def test_wrong_options(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], sentence: str) -> None:
    code, err = refused(capsys, *arguments)
    assert code == 2
    assert sentence in err

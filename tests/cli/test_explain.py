"""`preflight explain` as a person and as a program meets it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from harness.cli import main


def test_a_known_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "401003"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("401003 of IoT Hub: IotHubUnauthorized\n")
    for label in ("meaning", "causes", "good device", "you", "retry", "source"):
        assert f"\n  {label}" in out
    assert "\x1b" not in out


def test_words_need_no_quotes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "CONNACK", "5"]) == 0
    assert capsys.readouterr().out.startswith("CONNACK 5 of MQTT: Not authorized\n")


@pytest.mark.parametrize("query", ["401002", "404999", "CONNACK 5", "400209", "404103"])
def test_no_line_is_wider_than_80_columns(
    query: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    main(["explain", query])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80


def test_an_unknown_code_names_family_and_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "404105"]) == 1
    out = capsys.readouterr().out
    assert "404105 is not a code that is known here." in out
    assert "404, not found" in out
    assert "404104 DeviceConnectionClosedRemotely (hub)" in out


def test_nothing_like_a_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "the cat sat on the mat"]) == 1
    assert "No known code was found" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], [" "], ["401002", "--list"]])
def test_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", *arguments]) == 2
    assert "give a code, or --list" in capsys.readouterr().err


def test_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 200
    assert max(map(len, lines)) <= 80
    assert "  400209                  Custom allocation unauthorized" in lines


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "429", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert [(e["code"], e["service"], e["retryable"]) for e in answer["found"]] == [
        ("429", "dps", True),
        ("429", "hub", True),
        ("429", "central", True),
    ]
    assert main(["explain", "404105", "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert (answer["unknown"], answer["family"]["digits"], len(answer["nearest"])) == ("404105", "404", 3)
    assert main(["explain", "--list", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)) > 200


def test_a_command_imports_no_other() -> None:
    asked = "import sys; from harness.cli import main; main(['explain', '404103']); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    imported = done.stdout.splitlines()[-1].split()
    assert [m for m in imported if m.startswith("harness.cli")] == ["harness.cli", "harness.cli.explain"]


def test_a_pipe_that_closes(tmp_path: object) -> None:
    done = subprocess.run(
        f'"{sys.executable}" -m harness explain --list | head -1',
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""

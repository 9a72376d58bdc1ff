"""`preflight model` as a person and as a program meets it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main
from tests.dtdl.repository.models import CONTROLLER, THERMOSTAT, controller, interface, put, put_expanded, thermostat
from tests.paths import SHARED, needs_shared_dtdl


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    put(tmp_path / "models", controller(), thermostat())
    return tmp_path / "models"


def broken() -> dict[str, object]:
    model = thermostat()
    model["contents"][0]["schema"] = "doubel"
    return model


def test_a_good_repository(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put_expanded(repository, controller(), thermostat())
    (repository / "metadata.json").write_text('{"features": {"expanded": true}}', encoding="utf-8")
    assert main(["model", "check", str(repository)]) == 0
    assert capsys.readouterr() == ("", "3 files checked: no findings\n")


def test_a_broken_file_is_named_with_line_and_rule_and_only_once(
    repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = put(repository, broken())
    assert main(["model", "check", str(repository)]) == 1
    out, err = capsys.readouterr()
    (line,) = out.splitlines()
    assert re.match(rf"{re.escape(str(path))}:9: badDtmiOrTerm: .*doubel", line)
    assert err == "2 files checked: 1 error\n"


def test_json(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(repository, broken())
    assert main(["model", "check", "--json", str(repository)]) == 1
    out, err = capsys.readouterr()
    assert err == ""
    written = json.loads(out)
    assert written["checked"] == 2
    (finding,) = written["findings"]
    assert {key: finding[key] for key in ("place", "line", "severity", "pointer")} == {
        "place": str(path),
        "line": 9,
        "severity": "error",
        "pointer": "/contents/0/schema",
    }


@pytest.mark.parametrize(
    ("raw", "line", "rule"),
    [
        (b'{\n "@id": "x"\n "b": 1}', 3, "syntax"),
        (b"\xef\xbb\xbf{}", 1, "byteOrderMark"),
        (b'{\n "comment": "\xfc"}', 2, "encoding"),
        (b'{\n "@id": "x",\n "a": 1,\n "a": 2}', 4, "duplicateName"),
        (b'{"name": "package"}', 1, "noModel"),
        (b"[]", 1, "noModel"),
        (b"", 1, "empty"),
        (b"[" * 100_000, 1, "depth"),
    ],
)
def test_files_that_are_no_models(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], raw: bytes, line: int, rule: str
) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(raw)
    assert main(["model", "check", str(path)]) == 1
    assert capsys.readouterr().out.startswith(f"{path}:{line}: {rule}: ")


def test_an_enormous_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(100 * 2**20)
    assert main(["model", "check", str(path)]) == 1
    assert capsys.readouterr().out.startswith(f"{path}:1: tooLarge: ")


def test_a_hundred_nested_schemas(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    schema: object = "double"
    for _ in range(100):
        schema = {"@type": "Array", "elementSchema": schema}
    telemetry = {"@type": "Telemetry", "name": "t", "schema": schema}
    path = put(tmp_path, interface(THERMOSTAT, telemetry))
    assert main(["model", "check", str(path)]) == 1
    assert str(path) in capsys.readouterr().out


def test_models_that_extend_each_other(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = "dtmi:com:example:A;1", "dtmi:com:example:B;1"
    put(tmp_path, interface(first, extends=second), interface(second, extends=first))
    assert main(["model", "check", str(tmp_path)]) == 1
    assert "/a-1.json:" in capsys.readouterr().out


def test_a_missing_dependency_is_found_with_repo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put(tmp_path / "own", controller())
    put(tmp_path / "other", thermostat())
    assert main(["model", "check", str(path)]) == 1
    out = capsys.readouterr().out
    assert out.startswith(f"{path}:9: unresolved: Model {THERMOSTAT} was not found")
    assert "--repo" in out
    assert main(["model", "check", str(path), "--repo", str(tmp_path / "other")]) == 0


def test_files_outside_of_a_repository_know_each_other(tmp_path: Path) -> None:
    for name, model in (("a", controller()), ("b", thermostat())):
        (tmp_path / f"{name}.json").write_text(json.dumps(model), encoding="utf-8")
    assert main(["model", "check", str(tmp_path)]) == 0
    assert main(["model", "check", str(tmp_path / "a.json"), str(tmp_path / "b.json")]) == 0
    assert main(["model", "check", str(tmp_path / "a.json")]) == 1


def test_an_expanded_form_must_hold_everything(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = put_expanded(repository, controller())
    assert main(["model", "check", str(path)]) == 1
    assert "not in this array" in capsys.readouterr().out


def test_an_id_is_checked_where_it_is_found(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "check", CONTROLLER, "--repo", str(repository)]) == 0
    path = put(repository, broken())
    assert main(["model", "check", CONTROLLER, "--repo", str(repository)]) == 1
    assert capsys.readouterr().out.startswith(f"{path}:9: ")
    assert main(["model", "check", "dtmi:com:example:None;1", "--repo", str(repository)]) == 1
    assert "none-1.json: not found" in capsys.readouterr().out


def test_the_highest_version(tmp_path: Path) -> None:
    path = put(tmp_path, {**thermostat(), "@context": "dtmi:dtdl:context;3"})
    assert main(["model", "check", str(path)]) == 0
    assert main(["model", "check", "--max-version", "2", str(path)]) == 1


def test_strict_adds_the_rules_of_submissions(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "check", "--strict", str(repository)]) == 0
    stray = repository / "dtmi" / "com" / "example" / "Sensor-1.json"
    telemetry = {"@id": "dtmi:com:other:x;1", "@type": "Telemetry", "name": "x", "schema": "double"}
    stray.write_text(json.dumps(interface("dtmi:com:example:Sensor;1", telemetry)), encoding="utf-8")
    array = repository / "dtmi" / "com" / "example" / "both-1.json"
    array.write_text(json.dumps([thermostat()]), encoding="utf-8")
    own = put(repository, interface("dtmi:com:example:azurething;1"))
    capsys.readouterr()
    assert main(["model", "check", "--strict", str(repository)]) == 1
    out, err = capsys.readouterr()
    assert {(line.split(":")[0], line.split(": ")[1]) for line in out.splitlines()} == {
        (str(stray), "filePlacement"),
        (str(stray), "namespace"),
        (str(array), "rootArray"),
        (str(own), "reservedWord"),
    }
    assert "not at dtmi/com/example/Sensor-1.json" in out
    assert err == "5 files checked: 3 errors, 1 warning\n"


def test_strict_needs_an_id_that_the_layout_can_hold(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "thing.json"
    path.write_text(json.dumps({**interface("dtmi:com:example:Thing"), "@context": "dtmi:dtdl:context;3"}))
    assert main(["model", "check", str(path)]) == 0
    assert main(["model", "check", "--strict", str(path)]) == 1
    assert ": repositoryId: " in capsys.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ["check", "no-such-file.json"],
        ["check", "dtmi:a;1", "--repo", "ftp://example.com"],
        ["show", "no-such-file.json"],
    ],
)
def test_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"preflight model {arguments[0]}: ")


def test_an_empty_directory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "check", str(tmp_path)]) == 2
    assert "no .json files" in capsys.readouterr().err


def test_show(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "show", CONTROLLER, "--repo", str(repository)]) == 0
    out = capsys.readouterr().out
    assert [line.rstrip() for line in out.splitlines()] == [
        f"{CONTROLLER}  (from {repository})",
        "",
        f"component thermostat1: {THERMOSTAT}",
        "temperature  telemetry  double",
    ]


def test_show_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mode = {
        "@type": "Enum",
        "valueSchema": "integer",
        "enumValues": [{"name": "on", "enumValue": 1}, {"name": "off", "enumValue": 2}],
    }
    fields = [{"name": "mode", "schema": mode}, {"name": "list", "schema": {"@type": "Array", "elementSchema": "long"}}]
    model = interface(
        THERMOSTAT,
        {
            "@type": ["Property", "Temperature"],
            "name": "p",
            "schema": "double",
            "writable": True,
            "unit": "degreeCelsius",
        },
        {"@type": "Command", "name": "c", "response": {"name": "r", "schema": {"@type": "Object", "fields": fields}}},
        {"@type": "Telemetry", "name": "where", "schema": "point"},
    )
    assert main(["model", "show", "--json", str(put(tmp_path, model))]) == 0
    shown = {row["path"]: row for row in json.loads(capsys.readouterr().out)["capabilities"]}
    assert shown["p"]["writable"] is True
    assert (shown["p"]["types"], shown["p"]["unit"]) == ("Temperature", "degreeCelsius")
    assert shown["c"]["schema"] == "nothing → object {mode: enum of integer: on=1, off=2, list: array of long}"
    assert shown["where"]["schema"] == "point"


def test_show_what_is_invalid_or_nowhere(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "show", "dtmi:com:example:None;1", "--repo", str(repository)]) == 1
    assert "was not found.\nTried:\n" in capsys.readouterr().err
    path = put(repository, broken())
    assert main(["model", "show", str(path)]) == 1
    assert f"{path}:9: " in capsys.readouterr().err


def test_help_loads_no_libraries() -> None:
    heavy = "{'azure', 'requests', 'jsonschema', 'rich', 'harness.dtdl.parser'}"
    code = f"import sys, harness.cli.model; print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


@needs_shared_dtdl
def test_the_published_models_are_good(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "check", str(SHARED / "dtdl" / "models")]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("no findings\n")

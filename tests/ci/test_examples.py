"""The CI examples: each read by a parser of its format, and each with what a firmware project needs."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.settings import OPTIONS
from tests.paths import REPO

CI = REPO / "docs" / "ci"
YAML = {
    "github-actions.yml": ("vendor.github-workflows",),
    "azure-pipelines.yml": (
        "vendor.azure-pipelines",
        "--data-transform",
        "azure-pipelines",
        "--regex-variant",
        "nonunicode",
    ),
    "gitlab-ci.yml": ("vendor.gitlab-ci", "--data-transform", "gitlab-ci"),
}
ALL = (*YAML, "Jenkinsfile")


def yaml_of(name: str) -> Any:
    ruamel = pytest.importorskip("ruamel.yaml")
    return ruamel.YAML(typ="safe").load((CI / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", YAML)
def test_the_schema_of_its_system_accepts_it(name: str) -> None:
    pytest.importorskip("check_jsonschema")
    schema, *more = YAML[name]
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *more, str(CI / name)]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_the_schemas_refuse_what_is_wrong(tmp_path: Path) -> None:
    pytest.importorskip("check_jsonschema")
    text = (CI / "github-actions.yml").read_text(encoding="utf-8").replace("runs-on:", "run-on:")
    wrong = tmp_path / "wrong.yml"
    wrong.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(wrong)]
    assert subprocess.run(command, capture_output=True, timeout=120, check=False).returncode == 1


@pytest.mark.parametrize("name", ALL)
def test_it_tests_keeps_and_merges_the_devices_of_the_settings_beside_it(name: str) -> None:
    from harness.fleet import load_fleet

    text = (CI / name).read_text(encoding="utf-8")
    fleet = load_fleet({}, {}, CI, CI)
    assert fleet is not None
    for settings in fleet.devices:
        assert settings.device is not None
        assert re.search(rf"\b{settings.device}\b", text.partition("merge artifacts")[0])
        assert f"--expect {settings.device}" in text
    assert "junit.xml" in text
    assert "PREFLIGHT_REDACT" in text


@pytest.mark.parametrize("name", ALL)
def test_every_option_it_gives_is_known(name: str) -> None:
    known = {f"--{option.name}" for option in OPTIONS} | {"--pyargs"}
    text = (CI / name).read_text(encoding="utf-8")
    lines = text.replace("\\\n", " ").replace("bundle.zip\n          --sign", "bundle.zip --sign").splitlines()
    commands = [line[line.index("pytest ") :] for line in lines if "pytest --" in line]
    assert len(commands) == 1
    given = set(re.findall(r"(?<!\S)--[a-z-]+|(?<=\+)--[a-z-]+", commands[0]))
    assert {"--pyargs", "--device", "--bundle"} <= given <= known


def test_what_was_made_is_kept_also_when_it_failed() -> None:
    github = yaml_of("github-actions.yml")["jobs"]
    keeping = [s for s in github["device"]["steps"] if "report" in str(s.get("with", {}).values())]
    assert len(keeping) == 2
    assert all(step["if"] == "always()" for step in keeping)
    assert github["device"]["strategy"]["fail-fast"] is False
    azure = {job["job"]: job for job in yaml_of("azure-pipelines.yml")["jobs"]}
    keeping = [s for s in azure["device"]["steps"] if s.get("publish") or "PublishTest" in s.get("task", "")]
    assert len(keeping) == 2
    assert all(step["condition"] == "succeededOrFailed()" for step in keeping)
    assert yaml_of("gitlab-ci.yml")["device"]["artifacts"]["when"] == "always"


def test_no_secret_is_put_into_a_command_line() -> None:
    for name in ALL:
        for line in (CI / name).read_text(encoding="utf-8").splitlines():
            if "pytest" in line and not line.lstrip().startswith(("#", "//")):
                assert "secrets." not in line
                assert "PASSWORD" not in line


# --- Jenkins ---------------------------------------------------------------------------------------------------


def jenkins() -> Any:
    """The syntax tree, by a Groovy grammar. What Jenkins itself would say of it, only Jenkins knows."""
    groovy = pytest.importorskip("tree_sitter_groovy")
    tree_sitter = pytest.importorskip("tree_sitter")
    parser = tree_sitter.Parser(tree_sitter.Language(groovy.language()))
    return parser.parse((CI / "Jenkinsfile").read_bytes()).root_node


def test_the_jenkinsfile_is_groovy() -> None:
    assert not jenkins().has_error
    assert jenkins().named_child_count > 0


def blocks() -> dict[str, str]:
    """The nested blocks of the Jenkinsfile by path, with their text; names as declarative pipelines have them."""
    text = (CI / "Jenkinsfile").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    open_blocks: list[tuple[str, int]] = []
    for match in re.finditer(
        r"//[^\n]*|'''.*?'''|'[^'\n]*'|\"[^\"\n]*\"|(\w+)(?:\([^)]*\))?\s*\{|[{}]", text, re.DOTALL
    ):
        if match[1] or match[0] == "{":
            open_blocks.append((match[1] or "", match.end()))
        elif match[0] == "}":
            path = ".".join(name for name, _ in open_blocks)
            found[path] = text[open_blocks.pop()[1] : match.start()]
    assert open_blocks == []
    return found


def test_the_jenkinsfile_has_the_sections_of_a_declarative_pipeline() -> None:
    found = blocks()
    device = "pipeline.stages.stage.matrix.stages.stage"
    needed = ("pipeline.agent", "pipeline.stages", "pipeline.stages.stage.matrix.axes.axis", f"{device}.post.always")
    assert set(needed) <= found.keys()
    assert "credentials(" in found["pipeline.stages.stage.matrix.environment"]
    always = found[f"{device}.post.always"]
    assert "junit testResults" in always
    assert "archiveArtifacts" in always
    for script in re.findall(r"sh '([^'\n]+)'", found["pipeline"]):
        assert shlex.split(script)

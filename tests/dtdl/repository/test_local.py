"""Models from directories and files: found, not found and why, and what lies in their place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.dtdl import ModelError
from harness.dtdl.repository import InvalidModel, ModelNotFound, Repository, model_path, repository_root
from harness.dtdl.repository.lines import lines_of
from tests.dtdl.repository.models import CONTROLLER, THERMOSTAT, controller, interface, put, put_expanded, thermostat


def test_a_model_and_its_dependencies_come_from_several_locations(tmp_path: Path) -> None:
    put(tmp_path / "own", controller())
    put(tmp_path / "shared", thermostat())
    resolved = Repository([tmp_path / "own", str(tmp_path / "shared")]).resolve(CONTROLLER)
    assert [each.path for each in resolved.model.capabilities(CONTROLLER)] == ["thermostat1.temperature"]
    assert resolved.location == str(tmp_path / "own")
    assert dict(resolved.sources) == {CONTROLLER: str(tmp_path / "own"), THERMOSTAT: str(tmp_path / "shared")}
    assert resolved.documents[THERMOSTAT] == thermostat()


def test_the_first_location_wins(tmp_path: Path) -> None:
    put(tmp_path / "a", thermostat())
    put_expanded(tmp_path / "b", controller(), interface(THERMOSTAT))
    resolved = Repository([tmp_path / "a", tmp_path / "b"]).resolve(CONTROLLER)
    assert resolved.sources[THERMOSTAT] == str(tmp_path / "a")
    assert resolved.documents[THERMOSTAT] == thermostat()


def test_an_expanded_form_serves_where_the_plain_one_is_absent(tmp_path: Path) -> None:
    put_expanded(tmp_path, controller(), thermostat())
    resolved = Repository([tmp_path]).resolve(CONTROLLER)
    assert set(resolved.documents) == {CONTROLLER, THERMOSTAT}


def test_a_file_url_and_a_single_file_are_locations(tmp_path: Path) -> None:
    put(tmp_path / "with space and %20", controller())
    single = tmp_path / "any name.json"
    single.write_text(json.dumps([thermostat()]), encoding="utf-8")
    url = (tmp_path / "with space and %20").as_uri()
    assert "%2520" in url
    resolved = Repository([url, single]).resolve(CONTROLLER)
    assert resolved.location == url
    assert resolved.sources[THERMOSTAT] == str(single)


def test_a_miss_tells_every_place_and_what_to_do(tmp_path: Path) -> None:
    put(tmp_path / "own", controller())
    with pytest.raises(ModelNotFound) as caught:
        Repository([tmp_path / "own", tmp_path / "gone", "devicemodels.example.com"]).resolve(CONTROLLER)
    error = caught.value
    assert error.dtmi == THERMOSTAT
    assert error.needed_by == CONTROLLER
    places = dict(error.tried)
    assert places[str(tmp_path / "own/dtmi/com/example/thermostat-1.json")] == "not found"
    assert places[str(tmp_path / "gone")] == "no such directory"
    assert "https://devicemodels.example.com" in places["devicemodels.example.com"]
    assert str(error).startswith(f"model {THERMOSTAT} was not found ({CONTROLLER} depends on it).\nTried:\n")
    assert str(error).endswith("add a location that has it.")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("dtmi/com/example/Thermostat-1.json", "names in a repository are in lower case"),
        ("thermostat.json", "has this @id but is not in its place"),
    ],
)
def test_a_misplaced_file_is_pointed_out(tmp_path: Path, name: str, why: str) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(thermostat()), encoding="utf-8")
    with pytest.raises(ModelNotFound) as caught:
        Repository([tmp_path]).resolve(THERMOSTAT)
    assert why in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("raw", "line", "why"),
    [
        (b'{\n "@id": "x"\n "b": 1}', 3, "is not JSON"),
        (b"\xef\xbb\xbf{}", 1, "byte order mark"),
        ('{\n "comment": "Gerät"}'.encode("latin-1"), 2, "not UTF-8"),
        (b'{\n "@id": "x",\n "a": 1,\n "a": 2}', 4, "more than once"),
        (b'{\n "@id": "x",\n "b": NaN}', 3, "NaN"),
        (b'{"name": "package"}', 1, "no DTDL"),
        (b"[]", 1, "empty array"),
        (b"[\n1]", 2, "a number where"),
        (b'"text"', 1, "a string where"),
        (b"", 1, "is empty"),
        (b"[" * 1000, 1, "nests deeper"),
    ],
)
def test_what_is_no_model_ends_the_search_with_file_and_line(tmp_path: Path, raw: bytes, line: int, why: str) -> None:
    put(tmp_path / "second", thermostat())
    broken = put(tmp_path / "first", thermostat())
    broken.write_bytes(raw)
    with pytest.raises(ModelNotFound) as caught:
        Repository([tmp_path / "first", tmp_path / "second"]).resolve(THERMOSTAT)
    ((place, said),) = caught.value.tried
    assert place == f"{broken}:{line}"
    assert why in said


def test_another_models_file_in_its_place(tmp_path: Path) -> None:
    put(tmp_path / "second", thermostat())
    put(tmp_path / "first", thermostat()).write_text(json.dumps(controller()), encoding="utf-8")
    with pytest.raises(ModelNotFound, match=f"its @id is {CONTROLLER}"):
        Repository([tmp_path / "first", tmp_path / "second"]).resolve(THERMOSTAT)


def test_an_unreadable_file(tmp_path: Path) -> None:
    path = put(tmp_path, thermostat())
    path.unlink()
    path.symlink_to(tmp_path / "loop.json")
    (tmp_path / "loop.json").symlink_to(path)
    with pytest.raises(ModelNotFound, match=r"thermostat-1\.json: not found"):
        Repository([tmp_path]).resolve(THERMOSTAT)


def test_an_enormous_file_is_not_read(tmp_path: Path) -> None:
    path = put(tmp_path, thermostat())
    with path.open("wb") as file:
        file.truncate(100 * 2**20)
    with pytest.raises(ModelNotFound, match="The file has 100 MiB"):
        Repository([tmp_path]).resolve(THERMOSTAT)


def test_an_invalid_model_names_file_and_line(tmp_path: Path) -> None:
    broken = thermostat()
    broken["contents"][0]["schema"] = "doubel"
    path = put(tmp_path, controller(), broken).parent / "thermostat-1.json"
    with pytest.raises(InvalidModel) as caught:
        Repository([tmp_path]).resolve(CONTROLLER)
    assert isinstance(caught.value, ModelError)
    (error,) = caught.value.errors
    assert caught.value.where(error) == f"{path}:9"
    assert str(caught.value).startswith(f"{path}:9: ")


def test_an_invalid_model_in_an_array_names_its_line(tmp_path: Path) -> None:
    broken = thermostat()
    broken["contents"][0]["schema"] = "doubel"
    path = put_expanded(tmp_path, controller(), broken)
    with pytest.raises(InvalidModel) as caught:
        Repository([tmp_path]).resolve(CONTROLLER)
    line = next(number for number, text in enumerate(path.read_text().splitlines(), 1) if "doubel" in text)
    assert {caught.value.where(error) for error in caught.value.errors} == {f"{path}:{line}"}


def test_models_that_depend_on_each_other_end(tmp_path: Path) -> None:
    first, second = "dtmi:com:example:A;1", "dtmi:com:example:B;1"
    put(tmp_path, interface(first, extends=second), interface(second, extends=first))
    with pytest.raises(InvalidModel):
        Repository([tmp_path]).resolve(first)


@pytest.mark.parametrize(
    "dtmi", ["dtmi:com:example:Thermostat", "dtmi:com:example:Thermostat;1.2", "dtmi:../../etc;1", ""]
)
def test_ids_without_a_place(tmp_path: Path, dtmi: str) -> None:
    with pytest.raises(ModelNotFound, match="has no place"):
        Repository([tmp_path]).resolve(dtmi)


def test_no_locations() -> None:
    with pytest.raises(ModelNotFound, match="no location of models was given"):
        Repository([]).resolve(THERMOSTAT)


def test_locations_of_an_unknown_kind() -> None:
    with pytest.raises(ValueError, match="not from ftp:"):
        Repository(["ftp://example.com/models"])


@pytest.mark.parametrize("dtmi", [THERMOSTAT, CONTROLLER, "dtmi:a;999999999", "dtmi:a:B_c:D2;10"])
def test_the_layout_is_the_client_librarys(dtmi: str) -> None:
    from azure.iot.modelsrepository import dtmi_conventions

    for expanded in (False, True):
        assert f"r/{model_path(dtmi, expanded=expanded)}" == dtmi_conventions.get_model_uri(dtmi, "r", expanded)  # type: ignore[no-untyped-call]


@given(st.text(alphabet="dtmi:;_aB19. /", max_size=24))
def test_the_layout_knows_the_same_ids(text: str) -> None:
    from azure.iot.modelsrepository import dtmi_conventions

    assert (model_path(text) is not None) == dtmi_conventions.is_valid_dtmi(text)  # type: ignore[no-untyped-call]


def test_the_root_of_a_file() -> None:
    assert repository_root(Path("/a/b/dtmi/com/x-1.json")) == Path("/a/b")
    assert repository_root(Path("/a/dtmi/b/dtmi/x-1.json")) == Path("/a")
    assert repository_root(Path("/a/b/x-1.json")) is None


def test_lines_of_pointers() -> None:
    text = json.dumps({"a": [1, {"b/c": "}", "d": []}], "e": {"f": None}}, indent=1)
    expected = {
        "": 1,
        "/a": 2,
        "/a/0": 3,
        "/a/1": 4,
        "/a/1/b~1c": 5,
        "/a/1/d": 6,
        "/e/f": 10,
        "/e/nothing": 9,
        "/a/9": 2,
    }
    assert lines_of(text, expected) == expected

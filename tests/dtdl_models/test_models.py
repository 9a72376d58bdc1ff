"""The example models are sound, and lie where a device model repository expects them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.dtdl import Capability, Repository, check_value, sample
from tests.paths import REPO

MODELS = REPO / "dtdl_models"
FILES = sorted(MODELS.rglob("*.json"))
STATION = "dtmi:com:example:preflight:ClimateStation;1"
ZONE = "dtmi:com:example:preflight:ClimateZone;1"
DEVICE_INFORMATION = "dtmi:azure:DeviceManagement:DeviceInformation;1"


def capabilities(dtmi: str) -> dict[str, Capability]:
    found = Repository([MODELS]).resolve(dtmi).model.capabilities(dtmi)
    return {capability.path: capability for capability in found}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_file_holds_one_interface_and_its_path_is_its_id_in_lower_case(file: Path) -> None:
    document = json.loads(file.read_text(encoding="utf-8"))
    path = document["@id"].lower().replace(":", "/").replace(";", "-") + ".json"
    assert file.relative_to(MODELS).as_posix() == path
    assert document["@type"] == "Interface"
    assert document["@context"] == "dtmi:dtdl:context;2"


@pytest.mark.parametrize("dtmi", [STATION, ZONE, DEVICE_INFORMATION])
def test_a_model_parses_and_every_value_of_it_can_be_made(dtmi: str) -> None:
    for capability in capabilities(dtmi).values():
        for element in (capability.element, capability.request, capability.response):
            if element is not None and element.schema is not None:
                assert check_value(element, sample(element)) == []


def test_the_station_has_something_of_every_kind_at_its_root_and_in_its_components() -> None:
    kinds = {(c.component, c.kind, c.writable) for c in capabilities(STATION).values()}
    for component in (None, "seedlings", "orchids"):
        assert kinds >= {
            (component, "telemetry", False),
            (component, "property", False),
            (component, "property", True),
            (component, "command", False),
        }


def test_device_information_is_as_published() -> None:
    schemas = {
        path.removeprefix("deviceInformation."): (c.kind, c.writable, c.schema.kind if c.schema else None)
        for path, c in capabilities(STATION).items()
        if c.interface == DEVICE_INFORMATION
    }
    texts = ("manufacturer", "model", "swVersion", "osName", "processorArchitecture", "processorManufacturer")
    assert schemas == {
        **dict.fromkeys(texts, ("property", False, "String")),
        **dict.fromkeys(("totalStorage", "totalMemory"), ("property", False, "Double")),
    }

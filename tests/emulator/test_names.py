from __future__ import annotations

import pytest

from harness.emulator import names
from harness.emulator.hub.bags import parse_bag
from harness.emulator.policies import without_port


def test_dps_names_of_the_sdks() -> None:
    python = "0neAB/registrations/dev/api-version=2019-03-31&ClientVersion=azure%2F2.14%283.11%3BLinux%29"
    assert names.is_dps(python)
    assert names.parse_dps(python, "dev") == names.DpsName("0neAB", "dev", "2019-03-31", "azure/2.14(3.11;Linux)")
    embedded = "0neAB/registrations/dev/api-version=2019-03-31"
    assert names.parse_dps(embedded, "DEV").client_version == ""


@pytest.mark.parametrize(
    ("user_name", "expected"),
    [
        ("0ne/registrations/x", True),
        ("0ne/registrations/x/api-version=1", True),
        ("hub/registrations/?api-version=1", False),
        ("hub/registrations/module/?api-version=1", False),
        ("hub/device/?api-version=1", False),
        ("", False),
    ],
)
def test_dps_and_hub_are_told_apart(user_name: str, expected: bool) -> None:
    assert names.is_dps(user_name) is expected


@pytest.mark.parametrize(
    "user_name", ["0ne/registrations/x", "0ne/registrations/x/foo=1", "/registrations/x/api-version=1"]
)
def test_unreadable_dps_names(user_name: str) -> None:
    with pytest.raises(names.InvalidName):
        names.parse_dps(user_name, "x")


@pytest.mark.parametrize(
    "query",
    [
        "api-version=2020-09-30&DeviceClientType=c%2F1&model-id=dtmi%3Acom%3Aex%3AT%3B1",
        "api-version=2020-09-30&DeviceClientType=c%2f1&model-id=dtmi%3acom%3aex%3aT%3b1",
        "api-version=2020-09-30&model-id=dtmi:com:ex:T;1&DeviceClientType=c%2F1",
    ],
)
def test_model_id_raw_and_encoded_in_any_place(query: str) -> None:
    name = names.parse_hub(f"hub.net/dev/?{query}", "dev")
    assert name == names.HubName("hub.net", "dev", None, "2020-09-30", "c/1", "dtmi:com:ex:T;1")


def test_plus_is_not_a_space() -> None:
    assert names.parse_hub("h/d/?DeviceClientType=a+b", "d").client_type == "a+b"


@pytest.mark.parametrize(
    ("user_name", "client_id", "device", "module"),
    [
        ("h/d/m/?api-version=1", "d/m", "d", "m"),
        ("h/d?x=y/?api-version=1", "d?x=y", "d?x=y", None),
        ("h/d/api-version=1", "d", "d", None),
        ("h/d", "d", "d", None),
        ("h/d/", "d", "d", None),
    ],
)
def test_hub_names(user_name: str, client_id: str, device: str, module: str | None) -> None:
    name = names.parse_hub(user_name, client_id)
    assert (name.device_id, name.module_id) == (device, module)


@pytest.mark.parametrize(
    ("user_name", "client_id"),
    [
        ("h/d/?a=1", "other"),
        ("h/d/m/?a=1", "d"),
        ("h/dd/?a=1", "d"),
        ("", "d"),
        ("/d", "d"),
        ("h/d", "d/m/x"),
        ("h/d/", "d/"),
    ],
)
def test_unreadable_hub_names(user_name: str, client_id: str) -> None:
    with pytest.raises(names.InvalidName):
        names.parse_hub(user_name, client_id)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("a.net", "a.net"), ("A.net:8443", "a.net"), ("127.0.0.2:1", "127.0.0.2"), ("[::1]:80", "::1"), ("::1", "::1")],
)
def test_without_port(host: str, expected: str) -> None:
    assert without_port(host) == expected


@pytest.mark.parametrize(
    "text",
    ["%24.sub=thermostat1&%24.ct=application%2Fjson&a=1&b&c=", "?$.sub=thermostat1&$.ct=application/json&a=1&b&c=/"],
)
def test_property_bags(text: str) -> None:
    bag = parse_bag(text)
    assert bag.component == "thermostat1"
    assert bag.content_type == "application/json"
    assert bag.content_encoding is None
    assert dict(bag.properties) == {"a": "1", "b": None, "c": ""}


def test_empty_bags() -> None:
    assert dict(parse_bag("").properties) == {}
    assert dict(parse_bag("a=1&a=2").properties) == {"a": "2"}
    assert len(parse_bag("a=" + "x" * 5000).properties["a"] or "") == 5000

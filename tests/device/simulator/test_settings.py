"""Settings come from the environment of Microsoft's samples; a missing one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.device.simulator.settings import Certificate, SettingsError, read

COMPLETE = {
    "IOTHUB_DEVICE_SECURITY_TYPE": "DPS",
    "IOTHUB_DEVICE_DPS_ENDPOINT": "127.0.0.1",
    "IOTHUB_DEVICE_DPS_ID_SCOPE": "0ne00000000",
    "IOTHUB_DEVICE_DPS_DEVICE_ID": "device-1",
    "IOTHUB_DEVICE_DPS_DEVICE_KEY": "a2V5a2V5a2V5a2V5",
    "PREFLIGHT_MODEL_ID": "dtmi:test:Station;1",
}


def test_all_from_the_environment() -> None:
    settings = read({**COMPLETE, "PREFLIGHT_MODELS": "/my models\nhttps://models.example/x\n"})
    assert settings.registration_id == "device-1"
    assert settings.model_id == "dtmi:test:Station;1"
    assert settings.models == ("/my models", "https://models.example/x")
    assert settings.interval == 1.0


def test_options_win() -> None:
    environment = {**COMPLETE, "PREFLIGHT_MODELS": "/there"}
    settings = read(environment, model_id="dtmi:test:Pump;1", models=["/here"], interval=5.0)
    assert (settings.model_id, settings.models, settings.interval) == ("dtmi:test:Pump;1", ("/here",), 5.0)


def test_without_locations_the_own_directory_comes_before_the_public_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert read(COMPLETE).models == ("https://devicemodels.azure.com",)
    (tmp_path / "dtdl_models").mkdir()
    assert read(COMPLETE).models == ("dtdl_models", "https://devicemodels.azure.com")


@pytest.mark.parametrize("name", [n for n in COMPLETE if n != "IOTHUB_DEVICE_SECURITY_TYPE"])
def test_a_missing_setting_is_named(name: str) -> None:
    for environment in ({k: v for k, v in COMPLETE.items() if k != name}, {**COMPLETE, name: " "}):
        with pytest.raises(SettingsError, match=name):
            read(environment)


def test_everything_missing_is_named_at_once() -> None:
    with pytest.raises(SettingsError, match=r"ENDPOINT.*ID_SCOPE.*DEVICE_ID.*DEVICE_KEY.*MODEL_ID"):
        read({})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("IOTHUB_DEVICE_SECURITY_TYPE", "connectionString"),
        ("IOTHUB_DEVICE_DPS_DEVICE_KEY", "not base64!"),
        ("IOTHUB_DEVICE_DPS_DEVICE_KEY", "abc"),
    ],
)
def test_an_unusable_setting_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        read({**COMPLETE, name: value})


@pytest.mark.parametrize("interval", [0.0, -1.0, float("nan"), float("inf")])
def test_the_interval_is_a_time(interval: float) -> None:
    with pytest.raises(SettingsError, match="--interval"):
        read(COMPLETE, interval=interval)


def test_the_key_is_not_shown() -> None:
    assert COMPLETE["IOTHUB_DEVICE_DPS_DEVICE_KEY"] not in repr(read(COMPLETE))


@pytest.fixture
def certified(tmp_path: Path) -> dict[str, str]:
    """The environment of a device with a certificate."""
    names = {"X509_CERT_FILE": tmp_path / "certificate.pem", "X509_KEY_FILE": tmp_path / "key.pem"}
    for path in names.values():
        path.touch()
    without_key = {k: v for k, v in COMPLETE.items() if k != "IOTHUB_DEVICE_DPS_DEVICE_KEY"}
    return without_key | {name: str(path) for name, path in names.items()}


def test_a_certificate_in_place_of_the_key(certified: dict[str, str]) -> None:
    files = certified["X509_CERT_FILE"], certified["X509_KEY_FILE"]
    assert read({**certified, "PASS_PHRASE": ""}).proof == Certificate(*files)
    settings = read({**certified, "PASS_PHRASE": "a secret"})
    assert settings.proof == Certificate(*files, "a secret")
    assert "a secret" not in repr(settings)


@pytest.mark.parametrize("name", ["X509_CERT_FILE", "X509_KEY_FILE"])
def test_half_a_certificate_is_named(certified: dict[str, str], name: str) -> None:
    for value in ("", "nowhere.pem"):
        with pytest.raises(SettingsError, match=name):
            read({**certified, name: value})


def test_a_key_beside_a_certificate_is_refused(certified: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="unset one of them"):
        read({**COMPLETE, **certified})


def test_without_any_proof_both_are_named() -> None:
    with pytest.raises(SettingsError, match=r"DEVICE_KEY \(or, for X.509, X509_CERT_FILE and X509_KEY_FILE.*no TPM"):
        read({**COMPLETE, "IOTHUB_DEVICE_DPS_DEVICE_KEY": ""})

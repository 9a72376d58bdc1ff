"""Command line over environment over preflight.toml over defaults, and clear words about wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.settings import SettingsError, load


def test_defaults(tmp_path: Path) -> None:
    settings = load({}, {}, tmp_path)
    assert settings.target == "local"
    assert settings.dut is None
    assert settings.reports == tmp_path / "reports"


def test_the_nearer_layer_wins(tmp_path: Path) -> None:
    (tmp_path / "preflight.toml").write_text('dut = "a"\nwindow = 5\nstrict = true\nprofile = "smoke"\n')
    settings = load({"profile": "full"}, {"PREFLIGHT_WINDOW": "7"}, tmp_path)
    assert (settings.dut, settings.window, settings.profile, settings.strict) == ("a", 7.0, "full", True)
    assert settings.origins == {
        "dut": "preflight.toml",
        "window": "the environment",
        "profile": "the command line",
        "strict": "preflight.toml",
    }


def test_another_device_does_not_inherit_the_model_of_the_one_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "preflight.toml").write_text('dut = "a"\nmodel-id = "dtmi:a;1"\n')
    assert load({}, {}, tmp_path).model_id == "dtmi:a;1"
    assert load({"dut": "b"}, {}, tmp_path).model_id is None
    assert load({"dut": "b", "model-id": "dtmi:b;1"}, {}, tmp_path).model_id == "dtmi:b;1"


def test_paths_start_where_they_were_written(tmp_path: Path) -> None:
    root, cwd = tmp_path / "root", tmp_path / "cwd"
    root.mkdir()
    cwd.mkdir()
    (cwd / "journal.jsonl").touch()
    (root / "preflight.toml").write_text('models = ["own", "https://models.example"]\nreports = "out"\n')
    settings = load({"replay": "journal.jsonl"}, {}, root, cwd)
    assert settings.models == (str(root / "own"), "https://models.example")
    assert settings.reports == root / "out"
    assert settings.replay == cwd / "journal.jsonl"


@pytest.mark.parametrize(
    ("toml", "says"),
    [
        ("modle-id = 'x'", "did you mean `model-id`"),
        ("model_id = 'x'", "did you mean `model-id`"),
        ("window = 'soon'", "window = 'soon' (preflight.toml) cannot be used"),
        ("window = -1", "above 0"),
        ("window = true", "above 0"),
        ("models = 5", "a text or a list of texts"),
        ("profile = 'smok'", "did you mean `smoke`"),
        ("dut = [1]", "a text is expected"),
        ("dut =", "not valid TOML"),
        ("strict = 'maybe'", "true or false"),
    ],
)
def test_a_wrong_file_is_named_with_what_is_possible(tmp_path: Path, toml: str, says: str) -> None:
    (tmp_path / "preflight.toml").write_text(toml)
    with pytest.raises(SettingsError) as caught:
        load({}, {}, tmp_path)
    assert says in str(caught.value)
    assert "preflight.toml" in str(caught.value)


def test_a_wrong_option_names_its_layer(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--target = 'azur' \(the command line\).*did you mean `azure`"):
        load({"target": "azur"}, {}, tmp_path)
    with pytest.raises(SettingsError, match="PREFLIGHT_WINDOW"):
        load({}, {"PREFLIGHT_WINDOW": "x"}, tmp_path)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--replay: there is no file .*journal\.jsonl"):
        load({"replay": "journal.jsonl"}, {}, tmp_path)


def test_a_test_case_file_must_be_there_and_does_not_go_with_a_replay(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--test-cases: there is no file .*cases\.json"):
        load({"test-cases": "cases.json"}, {}, tmp_path)
    (tmp_path / "cases.json").touch()
    (tmp_path / "journal.jsonl").touch()
    assert load({"test-cases": "cases.json"}, {}, tmp_path).test_cases == tmp_path / "cases.json"
    with pytest.raises(SettingsError, match="judged by what was stated when it ran"):
        load({"test-cases": "cases.json", "replay": "journal.jsonl"}, {}, tmp_path)


def test_the_smoke_profile_has_a_shorter_window_unless_one_is_set(tmp_path: Path) -> None:
    assert load({"profile": "smoke"}, {}, tmp_path).window == 10
    assert load({"profile": "smoke", "window": "30"}, {}, tmp_path).window == 30
    assert load({}, {}, tmp_path).window == 60


def test_expectations_stand_beside_the_settings_and_all_their_problems_are_said(tmp_path: Path) -> None:
    file = tmp_path / "preflight.toml"
    file.write_text('profile = "full"\n[telemetry.flow]\ncount = 3\n')
    settings = load({}, {}, tmp_path)
    assert (settings.profile, settings.expectations.telemetry("flow").count) == ("full", 3)
    assert "expectations" not in settings.as_record()
    file.write_text("x = 1\n[telemetri.flow]\n[telemetry.flow]\ncount = 0\n[commands.stop]\nwhen = 1\n")
    with pytest.raises(SettingsError) as caught:
        load({}, {}, tmp_path)
    assert len(str(caught.value).splitlines()) == 4
    assert "did you mean `telemetry`" in str(caught.value)


EK = "AToA"


def test_a_tpm_needs_its_endorsement_key_and_nothing_else_does(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"--attestation tpm: .* --endorsement-key BASE64"):
        load({"attestation": "tpm"}, {}, tmp_path)
    with pytest.raises(SettingsError, match="the attestation is x509"):
        load({"attestation": "x509", "endorsement-key": EK}, {}, tmp_path)
    with pytest.raises(SettingsError, match="base64 is expected"):
        load({"attestation": "tpm", "endorsement-key": "%%"}, {}, tmp_path)
    (tmp_path / "preflight.toml").write_text(f'endorsement-key = "{EK}"\n')
    assert load({"attestation": "x509"}, {}, tmp_path).endorsement_key == EK  # kept there for other runs
    assert load({"attestation": "tpm"}, {}, tmp_path).endorsement_key == EK


def test_a_tpm_names_the_device_unless_told_otherwise(tmp_path: Path) -> None:
    tpm = {"attestation": "tpm", "endorsement-key": EK}
    # base32 of the SHA-256 of the key's three bytes
    assert load(tpm, {}, tmp_path).registration_id == "xgchrbsoabjokrlsqpwbn7ohddsg5kpr4gqn5an2g3fxe5nhdhqq"
    assert load({**tpm, "registration-id": "tank-1"}, {}, tmp_path).registration_id == "tank-1"
    assert load({"attestation": "x509"}, {}, tmp_path).registration_id == "preflight-device"


# --- the Azure target --------------------------------------------------------------------------------

HUB = "HostName=h.azure-devices.net;SharedAccessKeyName=iothubowner;SharedAccessKey=c2VjcmV0LWtleS1vZi1odWI="
AZURE = {"PREFLIGHT_HUB_CONNECTION_STRING": HUB, "PREFLIGHT_DPS_CONNECTION_STRING": HUB, "PREFLIGHT_ID_SCOPE": "0ne1"}


def test_connection_strings_stand_in_no_record_and_no_repr(tmp_path: Path) -> None:
    settings = load({"target": "azure"}, AZURE, tmp_path)
    assert settings.hub_connection_string == HUB
    assert settings.id_scope == "0ne1"
    assert "c2VjcmV0" not in repr(settings) + str(settings.as_record())
    assert {HUB, "c2VjcmV0LWtleS1vZi1odWI="} <= set(settings.secrets())
    assert "id-scope" in settings.as_record()
    assert "id-scope" not in load({}, AZURE, tmp_path).as_record()
    assert settings.notes == ()


def test_the_names_of_samples_are_read_after_our_own(tmp_path: Path) -> None:
    sample = {"IOTHUB_CONNECTION_STRING": "theirs", "PROVISIONING_IDSCOPE": "0ne2", "PREFLIGHT_DPS_HOST": "d"}
    assert load({"target": "azure"}, sample, tmp_path).hub_connection_string == "theirs"
    assert load({"target": "azure"}, {**sample, **AZURE}, tmp_path).hub_connection_string == HUB


def test_a_secret_on_the_command_line_is_warned_about_once(tmp_path: Path) -> None:
    given = {"target": "azure", "hub-connection-string": HUB, "dps-connection-string": HUB, "id-scope": "0ne1"}
    (note,) = load(given, {}, tmp_path).notes
    assert "PREFLIGHT_HUB_CONNECTION_STRING and PREFLIGHT_DPS_CONNECTION_STRING" in note
    assert "c2VjcmV0" not in note


@pytest.mark.parametrize(
    ("given", "environment", "says"),
    [
        ({}, {}, "PREFLIGHT_HUB_CONNECTION_STRING"),
        ({}, {"PREFLIGHT_HUB_CONNECTION_STRING": HUB}, "PREFLIGHT_DPS_CONNECTION_STRING"),
        ({}, {**AZURE, "PREFLIGHT_ID_SCOPE": ""}, "--id-scope SCOPE"),
        ({"enrollment": "group", "attestation": "x509"}, AZURE, "--attestation symmetric-key"),
        ({"azure-ca": "nowhere.pem"}, AZURE, "there is no file"),
        ({"listen": "127.0.0.2"}, AZURE, "--listen is for the local target"),
        ({"hub-host": "h"}, {"PREFLIGHT_DPS_HOST": "d", "PREFLIGHT_ID_SCOPE": "s"}, "Built-in endpoints"),
        ({"target": "local", "keep": True}, {}, "--keep is for --target azure"),
    ],
)
def test_what_the_azure_target_needs_is_asked_for(
    tmp_path: Path, given: dict[str, object], environment: dict[str, str], says: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load({"target": "azure", **given}, environment, tmp_path)
    assert says in str(caught.value)
    assert "c2VjcmV0" not in str(caught.value)


def test_a_secret_of_the_wrong_type_is_not_shown(tmp_path: Path) -> None:
    (tmp_path / "preflight.toml").write_text('hub-connection-string = ["c2VjcmV0"]\n')
    with pytest.raises(SettingsError) as caught:
        load({}, {}, tmp_path)
    assert "c2VjcmV0" not in str(caught.value)


def test_a_device_that_exists_needs_neither_dps_nor_scope(tmp_path: Path) -> None:
    only = {"PREFLIGHT_HUB_CONNECTION_STRING": HUB}
    assert load({"target": "azure", "device-id": "d", "dut": "external"}, only, tmp_path).device_id == "d"

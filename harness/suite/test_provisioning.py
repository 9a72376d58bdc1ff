"""The device provisions itself through DPS and announces its model."""

from __future__ import annotations

from harness.plugin.fixtures import Case


def test_registers_through_dps(case: Case) -> None:
    """DPS assigns the device to a hub."""
    case.holds()


def test_model_id_in_dps_payload(case: Case) -> None:
    """The register request carries the model id."""
    case.holds()


def test_connects_to_hub(case: Case) -> None:
    """The device connects to the assigned hub by MQTT."""
    case.holds()


def test_model_id_announced_to_hub(case: Case) -> None:
    """The CONNECT carries the model id."""
    case.holds()


def test_model_ids_agree(case: Case) -> None:
    """It is the same id everywhere."""
    case.holds()


def test_digital_twin_names_model(case: Case) -> None:
    """The hub's digital twin names the model."""
    case.holds()

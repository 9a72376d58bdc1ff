"""The connection: its transport, IoT Hub's rules of MQTT, and that it holds."""

from __future__ import annotations

from harness.plugin.fixtures import Case


def test_transport_is_mqtt(case: Case) -> None:
    """The device speaks MQTT or MQTT over WebSockets."""
    case.holds()


def test_user_name_is_encoded(case: Case) -> None:
    """The values in the user name are URL-encoded."""
    case.holds()


def test_api_version_knows_models(case: Case) -> None:
    """The api-version takes a model id."""
    case.holds()


def test_keeps_mqtt_rules(case: Case) -> None:
    """The device breaks no rule of MQTT on IoT Hub."""
    case.holds()


def test_one_connection_for_an_identity(case: Case) -> None:
    """No second client replaces the device's connection."""
    case.holds()


def test_connection_holds(case: Case) -> None:
    """The device stays connected while it is tested."""
    case.holds()

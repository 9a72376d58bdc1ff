"""A real device on Microsoft's SDK, for tests of what is watched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from azure.iot.device import IoTHubDeviceClient, Message

from harness.emulator.fixtures import LocalCloud


@contextmanager
def connected(cloud: LocalCloud, device_id: str, model_id: str | None = None) -> Iterator[IoTHubDeviceClient]:
    """A connected device, disconnected at the end."""
    client = IoTHubDeviceClient.create_from_connection_string(
        cloud.hub.create_device(device_id).connection_string,
        server_verification_cert=cloud.ca_path.read_text(),
        **({"product_info": model_id} if model_id else {}),
    )
    client.connect()
    try:
        yield client
    finally:
        client.shutdown()


def message(body: str | bytes, component: str | None = None, **properties: str) -> Any:
    """A message as it should be, with these application properties."""
    made = Message(body)  # type: ignore[no-untyped-call]
    made.content_type, made.content_encoding = "application/json", "utf-8"
    if component:
        made.custom_properties["$.sub"] = component
    made.custom_properties.update(properties)
    return made

"""A device that registers and sends over HTTPS, and never speaks MQTT."""

from __future__ import annotations

import http.client
import json
import os
import ssl
import time
from typing import Any

from harness.device.simulator.wire import token

_POLLS = 60


def ask(host: str, method: str, path: str, body: Any, resource: str, name: str = "") -> tuple[int, Any]:
    """One request with a token of its own; status and decoded answer."""
    key = os.environ["IOTHUB_DEVICE_DPS_DEVICE_KEY"]
    connection = http.client.HTTPSConnection(host, 443, timeout=30, context=ssl.create_default_context())
    headers = {"Authorization": token(resource, key, 3600, name).decode(), "Content-Type": "application/json"}
    connection.request(method, path, None if body is None else json.dumps(body), headers)
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, json.loads(text) if text else None


def registered() -> tuple[str, str]:
    """Hub and device id, as DPS assigns them."""
    environment = os.environ
    host, scope = environment["IOTHUB_DEVICE_DPS_ENDPOINT"], environment["IOTHUB_DEVICE_DPS_ID_SCOPE"]
    identity = environment["IOTHUB_DEVICE_DPS_DEVICE_ID"]
    resource = f"{scope}/registrations/{identity}"
    body = {"registrationId": identity, "payload": {"modelId": environment["PREFLIGHT_MODEL_ID"]}}
    path = f"/{resource}/{{}}?api-version=2019-03-31"
    _, answer = ask(host, "PUT", path.format("register"), body, resource, "registration")
    for _ in range(_POLLS):
        if answer["status"] == "assigned":
            return answer["registrationState"]["assignedHub"], answer["registrationState"]["deviceId"]
        time.sleep(0.5)
        operation = path.format(f"operations/{answer['operationId']}")
        _, answer = ask(host, "GET", operation, None, resource, "registration")
    raise SystemExit("never assigned")


def main() -> None:
    hub, device = registered()
    while True:
        path = f"/devices/{device}/messages/events?api-version=2021-04-12"
        status, _ = ask(hub, "POST", path, {"temperature": 21.5}, f"{hub}/devices/{device}")
        print(f"sent: {status}", flush=True)
        time.sleep(0.5)


if __name__ == "__main__":
    main()

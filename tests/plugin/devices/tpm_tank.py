"""A device with a TPM: it registers over HTTPS with the exchange of keys, then sends telemetry over MQTT.

    python -m tests.plugin.devices.tpm_tank ENDORSEMENT_KEY.pem

The TPM is a software one with that endorsement key. As the SDKs do, it sends its payload only with the second
register request, which it signs with the key of the challenge.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
import sys
import time
from pathlib import Path
from typing import Any

from azure.iot.device import IoTHubDeviceClient, Message
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from harness.emulator.tokens import sign
from tests.emulator.dps.software_tpm import SoftwareTpm

MODEL_ID = "dtmi:test:Tank;1"
VERSION = "api-version=2021-06-01"


class Dps:
    """The device API of DPS over HTTPS, for one registration id."""

    def __init__(self, host: str, scope: str, registration_id: str) -> None:
        self._connection = http.client.HTTPSConnection(host, context=ssl.create_default_context(), timeout=10)
        self.resource = f"{scope}/registrations/{registration_id}"

    def ask(self, method: str, operation: str, body: Any = None, token: str = "") -> tuple[int, Any, float]:
        """Status, decoded body, and the seconds to wait before asking again."""
        headers = {"Content-Type": "application/json; charset=utf-8", **({"Authorization": token} if token else {})}
        path = f"/{self.resource}/{operation}?{VERSION}"
        self._connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = self._connection.getresponse()
        return answer.status, json.loads(answer.read()), float(answer.getheader("Retry-After") or 0)


def register(tpm: SoftwareTpm) -> tuple[str, str]:
    """The hub and the device id; the TPM then holds the device's key for the hub."""
    registration_id = os.environ["PROVISIONING_REGISTRATION_ID"]
    dps = Dps(os.environ["PROVISIONING_HOST"], os.environ["PROVISIONING_IDSCOPE"], registration_id)
    keys = {"endorsementKey": tpm.endorsement_key, "storageRootKey": tpm.storage_root_key}
    body = {"registrationId": registration_id, "tpm": keys}
    status, challenge, _ = dps.ask("PUT", "register", body)
    if "authenticationKey" not in challenge:
        raise SystemExit(f"no challenge: {status} {challenge}")
    tpm.import_key(challenge["authenticationKey"])
    token = sign(dps.resource, tpm.identity_key, int(time.time()) + 3600, challenge["keyName"])
    status, answer, pause = dps.ask("PUT", "register", {**body, "payload": {"modelId": MODEL_ID}}, token)
    while status == 202:
        time.sleep(pause)
        status, answer, pause = dps.ask("GET", f"operations/{answer['operationId']}", token=token)
    if answer.get("status") != "assigned":
        raise SystemExit(f"not assigned: {status} {answer}")
    state = answer["registrationState"]
    tpm.import_key(state["tpm"]["authenticationKey"])
    return state["assignedHub"], state["deviceId"]


def main() -> None:
    endorsement = load_pem_private_key(Path(sys.argv[1]).read_bytes(), None)
    assert isinstance(endorsement, rsa.RSAPrivateKey)
    tpm = SoftwareTpm(endorsement)
    hub, device_id = register(tpm)
    client = IoTHubDeviceClient.create_from_symmetric_key(tpm.identity_key, hub, device_id, product_info=MODEL_ID)
    client.connect()
    message = Message(json.dumps({"level": 0.5}), content_encoding="utf-8", content_type="application/json")  # type: ignore[no-untyped-call]
    client.send_message(message)
    sys.stdin.read()


if __name__ == "__main__":
    main()

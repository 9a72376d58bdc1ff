"""A climate zone on Microsoft's Python device SDK: the smallest device of your own that a test run accepts.

It is written the way the SDK's documentation shows and knows nothing of the harness. Try it:

    pytest --dut "python examples/devices/python_pnp_sample.py" \\
           --model-id "dtmi:com:example:preflight:ClimateZone;1"

It plays dtdl_models/dtmi/com/example/preflight/climatezone-1.json and ends when it reads `q`; with --websockets on
port 443. What `--profile full` finds in it is listed in docs/resilience.md.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import sys
from datetime import datetime, timezone
from typing import Any

from azure.iot.device import X509, Message, MethodRequest, MethodResponse
from azure.iot.device.aio import IoTHubDeviceClient, ProvisioningDeviceClient

MODEL_ID = "dtmi:com:example:preflight:ClimateZone;1"
SECONDS_BETWEEN_READINGS = 1.0


class Zone:
    """The sensor and the heater. Temperatures are in degrees Celsius."""

    def __init__(self) -> None:
        self.setpoint = 19.0
        self.readings: list[tuple[datetime, float]] = []

    def read(self) -> float:
        temperature = round(self.setpoint + random.uniform(-0.5, 0.5), 2)
        self.readings.append((datetime.now(timezone.utc), temperature))
        return temperature

    @property
    def warmest(self) -> float:
        return max(temperature for _, temperature in self.readings)

    def summary(self, since: datetime) -> dict[str, Any]:
        recent = [r for r in self.readings if r[0] >= since] or self.readings
        temperatures = [temperature for _, temperature in recent]
        return {
            "lowest": min(temperatures),
            "highest": max(temperatures),
            "mean": round(sum(temperatures) / len(temperatures), 2),
            "readings": len(temperatures),
            "from": recent[0][0].isoformat(),
            "until": recent[-1][0].isoformat(),
        }


def client_of(kind: Any, **arguments: Any) -> Any:
    """A client of this class that proves itself by the device's certificate, where it has one, else by its key."""
    arguments["websockets"] = "--websockets" in sys.argv
    if "X509_CERT_FILE" in os.environ:
        x509 = X509(os.environ["X509_CERT_FILE"], os.environ["X509_KEY_FILE"], os.environ.get("PASS_PHRASE"))  # type: ignore[no-untyped-call]
        return kind.create_from_x509_certificate(x509=x509, **arguments)
    return kind.create_from_symmetric_key(symmetric_key=os.environ["IOTHUB_DEVICE_DPS_DEVICE_KEY"], **arguments)


async def provision() -> tuple[str, str]:
    """The hub and the device id that DPS assigns."""
    client = client_of(
        ProvisioningDeviceClient,
        provisioning_host=os.environ["IOTHUB_DEVICE_DPS_ENDPOINT"],
        registration_id=os.environ["IOTHUB_DEVICE_DPS_DEVICE_ID"],
        id_scope=os.environ["IOTHUB_DEVICE_DPS_ID_SCOPE"],
    )
    client.provisioning_payload = {"modelId": MODEL_ID}
    result = await client.register()
    if result.status != "assigned" or result.registration_state is None:
        raise SystemExit(f"DPS did not assign a hub: {result.status}")
    return result.registration_state.assigned_hub, result.registration_state.device_id


def acknowledgement(value: Any, code: int, version: int, description: str) -> dict[str, Any]:
    return {"value": value, "ac": code, "av": version, "ad": description}


def accept(zone: Zone, desired: dict[str, Any]) -> dict[str, Any]:
    """Take over a desired set point, and what to report about it (nothing, when there is none)."""
    if "setpoint" not in desired:
        return {}
    value, version = desired["setpoint"], desired["$version"]
    if value is None:  # nothing is desired any more
        return {"setpoint": acknowledgement(zone.setpoint, 203, 0, "kept")}
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return {"setpoint": acknowledgement(zone.setpoint, 400, version, "a number is expected")}
    zone.setpoint = float(value)
    return {"setpoint": acknowledgement(zone.setpoint, 200, version, "heating to it")}


def moment(text: Any) -> datetime:
    """Read an RFC 3339 date-time; Python before 3.11 knows neither `Z` nor every length of fraction."""
    text = re.sub(r"\.(\d+)", lambda fraction: f".{fraction[1][:6]:<06}", text)
    return datetime.fromisoformat(re.sub("[zZ]$", "+00:00", text))


def answer(zone: Zone, request: MethodRequest) -> MethodResponse:
    if request.name != "summarize":
        return MethodResponse.create_from_method_request(request, 404, None)
    try:
        summary = zone.summary(moment(request.payload))
        return MethodResponse.create_from_method_request(request, 200, summary)
    except (TypeError, ValueError):
        return MethodResponse.create_from_method_request(request, 400, {"error": "a date and time is expected"})


async def main() -> None:
    zone = Zone()
    zone.read()
    hub, device_id = await provision()
    client = client_of(IoTHubDeviceClient, hostname=hub, device_id=device_id, product_info=MODEL_ID)
    await client.connect()

    async def on_command(request: MethodRequest) -> None:
        print(f"command {request.name}: {request.payload}", flush=True)
        await client.send_method_response(answer(zone, request))

    async def on_desired(patch: dict[str, Any]) -> None:
        print(f"desired: {patch}", flush=True)
        if reported := accept(zone, patch):
            await client.patch_twin_reported_properties(reported)

    client.on_method_request_received = on_command
    client.on_twin_desired_properties_patch_received = on_desired

    async def send_readings() -> None:
        while True:
            message = Message(json.dumps({"temperature": zone.read()}))  # type: ignore[no-untyped-call]
            message.content_type = "application/json"
            message.content_encoding = "utf-8"
            await client.send_message(message)
            await asyncio.sleep(SECONDS_BETWEEN_READINGS)

    telemetry = asyncio.create_task(send_readings())
    twin = await client.get_twin()
    initial = {"setpoint": acknowledgement(zone.setpoint, 203, 0, "as it came from the factory")}
    await client.patch_twin_reported_properties({"warmest": zone.warmest} | initial | accept(zone, twin["desired"]))

    print("running; q and Enter ends it", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        if line.strip().lower() == "q":
            break
    telemetry.cancel()
    await client.shutdown()


if __name__ == "__main__":
    asyncio.run(main())

"""Devices on Microsoft's SDK that do one odd thing while they are tested: `python odd.py NAME`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, NoReturn

from azure.iot.device import IoTHubDeviceClient, ProvisioningDeviceClient

sdk: Any = import_module("azure.iot.device")  # whose messages have no types
Message, MethodResponse = sdk.Message, sdk.MethodResponse

sdk_message: Any = Message
method_response: Any = MethodResponse

MODEL = "dtmi:test:Plant;1"
VALUES = {"speed": 1, "level": {"low": 1.0, "high": 2.0}, "trim": 0.5}


class Device:
    """Everything right; subclasses go wrong in one thing."""

    def __init__(self) -> None:
        self.client = self.connect()
        self.lock = threading.Lock()

    def connect(self) -> Any:
        key = os.environ["IOTHUB_DEVICE_DPS_DEVICE_KEY"]
        registration: Any = ProvisioningDeviceClient.create_from_symmetric_key(
            provisioning_host=os.environ["IOTHUB_DEVICE_DPS_ENDPOINT"],
            registration_id=os.environ["IOTHUB_DEVICE_DPS_DEVICE_ID"],
            id_scope=os.environ["IOTHUB_DEVICE_DPS_ID_SCOPE"],
            symmetric_key=key,
        )
        registration.provisioning_payload = {"modelId": MODEL}
        state: Any = registration.register().registration_state
        client = IoTHubDeviceClient.create_from_symmetric_key(
            symmetric_key=key, hostname=state.assigned_hub, device_id=state.device_id, product_info=MODEL
        )
        client.connect()
        return client

    def run(self) -> None:
        self.client.on_method_request_received = self.method
        self.client.on_twin_desired_properties_patch_received = self.desired
        self.client.get_twin()
        own = {name: {"value": value, "ac": 203, "av": 0} for name, value in VALUES.items()}
        trim = own.pop("trim")
        self.report({"hours": 1, "batch": "b", **own, "valve1": {"__t": "c", "trim": trim}})
        while True:
            self.telemetry()
            time.sleep(0.2)

    def telemetry(self) -> None:
        message = sdk_message(json.dumps({"flow": 1.5}), content_encoding="utf-8", content_type="application/json")
        self.client.send_message(message)

    def report(self, patch: dict[str, Any]) -> None:
        self.client.patch_twin_reported_properties(patch)

    def desired(self, patch: dict[str, Any]) -> None:
        version = patch["$version"]
        answer: dict[str, Any] = {}
        for name in ("speed", "level"):
            if patch.get(name) is not None:
                answer[name] = self.answer(name, patch[name], version)
        trim = (patch.get("valve1") or {}).get("trim")
        if trim is not None:
            answer["valve1"] = {"__t": "c", "trim": self.answer("trim", trim, version)}
        if answer:
            self.report(answer)

    def answer(self, name: str, value: Any, version: int) -> dict[str, Any]:
        rules: dict[str, Callable[[], bool]] = {
            "speed": lambda: type(value) is int and abs(value) < 2**31,
            "level": lambda: isinstance(value, dict) and all(type(v) in (int, float) for v in value.values()),
            "trim": lambda: type(value) in (int, float) and abs(value) < 1e300,
        }
        if not rules[name]():
            return {"value": VALUES[name], "ac": 400, "av": version}
        return {"value": value, "ac": 200, "av": version}

    def method(self, request: Any) -> None:
        status, payload = self.command(request.name, request.payload)
        self.client.send_method_response(method_response(request.request_id, status, payload))

    def command(self, name: str, payload: Any) -> tuple[int, Any]:
        if name == "valve1*open":
            return (200, True) if type(payload) in (int, float) else (400, None)
        if name == "reboot":
            return (200, None) if type(payload) is int else (400, None)
        return 404, None


class Rebooting(Device):
    """Answers `reboot`, and then really goes away and starts anew."""

    def command(self, name: str, payload: Any) -> tuple[int, Any]:
        if name == "reboot":
            threading.Timer(0.3, os.execv, (sys.executable, [sys.executable, *sys.argv])).start()
        return super().command(name, payload)


class DyingOfInvalid(Device):
    """Ends at a value it cannot read."""

    def answer(self, name: str, value: Any, version: int) -> dict[str, Any]:
        found = super().answer(name, value, version)
        if found["ac"] == 400:
            os._exit(7)
        return found


class Dropping(Device):
    """Ends in the middle of a command."""

    def command(self, name: str, payload: Any) -> tuple[int, Any]:
        os._exit(7)


class Listening(Device):
    """Takes cloud-to-device messages."""

    def run(self) -> None:
        self.client.on_message_received = lambda message: None
        super().run()


class SharedAck(Device):
    """Uses one dictionary for all acknowledgements, as the helper of Microsoft's Python samples does."""

    def desired(self, patch: dict[str, Any]) -> None:
        shared: dict[str, Any] = {}
        answer: dict[str, Any] = {}
        for name in ("speed", "level"):
            if patch.get(name) is not None:
                shared.clear()
                shared.update(self.answer(name, patch[name], patch["$version"]))
                answer[name] = shared
        component = patch.get("valve1") or {}
        if component.get("__t") == "c" and component.get("trim") is not None:
            answer["valve1"] = {"__t": "c", "trim": self.answer("trim", component["trim"], patch["$version"])}
        if answer:
            self.report(answer)


class Mute(Device):
    """Connects, and does nothing else."""

    def run(self) -> None:
        threading.Event().wait()


class Leaving(Device):
    """Ends its connection in the middle of a command, and lives on without one."""

    def run(self) -> None:
        self.left = threading.Event()
        super().run()

    def command(self, name: str, payload: Any) -> tuple[int, Any]:
        if name == "valve1*open":
            self.left.set()
            threading.Event().wait()
        return super().command(name, payload)

    def telemetry(self) -> None:
        if self.left.is_set():
            self.client.disconnect()
            threading.Event().wait()
        super().telemetry()


class Exiting(Device):
    """Answers `reboot` and ends: whoever watches over it starts it again."""

    def command(self, name: str, payload: Any) -> tuple[int, Any]:
        if name == "reboot":
            threading.Timer(0.3, os._exit, (0,)).start()
        return super().command(name, payload)


class Flooding(Device):
    """Sends thousands of messages at once, again and again, without waiting for any."""

    def telemetry(self) -> None:
        transport = self.client._mqtt_pipeline._pipeline  # the client beneath: the SDK waits for every PUBACK
        while getattr(transport, "next", None) is not None and not hasattr(transport, "transport"):
            transport = transport.next
        paho = transport.transport._mqtt_client
        topic = f"devices/{self.client._mqtt_pipeline.pipeline_configuration.device_id}/messages/events/"
        topic += "%24.ct=application%2Fjson&%24.ce=utf-8"
        for _ in range(2000):
            paho.publish(topic, b'{"flow": 1.5}', qos=0)
        time.sleep(2)


def watch_over(name: str) -> NoReturn:
    """Start the device again whenever it ends, as a service manager does."""
    while True:
        with subprocess.Popen([sys.executable, __file__, name]) as device:
            signal.signal(signal.SIGTERM, partial(_end, device))
            device.wait()


def _end(device: subprocess.Popen[bytes], *_: object) -> None:
    device.kill()
    sys.exit()


if __name__ == "__main__":
    if sys.argv[1] == "watched":
        watch_over(sys.argv[2])
    classes: list[type[Device]] = [Device, *Device.__subclasses__()]
    kinds = {each.__name__.lower(): each for each in classes}
    kinds[sys.argv[1]]().run()

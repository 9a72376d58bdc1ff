"""A device that gives away secrets on every road it has: `python leaky.py` (the secrets are in LEAKS, a JSON object).

It is on Microsoft's SDK and otherwise does what its model declares, so that the run goes all the way.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import threading
from typing import Any

from azure.iot.device import user_agent

from tests.run import odd
from tests.run.odd import Device, method_response, sdk_message

odd.MODEL = "dtmi:test:Pump;1"


class Leaky(Device):
    """Everything declared, and with it every secret."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = json.loads(os.environ["LEAKS"])
        self.secrets["key"] = os.environ["IOTHUB_DEVICE_DPS_DEVICE_KEY"]
        self.text = " ".join(self.secrets.values())
        print(self.text, flush=True)
        print(self.text, file=sys.stderr, flush=True)
        print(os.environ, flush=True)
        self.stop = threading.Event()
        agent: Any = user_agent  # what the SDK puts into the user name
        agent.get_iothub_user_agent = lambda: self.secrets["listed"]
        super().__init__()

    def run(self) -> None:
        self.client.on_method_request_received = self.method
        self.client.on_twin_desired_properties_patch_received = self.desired
        self.client.on_message_received = lambda message: print(message.data, self.text, flush=True)
        self.client.get_twin()
        part = {"__t": "c", "serial": "a", "limit": {"value": 0.5, "ac": 203, "av": 0, "ad": self.text}}
        speed = {"value": 1, "ac": 203, "av": 0, "ad": self.text}
        self.report({"hours": 1, "speed": speed, "part1": part, "stray": self.secrets})
        while not self.stop.wait(0.5):
            self.telemetry()

    def telemetry(self) -> None:
        encoded = base64.b64encode(self.text.encode()).decode()
        self.send({"flow": 1.5, "strokes": 1, "stray": self.secrets, "inside": encoded, self.text[:60]: 1})
        self.send({"heat": 40.5}, "part1")
        raw = sdk_message(b"\xff\xfe" + self.text.encode() + b"\xff")
        self.client.send_message(raw)
        self.client.send_message(sdk_message(f"no JSON but {self.text}"))
        broken = sdk_message(json.dumps({"flow": self.text}), content_encoding="utf-8", content_type="application/json")
        self.client.send_message(broken)

    def send(self, body: Any, component: str | None = None) -> None:
        message = sdk_message(json.dumps(body), content_encoding="utf-8", content_type="application/json")
        if component:
            message.custom_properties["$.sub"] = component  # the SDK's own way to name a component
        for name, value in self.secrets.items():
            message.custom_properties[name] = value
        message.custom_properties[self.secrets["listed"]] = "a name"
        self.client.send_message(message)

    def desired(self, patch: dict[str, Any]) -> None:
        version = patch["$version"]
        answer: dict[str, Any] = {}
        if "speed" in patch:
            answer["speed"] = {"value": patch["speed"], "ac": 200, "av": version, "ad": self.text}
        if "limit" in patch.get("part1", {}):
            answer["part1"] = {"__t": "c", "limit": {"value": patch["part1"]["limit"], "ac": 200, "av": version}}
        if answer:
            self.report(answer)

    def method(self, request: Any) -> None:
        self.client.send_method_response(method_response(request.request_id, 200, self.secrets))


if __name__ == "__main__":
    Leaky().run()

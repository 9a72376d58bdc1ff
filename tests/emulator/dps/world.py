"""The world of `tests.emulator.fakes` for DPS without a protocol: several hubs, and registrations in one call."""

from __future__ import annotations

import json
from typing import Any

from harness.emulator.dps.core import ProvisioningService
from harness.emulator.dps.enrollments import Credentials, Enrolled, SymmetricKey
from harness.emulator.hub.core import IotHub
from harness.emulator.options import EmulatorOptions
from harness.emulator.router import Router
from harness.emulator.tokens import parse_token, sign
from tests.emulator.fakes import HOST, SCOPE, World

SECOND = "second.example.net"


class DpsWorld(World):
    """`second` is a further hub that DPS is linked to."""

    def __init__(self, options: EmulatorOptions | None = None) -> None:
        super().__init__(options)
        self.second = IotHub(self.context, SECOND)
        self.dps = ProvisioningService(self.context, SCOPE, self.enrollments, [self.hub, self.second])
        self.router = Router(self.context, self.dps, [self.hub, self.second])

    def add(self, **settings: Any) -> tuple[Enrolled, Credentials]:
        """Enroll reg-1 by symmetric key; returns what proves it beside the enrollment."""
        key = SymmetricKey()
        enrolled = Enrolled(key, registration_id="reg-1", **settings)
        self.enrollments.add(enrolled)
        return enrolled, self.token(key.primary)

    def token(self, key: str, registration_id: str = "reg-1") -> Credentials:
        text = sign(f"{SCOPE}/registrations/{registration_id}", key, int(self.wall) + 3600, "registration")
        return Credentials(parse_token(text))

    def provision(self, registration_id: str, credentials: Credentials, payload: Any = None) -> dict[str, Any]:
        """Register and poll once; returns the registration's state."""
        body = json.dumps({"registrationId": registration_id, "payload": payload}).encode()
        begun = json.loads(self.dps.register(registration_id, credentials, body).body)
        done = json.loads(self.dps.poll(registration_id, credentials, begun["operationId"]).body)
        assert done["status"] == done["registrationState"]["status"]
        state: dict[str, Any] = done["registrationState"]
        return state


__all__ = ["HOST", "SCOPE", "SECOND", "DpsWorld"]

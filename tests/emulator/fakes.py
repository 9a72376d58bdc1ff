"""Cores without sockets: a context whose clock stands still, and devices that talk in packets."""

from __future__ import annotations

from typing import TypeVar

from harness.emulator.context import Context
from harness.emulator.dps.core import ProvisioningService
from harness.emulator.dps.enrollments import Enrolled, Enrollments, SymmetricKey
from harness.emulator.faults import FaultGate, NoFaults
from harness.emulator.hub.core import IotHub
from harness.emulator.hub.registry import Identity
from harness.emulator.options import EmulatorOptions
from harness.emulator.router import Router
from harness.emulator.tokens import new_key, sign
from harness.mqtt import Connack, Connect, Peer, Publish, Subscribe
from harness.record.events import Event
from tests.mqtt.fakes import Client, FakeTimers

E = TypeVar("E", bound=Event)

HOST = "hub.example.net"
SCOPE = "0ne00000001"
WALL = 1_700_000_000.0
MODEL = "dtmi:com:example:Thermostat;1"


class World:
    """One DPS and one hub, with everything they record."""

    def __init__(self, options: EmulatorOptions | None = None, faults: FaultGate | None = None) -> None:
        self.timers = FakeTimers()
        self.wall = WALL
        self.events: list[Event] = []
        self.context = Context(
            self.timers, lambda: self.wall, self.events.append, options or EmulatorOptions(), faults or NoFaults()
        )
        self.hub = IotHub(self.context, HOST)
        self.enrollments = Enrollments()
        self.dps = ProvisioningService(self.context, SCOPE, self.enrollments, [self.hub])
        self.router = Router(self.context, self.dps, [self.hub])

    def advance(self, seconds: float) -> None:
        self.wall += seconds
        self.timers.advance(seconds)

    def seen(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]

    def last(self, kind: type[E]) -> E:
        return self.seen(kind)[-1]

    def client(self) -> Client:
        return Client(self.router, self.timers, peer=Peer("127.0.0.1:5", tls_version="TLSv1.2"))

    # --- DPS -----------------------------------------------------------------------------------------

    def enroll(self, registration_id: str = "reg-1", **settings: object) -> SymmetricKey:
        key = SymmetricKey()
        self.enrollments.add(Enrolled(key, registration_id=registration_id, **settings))  # type: ignore[arg-type]
        return key

    def dps_connect(self, key: str, registration_id: str = "reg-1", scope: str = SCOPE) -> Connect:
        token = sign(f"{scope}/registrations/{registration_id}", key, int(self.wall) + 3600, "registration")
        user_name = f"{scope}/registrations/{registration_id}/api-version=2019-03-31&ClientVersion=test%2F1"
        return Connect(registration_id, user_name, token.encode(), keep_alive=60)

    def at_dps(self, key: str, registration_id: str = "reg-1") -> Client:
        client = self.client()
        assert client.one(self.dps_connect(key, registration_id)) == Connack(0)
        client.send(Subscribe(1, (("$dps/registrations/res/#", 1),)))
        return client

    # --- the hub -------------------------------------------------------------------------------------

    def add_device(self, device_id: str = "dev-1", module_id: str | None = None) -> Identity:
        return self.hub.registry.add(Identity(device_id, module_id, primary_key=new_key(), secondary_key=new_key()))

    def hub_connect(
        self,
        identity: Identity,
        *,
        key: str | None = None,
        query: str = f"api-version=2020-09-30&DeviceClientType=test&model-id={MODEL}",
        clean: bool = False,
        expiry: int | None = None,
        keep_alive: int = 60,
    ) -> Connect:
        module = f"/modules/{identity.module_id}" if identity.module_id else ""
        resource = f"{HOST}/devices/{identity.device_id}{module}"
        expiry = int(self.wall) + 3600 if expiry is None else expiry
        token = sign(resource, key or identity.primary_key, expiry)
        user_name = f"{HOST}/{identity.name}/?{query}"
        return Connect(identity.name, user_name, token.encode(), clean, keep_alive)

    def at_hub(self, identity: Identity, *filters: str, qos: int = 1, clean: bool = False) -> Client:
        client = self.client()
        client.send(self.hub_connect(identity, clean=clean))
        if filters:
            client.send(Subscribe(1, tuple((name, qos) for name in filters)))
        client.received()
        return client


def publish(client: Client, topic: str, payload: bytes = b"", qos: int = 0) -> list[Publish]:
    """Publish and return the messages that came back."""
    answers = client.send(Publish(topic, payload, qos, 77 if qos else 0))
    return [packet for packet in answers if isinstance(packet, Publish)]

"""A client of the AMQP endpoint without a socket: Proton's engine on the client's side of an `AmqpConnection`."""

from __future__ import annotations

from typing import Any

import proton
from proton import Connection, Data, Described, Endpoint, Message, Transport, symbol, ulong

from harness.emulator.amqp import connection as server
from harness.emulator.amqp.authorization import Authority
from harness.emulator.amqp.connection import AmqpConnection
from harness.emulator.amqp.journal import EventHub
from harness.emulator.hub.access import Access
from harness.emulator.options import EmulatorOptions
from harness.emulator.tokens import sign
from harness.record.events import TelemetryReceived
from tests.emulator.amqp.tokens import events_token
from tests.emulator.fakes import HOST, WALL, World

ENTITY = "ehub"
PARTITION = f"amqps://{HOST}:5671/{ENTITY}/ConsumerGroups/$Default/Partitions/"
SASL_HEADER = b"AMQP\x03\x01\x00\x00"
SELECTOR = symbol("apache.org:selector-filter:string")


class AmqpWorld(World):
    """A hub with an event hub of two partitions."""

    def __init__(self, options: EmulatorOptions | None = None) -> None:
        super().__init__(options)
        self.event_hub = EventHub(ENTITY, int(WALL * 1000), partitions=2, max_events=1000, max_bytes=10**7)
        access: Access = self.hub.access
        authority = Authority(access, HOST, self.context.wall, self.context.options.token_skew)
        self.endpoint = server.Endpoint(self.context, self.event_hub, authority, self.hub.c2d, HOST, 5671)

    def telemetry(self, count: int = 1, device_id: str = "dev-1") -> None:
        for number in range(count):
            message = TelemetryReceived(device_id, None, None, b"%d" % number)
            self.event_hub.partitions["0"].append(message, int(self.wall * 1000), "g", "sas")

    def key(self, policy: str) -> str:
        return self.hub.access.policies[policy].primary_key

    def events_token(self, policy: str = "iothubowner", seconds: int = 3600) -> str:
        return events_token(f"sb://{HOST}/{ENTITY}", self.key(policy), policy, int(self.wall) + seconds)

    def hub_token(self, policy: str = "service") -> str:
        return sign(HOST, self.key(policy), int(self.wall) + 3600, policy)


def sasl_init(mechanism: str, response: bytes = b"") -> bytes:
    data = Data()
    data.put_object(Described(ulong(0x41), [symbol(mechanism), response, HOST]))
    body = bytes(data.encode())
    return (len(body) + 8).to_bytes(4, "big") + b"\x02\x01\x00\x00" + body


class Client:
    """The peer. It is the connection's wire; whatever it opens is worked off by `run`."""

    full = False

    def __init__(self, world: AmqpWorld, *, mechanism: str | None = "ANONYMOUS", response: bytes = b"") -> None:
        """`mechanism` None leaves the SASL layer out."""
        self.world = world
        self.closed = False
        self.raw = b""
        self.connection = AmqpConnection(world.endpoint, self, "peer")
        self.said = b"" if mechanism is None else SASL_HEADER + sasl_init(mechanism, response)
        self.connection.receive(self.said)
        self.sasl, self.raw = self.raw, b""
        self.engine = Transport(Transport.CLIENT)
        self.remote = Connection()
        self.remote.container = "client"
        self.remote.hostname = HOST
        self.engine.bind(self.remote)
        self.remote.open()
        self.session = self.remote.session()
        self.session.open()
        self._links = 0

    def write(self, data: bytes) -> None:
        self.raw += data

    def close(self) -> None:
        self.closed = True

    # --- the peer's doings ---------------------------------------------------------------------------

    def run(self) -> None:
        """Let both sides talk until they have nothing more to say."""
        quiet = False
        while not quiet:
            quiet = True
            while (pending := self.engine.pending()) > 0:
                data = bytes(self.engine.peek(pending) or b"")
                self.said += data
                self.connection.receive(data)
                self.engine.pop(pending)
                quiet = False
            self.world.advance(0)
            if self.raw and self.engine.capacity() > 0:
                data, self.raw = self.raw, b""
                for at in range(0, len(data), 4096):
                    self.engine.push(data[at : at + 4096])
                quiet = False

    def receiver(self, address: str, credit: int = 100, selector: Any = None, epoch: int | None = None) -> Any:
        self._links += 1
        link = self.session.receiver(f"link-{self._links}")
        link.source.address = address
        link.target.address = "here"
        if selector is not None:
            link.source.filter.put_dict({SELECTOR: Described(SELECTOR, selector)})
        if epoch is not None:
            link.properties = {symbol("com.microsoft:epoch"): epoch}
        link.open()
        link.flow(credit)
        self.run()
        return link

    def sender(self, address: str) -> Any:
        self._links += 1
        link = self.session.sender(f"link-{self._links}")
        link.target.address = address
        link.source.address = "here"
        link.open()
        self.run()
        return link

    def send(self, link: Any, message: Message) -> Any:
        """Send and return the delivery, whose remote state tells what became of it."""
        delivery = link.delivery(str(id(message)))
        link.send(message.encode())
        link.advance()
        self.run()
        return delivery

    def put_token(self, token: str, kind: str = "servicebus.windows.net:sastoken", operation: str = "put-token") -> int:
        """Return the status code."""
        answers, requests = self.receiver("$cbs"), self.sender("$cbs")
        properties = {"operation": operation, "type": kind, "name": f"sb://{HOST}/{ENTITY}"}
        self.send(requests, Message(body=token, id="one", properties=properties))
        (answer,) = received(answers)
        assert answer.correlation_id == "one"
        return int(answer.properties["status-code"])

    def authorized(self) -> Client:
        assert self.put_token(self.world.events_token()) == 202
        return self

    def at_hub(self) -> Client:
        assert self.put_token(self.world.hub_token()) == 200
        return self


def received(link: Any) -> list[Any]:
    """Take what has come in on a link, and leave it unsettled where it came so."""
    messages = []
    while (delivery := link.current) is not None and not delivery.partial:
        message = Message()
        message.decode(link.recv(delivery.pending))
        link.advance()
        messages.append(message)
    return messages


def payloads(link: Any) -> list[bytes]:
    """The bodies of what came."""
    return [bytes(message.body) for message in received(link)]


def refusal(endpoint: Any) -> tuple[str, str]:
    """Return condition and description with which the server closed a link or connection."""
    assert endpoint.state & Endpoint.REMOTE_CLOSED
    condition: proton.Condition = endpoint.remote_condition
    return condition.name, condition.description or ""

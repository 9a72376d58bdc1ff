"""Clients for the benchmarks, each a process of its own: `python -m tests.bench._clients NAME SETTINGS`.

They talk to the emulator and to Mosquitto alike and write one line of JSON with what they measured.
"""

from __future__ import annotations

import json
import resource
import select
import socket
import ssl
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from harness.emulator.tokens import sign
from harness.mqtt import Connack, Connect, Decoder, Disconnect, Publish, Subscribe, encode

PORT = 8883
_EXPIRY = 4_000_000_000
_BAG = "%24.sub=thermostat1&%24.ct=application%2Fjson&%24.ce=utf-8"
_ACK = 4
"""Bytes of a PUBACK."""


@dataclass(frozen=True)
class Server:
    address: str
    ca: str
    key: str = ""
    """Of the policy `device`; empty for a server that asks for no token."""

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.ca)

    def credentials(self, device: str) -> tuple[str, str]:
        """User name and password."""
        token = sign(f"{self.address}/devices", self.key, _EXPIRY, "device") if self.key else "none"
        return f"{self.address}/{device}/?api-version=2021-04-12", token

    def dial(self, context: ssl.SSLContext) -> ssl.SSLSocket:
        return context.wrap_socket(socket.create_connection((self.address, PORT), 30), server_hostname=self.address)

    def connect(self, device: str, context: ssl.SSLContext) -> ssl.SSLSocket:
        connection = self.dial(context)
        user, password = self.credentials(device)
        connection.sendall(encode(Connect(device, user, password.encode())))
        answer = connection.recv(4)
        if answer != b"\x20\x02\0\0":
            raise ConnectionError(f"{device} was refused: {answer!r}")
        return connection


def message(device: str, size: int, number: int = 7) -> bytes:
    return encode(Publish(f"devices/{device}/messages/events/{_BAG}", b"x" * size, 1, number))


def stream(server: Server, messages: int, size: int) -> dict[str, float]:
    """A byte stream made beforehand: messages a second from the first byte to the last PUBACK."""
    connection = server.connect("d0", server.context())
    batch = 100
    blob = message("d0", size) * batch
    ended = threading.Event()

    def read() -> None:
        missing = messages * _ACK
        while missing > 0:
            missing -= len(connection.recv(65536))
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    began = time.perf_counter()
    for _ in range(messages // batch):
        connection.sendall(blob)
    if not ended.wait(120):
        raise TimeoutError("not every message was acknowledged")
    return {"rate": messages / (time.perf_counter() - began)}


def window(server: Server, messages: int, size: int) -> dict[str, float]:
    """One paho client that sends the next message when the last one is acknowledged."""
    from paho.mqtt.client import Client

    client = Client("d0")
    client.tls_set_context(server.context())
    client.username_pw_set(*server.credentials("d0"))
    topic, payload, left, began = f"devices/d0/messages/events/{_BAG}", b"x" * size, messages, 0.0

    def connected(*_: Any) -> None:
        nonlocal began
        began = time.perf_counter()
        client.publish(topic, payload, 1)

    def published(*_: Any) -> None:
        nonlocal left
        left -= 1
        if left:
            client.publish(topic, payload, 1)
        else:
            client.disconnect()

    client.on_connect, client.on_publish = connected, published
    client.connect(server.address, PORT)
    client.loop_forever()
    return {"rate": messages / (time.perf_counter() - began)}


def idle(server: Server, devices: int) -> dict[str, float]:
    """Connect, say so, and hold the connections until standard input ends."""
    context = server.context()
    began = time.perf_counter()
    held = [server.connect(f"d{n}", context) for n in range(devices)]
    print(json.dumps({"rate": devices / (time.perf_counter() - began)}), flush=True)
    sys.stdin.read()
    return {"held": len(held)}


def fleet(server: Server, devices: int, every: float, seconds: float, size: int) -> dict[str, float]:
    """Devices that send at even intervals: what was lost, and the time to the PUBACK in ms."""
    context = server.context()
    connections = [server.connect(f"d{n}", context) for n in range(devices)]
    poll = select.epoll()
    for connection in connections:
        connection.setblocking(False)
        poll.register(connection.fileno(), select.EPOLLIN)
    numbers = {connection.fileno(): n for n, connection in enumerate(connections)}
    packets = [message(f"d{n}", size) for n in range(devices)]
    sent, times = [0.0] * devices, list[float]()
    total, count, began = int(devices * seconds / every), 0, time.perf_counter()
    deadline = began + seconds + 10
    while len(times) < total and time.perf_counter() < deadline:
        now = time.perf_counter()
        while count < total and began + count * every / devices <= now:
            n = count % devices
            sent[n] = time.perf_counter()
            connections[n].send(packets[n])
            count += 1
        due = began + count * every / devices if count < total else now + 1
        for file, _ in poll.poll(max(0.0, due - time.perf_counter())):
            n = numbers[file]
            try:
                while data := connections[n].recv(1000):
                    times += [time.perf_counter() - sent[n]] * (len(data) // _ACK)
                poll.unregister(file)
            except ssl.SSLWantReadError:
                pass
    times.sort()
    at = [times[min(int(len(times) * part), len(times) - 1)] * 1000 for part in (0.5, 0.99, 0.999, 1)]
    return {"sent": count, "lost": count - len(times), "p50": at[0], "p99": at[1], "p999": at[2], "max": at[3]}


def register(server: Server, scope: str, keys: list[str], threads: int) -> dict[str, float]:
    """Whole registrations, each on a connection of its own: connect, subscribe, register, wait as told, poll."""
    context = server.context()

    def one(number: int) -> None:
        name = f"r{number}"
        token = sign(f"{scope}/registrations/{name}", keys[number], _EXPIRY, "registration")
        connection, decoder = server.dial(context), Decoder()

        def expect(kind: type, prefix: str = "") -> Any:
            while True:
                packet = decoder.next()
                if isinstance(packet, kind) and getattr(packet, "topic", "").startswith(prefix):
                    return packet
                if packet is None:
                    decoder.feed(connection.recv(4096) or _gone())

        connection.sendall(
            encode(Connect(name, f"{scope}/registrations/{name}/api-version=2019-03-31", token.encode()))
        )
        assert expect(Connack).return_code == 0
        connection.sendall(encode(Subscribe(1, (("$dps/registrations/res/#", 1),))))
        connection.sendall(encode(Publish("$dps/registrations/PUT/iotdps-register/?$rid=1", b"{}", 1, 2)))
        answer = expect(Publish, "$dps/registrations/res/")
        while "/res/202/" in answer.topic:
            threading.Event().wait(int(answer.topic.partition("retry-after=")[2] or 0))
            operation = json.loads(answer.payload)["operationId"]
            topic = f"$dps/registrations/GET/iotdps-get-operationstatus/?$rid=2&operationId={operation}"
            connection.sendall(encode(Publish(topic, b" ", 1, 3)))
            answer = expect(Publish, "$dps/registrations/res/")
        assert json.loads(answer.payload)["status"] == "assigned", answer
        connection.sendall(encode(Disconnect()))
        connection.close()

    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(one, range(len(keys))))
    return {"rate": 60 * len(keys) / (time.perf_counter() - began)}


def _gone() -> bytes:
    raise ConnectionError("the server closed the connection")


if __name__ == "__main__":
    _most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (_most, _most))
    _settings = json.loads(sys.argv[2])
    _server = Server(**_settings.pop("server"))
    _run: Any = globals()[sys.argv[1]]
    print(json.dumps(_run(_server, **_settings)), flush=True)

"""A device's end of MQTT over TLS, in blocking calls: nothing is hidden, so everything can be done wrong."""

from __future__ import annotations

import base64
import hashlib
import hmac
import socket
import ssl
import time
from dataclasses import replace
from urllib.parse import quote

from harness.mqtt import (
    Acknowledgement,
    Connack,
    Connect,
    Decoder,
    Packet,
    Pingreq,
    Publish,
    RemoteError,
    Suback,
    Subscribe,
    encode,
)
from harness.mqtt.packets import PUBACK

from .conduct import Conduct
from .settings import Settings

ANSWER_SECONDS = 30.0
"""How long an answer that MQTT demands may take."""


class Down(Exception):
    """The other side is gone, or was never there. The text says why."""


class Line:
    """One connection. `packets` come from `receive`; what is published at QoS 1 is not awaited."""

    def __init__(self, host: str, settings: Settings, conduct: Conduct) -> None:
        """Connect by TLS. Raises Down."""
        self._conduct = conduct
        self._decoder = Decoder()
        self._packet_id = 0
        self.spoke = time.monotonic()
        """When something was sent last."""
        address = host, conduct.port
        try:
            if conduct.probes:
                socket.create_connection(address, timeout=ANSWER_SECONDS).close()
            plain = socket.create_connection(address, timeout=ANSWER_SECONDS)
            tls = _context(settings, conduct)
            self._socket: socket.socket = tls.wrap_socket(plain, server_hostname=host) if conduct.speaks_tls else plain
        except OSError as e:
            raise Down(f"no connection to {host}:{conduct.port}: {getattr(e, 'reason', None) or e}") from None

    def connect(self, packet: Connect) -> int:
        """Introduce the device; the return code of CONNACK. Raises Down."""
        self._send(self._conduct.edit_bytes(encode(packet)))
        answer = self.receive(ANSWER_SECONDS)
        if not isinstance(answer, Connack):
            raise Down("no CONNACK came")
        return answer.return_code

    def subscribe(self, *filters: str) -> list[Packet]:
        """Subscribe at QoS 1 and wait for it; what else came meanwhile. Raises Down."""
        self.send(Subscribe(self._next_id(), tuple((name, 1) for name in filters)))
        others: list[Packet] = []
        until = time.monotonic() + ANSWER_SECONDS
        while time.monotonic() < until:
            packet = self.receive(until - time.monotonic())
            if isinstance(packet, Suback):
                return others
            if packet is not None:
                others.append(packet)
        raise Down("no SUBACK came")

    def publish(self, *packets: Publish) -> None:
        """Publish them in one go, with an identifier where the QoS needs one. Raises Down."""
        numbered = (replace(packet, packet_id=self._next_id() if packet.qos else 0) for packet in packets)
        self._send(b"".join(encode(packet) for packet in numbered))

    def ping(self) -> None:
        """Raises Down."""
        self.send(Pingreq())

    def send(self, packet: Packet) -> None:
        """Raises Down."""
        self._send(encode(packet))

    def _send(self, data: bytes) -> None:
        try:
            self._socket.settimeout(ANSWER_SECONDS)
            self._socket.sendall(data)
        except OSError as e:
            raise Down(f"the connection is gone: {e}") from None
        self.spoke = time.monotonic()

    def receive(self, seconds: float) -> Packet | None:
        """The next packet within so many seconds; a message is acknowledged. Raises Down."""
        until = time.monotonic() + seconds
        try:
            while (packet := self._decoder.next()) is None:
                left = until - time.monotonic()
                if left <= 0:
                    return None
                # Bounded, because Windows runs signal handlers between two waits only.
                self._socket.settimeout(min(left, 1.0))
                try:
                    data = self._socket.recv(65536)
                except TimeoutError:
                    continue
                if not data:
                    raise Down("the other side closed the connection")
                self._decoder.feed(data)
        except (OSError, RemoteError) as e:
            raise Down(f"the connection is gone: {e}") from None
        if isinstance(packet, Publish) and packet.qos == 1 and self._conduct.acknowledges:
            self.send(Acknowledgement(PUBACK, packet.packet_id))
        return packet

    def close(self) -> None:
        """Close without a word."""
        self._socket.close()

    def _next_id(self) -> int:
        self._packet_id = self._packet_id % 0xFFFF + 1
        return self._packet_id


def _context(settings: Settings, conduct: Conduct) -> ssl.SSLContext:
    context = ssl.create_default_context() if conduct.trusts else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if not conduct.verifies_server:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if not isinstance(settings.proof, str):
        proof = settings.proof
        context.load_cert_chain(proof.file, proof.key_file, proof.pass_phrase or None)
    return context


def token(resource: str, key: str, seconds: float, key_name: str = "") -> bytes:
    """A shared access signature for `resource`, good for so many seconds from now."""
    scope = quote(resource, safe="")
    expiry = int(time.time() + seconds)
    mac = hmac.new(base64.b64decode(key), f"{scope}\n{expiry}".encode(), hashlib.sha256)
    signature = quote(base64.b64encode(mac.digest()), safe="")
    name = f"&skn={key_name}" if key_name else ""
    return f"SharedAccessSignature sr={scope}&sig={signature}&se={expiry}{name}".encode()

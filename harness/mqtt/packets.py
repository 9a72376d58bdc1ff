"""The packets of MQTT 3.1.1 as plain data.

Mutable for speed (a frozen dataclass costs several times as much to make, and one is made for every message);
nothing changes a packet after it was decoded.
"""

from __future__ import annotations

from dataclasses import dataclass, field

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP = 1, 2, 3, 4, 5, 6, 7
SUBSCRIBE, SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT = 8, 9, 10, 11, 12, 13, 14

ACCEPTED = 0
UNACCEPTABLE_PROTOCOL = 1
IDENTIFIER_REJECTED = 2
BAD_USER_NAME_OR_PASSWORD = 4
NOT_AUTHORIZED = 5

SUBSCRIPTION_FAILED = 0x80


@dataclass(slots=True)
class Will:
    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


@dataclass(slots=True)
class Connect:
    """`keep_alive` in seconds, 0 for none. The password is kept out of the repr."""

    client_id: str
    user_name: str | None = None
    password: bytes | None = field(default=None, repr=False)
    clean_session: bool = True
    keep_alive: int = 0
    will: Will | None = None


@dataclass(slots=True)
class Connack:
    return_code: int
    session_present: bool = False


@dataclass(slots=True)
class Publish:
    """`packet_id` is 0 at QoS 0."""

    topic: str
    payload: bytes
    qos: int = 0
    packet_id: int = 0
    dup: bool = False
    retain: bool = False


@dataclass(slots=True)
class Acknowledgement:
    """PUBACK, PUBREC, PUBREL or PUBCOMP by `kind`: all are a packet identifier and nothing else."""

    kind: int
    packet_id: int


@dataclass(slots=True)
class Subscribe:
    """`filters` are (topic filter, requested QoS)."""

    packet_id: int
    filters: tuple[tuple[str, int], ...]


@dataclass(slots=True)
class Suback:
    """`codes` are the granted QoS for each filter, or 0x80."""

    packet_id: int
    codes: tuple[int, ...]


@dataclass(slots=True)
class Unsubscribe:
    packet_id: int
    filters: tuple[str, ...]


@dataclass(slots=True)
class Unsuback:
    packet_id: int


@dataclass(slots=True)
class Pingreq:
    pass


@dataclass(slots=True)
class Pingresp:
    pass


@dataclass(slots=True)
class Disconnect:
    pass


Packet = (
    Connect
    | Connack
    | Publish
    | Acknowledgement
    | Subscribe
    | Suback
    | Unsubscribe
    | Unsuback
    | Pingreq
    | Pingresp
    | Disconnect
)

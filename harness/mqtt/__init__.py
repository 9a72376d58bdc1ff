"""MQTT 3.1.1 without I/O: packets, an incremental codec and the server's side of one connection.

Why own code: an IoT Hub is not a broker. It decides each CONNACK, pushes to one client, withholds or delays
an acknowledgement when told to, and closes connections silently; no broker library offers that.

`codec` turns bytes into packets and back, for both directions. `session` holds the rules of one connection
and knows neither sockets nor IoT Hub. Both raise `RemoteError` for what the other side did wrong, and nothing
else.
"""

from harness.mqtt.codec import Decoder, encode
from harness.mqtt.errors import PacketTooLarge, RemoteError, UnsupportedProtocol
from harness.mqtt.packets import (
    Acknowledgement,
    Connack,
    Connect,
    Disconnect,
    Packet,
    Pingreq,
    Pingresp,
    Publish,
    Suback,
    Subscribe,
    Unsuback,
    Unsubscribe,
    Will,
)
from harness.mqtt.session import Application, Handler, Limits, Peer, ServerSession, Timer, Timers, Wire

__all__ = [
    "Acknowledgement",
    "Application",
    "Connack",
    "Connect",
    "Decoder",
    "Disconnect",
    "Handler",
    "Limits",
    "Packet",
    "PacketTooLarge",
    "Peer",
    "Pingreq",
    "Pingresp",
    "Publish",
    "RemoteError",
    "ServerSession",
    "Suback",
    "Subscribe",
    "Timer",
    "Timers",
    "Unsuback",
    "Unsubscribe",
    "UnsupportedProtocol",
    "Will",
    "Wire",
    "encode",
]

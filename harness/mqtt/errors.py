"""What the other side of an MQTT connection can do wrong. Each of these costs it the connection, and only
that.
"""

from __future__ import annotations


class RemoteError(Exception):
    """The peer broke a rule. `rule` is a short stable name for programs, `detail` a sentence for people."""

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule = rule
        self.detail = detail


class PacketTooLarge(RemoteError):
    """A packet longer than the connection's limit; raised from the fixed header, before its body is read."""

    def __init__(self, length: int, limit: int) -> None:
        super().__init__("packet-too-large", f"a packet of {length} bytes; the limit is {limit}")


class UnsupportedProtocol(RemoteError):
    """A CONNECT of another protocol or level: the one breach that 3.1.1 answers, with CONNACK 1
    [MQTT-3.1.2-2].
    """

    def __init__(self, name: str, level: int) -> None:
        super().__init__("unsupported-protocol", f"protocol {name!r} level {level}; only MQTT 3.1.1 (level 4)")

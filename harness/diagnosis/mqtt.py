"""CONNACK codes of MQTT 3.1.1, and connections that end without any code. Both services use them."""

from __future__ import annotations

from harness.diagnosis.entry import Entry

_MQTT = "MQTT Version 3.1.1, table 3.1; Use MQTT to communicate with IoT Hub"
_RECONNECT = "Manage device reconnections to create resilient applications"

ENTRIES = (
    Entry(
        "CONNACK 0",
        "mqtt",
        "Connection accepted",
        "The service let the device in. DPS may still refuse the register request that follows.",
        ("nothing is wrong",),
        "Subscribe, then go on.",
        "Nothing.",
        False,
        _MQTT,
    ),
    Entry(
        "CONNACK 1",
        "mqtt",
        "Unacceptable protocol version",
        "The client speaks another version of MQTT than 3.1.1.",
        ("the client library is set to MQTT 5 or 3.1",),
        "Not try again: it would be refused again.",
        "Set the client library to MQTT 3.1.1 (protocol level 4).",
        False,
        _MQTT,
        ("Connection Refused: unacceptable protocol version",),
    ),
    Entry(
        "CONNACK 2",
        "mqtt",
        "Identifier rejected",
        "The service does not take the client id.",
        (
            "the client id is empty, or is not the device id (for DPS: the registration id)",
            "the client id is percent-encoded: in MQTT it is not",
        ),
        "Not try again: it would be refused again.",
        "Use the device id as client id, `device/module` for a module, in the same letters as in the hub.",
        False,
        _MQTT,
        ("Connection Refused: identifier rejected",),
    ),
    Entry(
        "CONNACK 3",
        "mqtt",
        "Server unavailable",
        "The service cannot take the connection for the moment. The C SDK takes it for a disabled device.",
        (
            "the service is busy, in maintenance, or throttles new connections",
            "the device is disabled in the hub (not documented; the C SDK reads it so)",
        ),
        "Try again, waiting longer each time, with a random part; go to DPS after ten failures.",
        "See whether the device is enabled in the hub; then look at the service's health and quota.",
        True,
        _RECONNECT,
        ("Connection Refused: broker unavailable", "Connection Refused: server unavailable"),
    ),
    Entry(
        "CONNACK 4",
        "mqtt",
        "Bad user name or password",
        "The user name or the password is not of the expected form.",
        (
            "the user name is not `hub/device/?api-version=...` (DPS: `scope/registrations/id/api-version=...`)",
            "the password is a key, and not a token made with the key",
        ),
        "Make a new token and try again once or twice, then go to DPS.",
        "Print the user name and compare it letter by letter; the password has to start with SharedAccessSignature.",
        False,
        _MQTT,
        ("Connection Refused: bad user name or password",),
    ),
    Entry(
        "CONNACK 5",
        "mqtt",
        "Not authorized",
        "The service does not accept the device's credentials. The code does not say which part of them.",
        (
            "the token has expired, or the device's clock is off by more than five minutes",
            "the token is signed with another key, or made for another device or hub",
            "the hub does not know the device: it was deleted, or moved to another hub",
            "the certificate is not the registered one",
        ),
        "Make a new token; where that does not help, register with DPS again. Wait longer each time.",
        "Check the clock first, then the key, then the ids. The local target's journal names the reason in words.",
        False,
        _RECONNECT,
        ("Connection Refused: not authorised", "Connection Refused: not authorized"),
    ),
    Entry(
        "closed without CONNACK",
        "mqtt",
        "Connection closed without a code",
        "MQTT 3.1.1 gives a server no way to say why it closes a connection.",
        (
            "a publish with QoS 2, or to a topic that the hub does not know",
            "a subscription to a filter that is not documented, or a sixth one",
            "a message over 256 KB, or a property bag that is not percent-encoded",
            "a second connection with the same device id",
            "nothing heard for one and a half times the keep-alive",
        ),
        "Connect again, waiting longer each time.",
        "Run the device against the local target: its journal names the rule that was broken.",
        True,
        "Use MQTT to communicate with IoT Hub",
    ),
)

"""Codes of IoT Hub about messages and direct methods, to the device and from it."""

from __future__ import annotations

from harness.diagnosis.entry import Entry

_CODES = "Troubleshoot Azure IoT Hub error codes"
_METHODS = "Understand and invoke direct methods from IoT Hub"
_QUOTAS = "IoT Hub quotas and throttling"
_C2D = "Understand cloud-to-device messaging from an IoT hub"

ENTRIES = (
    Entry(
        "400103",
        "hub",
        "InvalidContentEncodingOrType",
        "The message's content type or encoding is not valid.",
        ("the body is routed, and `$.ct` or `$.ce` is missing or wrong",),
        maker="Send `$.ct=application%2Fjson` and `$.ce=utf-8` in the message's properties.",
        source=_CODES,
    ),
    Entry(
        "403004",
        "hub",
        "DeviceMaximumQueueDepthExceeded",
        "Fifty cloud-to-device messages wait for the device, and no more are taken.",
        ("the device is offline, or does not subscribe to messages", "it does not acknowledge them"),
        "Subscribe to cloud-to-device messages and acknowledge each.",
        "Handle messages on the device, let them expire sooner, or purge the queue.",
        True,
        _C2D,
    ),
    Entry(
        "403007",
        "hub",
        "DeviceMaximumQueueSizeExceeded",
        "The cloud-to-device messages that wait for the device are too many bytes.",
        ("the device does not fetch or acknowledge them",),
        "Subscribe to cloud-to-device messages and acknowledge each.",
        "Send smaller messages, or let them expire sooner.",
        True,
        _CODES,
    ),
    Entry(
        "403800",
        "hub",
        "DeviceMaximumInflightMethodExceeded",
        "Too many direct methods wait for the device's answer.",
        ("the device answers slowly, or not at all", "the back end calls in a burst"),
        "Answer each method, at once if need be with 202.",
        "Call the device's methods one after the other.",
        True,
        _CODES,
        ("TooManyMethodsInFlight",),
    ),
    Entry(
        "404102",
        "hub",
        "DeviceNotOnline",
        "The device is not connected. Published under this number; what is met is 404103.",
        ("the device is off",),
        "Stay connected; connect again after a loss.",
        "See 404103.",
        True,
        _CODES,
    ),
    Entry(
        "404103",
        "hub",
        "DeviceNotOnline",
        "A direct method could not be delivered: the device is not connected, or has not subscribed to methods.",
        (
            "the device is off, or between two connections",
            "the device is connected, but has no handler for methods registered",
        ),
        "Subscribe to `$iothub/methods/POST/#` right after each connect.",
        "Register the handler for methods before anything else, and see that it survives a reconnect.",
        True,
        _METHODS,
        ("DeviceNotConnected", "Timed out waiting for device to connect"),
    ),
    Entry(
        "412002",
        "hub",
        "DeviceMessageLockLost",
        "The device acknowledged a cloud-to-device message later than a minute after it came.",
        ("the message is handled before it is acknowledged, and that takes long",),
        "Acknowledge within a minute; the message comes again otherwise.",
        "Acknowledge first, then do the long work.",
        False,
        _C2D,
    ),
    Entry(
        "413001",
        "hub",
        "MessageTooLarge",
        "The message is over the limit: 256 KB from the device, 64 KB to it.",
        ("several readings in one message", "a file sent as telemetry"),
        maker="Split the message, or use file upload.",
        source=_QUOTAS,
    ),
    Entry(
        "504101",
        "hub",
        "GatewayTimeout",
        "A direct method reached the device and no answer came in time.",
        (
            "the handler works for longer than the call waits (30 seconds by default)",
            "the handler failed and sent no answer",
            "the answer went to a topic with another `$rid`",
        ),
        "Answer at once with 202 where the work takes long, and report its end as a property.",
        "Answer each method with the `$rid` it came with, also one that the device does not know.",
        True,
        _METHODS,
        ("Timed out waiting for the response from device",),
    ),
)

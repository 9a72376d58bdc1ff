"""The connection itself, and IoT Hub's rules of MQTT."""

from __future__ import annotations

from collections.abc import Sequence

from tests.seeded.library.making import NEVER, seed
from tests.seeded.seed import Seed

CONNECTION: Sequence[Seed] = (
    seed("user-name-raw", expected={"user_name_is_encoded": "warning user-name-not-encoded"}),
    seed("old-api-version", expected={"api_version_knows_models": "failed api-version-too-old"}),
    *(
        seed(fault, expected={"keeps_mqtt_rules": f"{outcome} mqtt-{rule}"})
        for fault, outcome, rule in (
            ("qos-2", "failed", "qos-2"),
            ("foreign-topic", "failed", "unknown-topic"),
            ("foreign-filter", "failed", "foreign-filter"),
            ("wildcard-filter", "failed", "foreign-filter"),
            ("too-large", "failed", "message-too-large"),
            ("no-request-id", "failed", "no-request-id"),
            ("unknown-answer", "warning", "unknown-method-request"),
            ("answers-twice", "warning", "unknown-method-request"),
            ("bad-properties", "failed", "bad-properties"),
        )
    ),
    seed(
        "foreign-will",
        expected={"keeps_mqtt_rules": "failed mqtt-foreign-will", "connects_to_hub": "failed hub-refused"},
        settings=NEVER,
    ),
    seed("second-client", expected={"one_connection_for_an_identity": "failed second-connection"}),
    seed("restless", expected={"connection_holds": "warning device-reconnected"}),
    *(
        seed(
            fault,
            expected={
                "connection_holds": f"failed {code}",
                "telemetry[humidity]": "warning telemetry-fewer-than-stated",
            },
            model="dtmi:test:seed:Probe;1",
            stated="[telemetry.humidity]\ncount = 30\n",
            more="--interval 0.5",
            settings={"connect_timeout": 20.0, "window": 12.0},
        )
        for fault, code in (("end-later", "device-ended"), ("go-later", "device-disconnected"))
    ),
    seed(
        "command-dies=measure",
        expected={"command[measure]": "failed command-disconnected"},
    ),
    seed(
        "command-goes-away=measure",
        expected={"command[measure]": "failed command-disconnected"},
        settings=NEVER,
    ),
)

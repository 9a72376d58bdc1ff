"""Before the device is in service: DPS, the hub, the model id."""

from __future__ import annotations

from collections.abc import Sequence

from tests.seeded.library.making import NEVER, never_registers, raw, seed
from tests.seeded.seed import Seed

PROVISIONING: Sequence[Seed] = (
    never_registers("silent", "device-silent"),
    never_registers("exit-early", "device-ended"),
    never_registers("plain-tcp", "tls-not-used"),
    never_registers("no-ca", "ca-not-trusted"),
    never_registers("mqtt-5", "mqtt-version"),
    never_registers("http-on-mqtt", "mqtt-not-understood"),
    never_registers("amqp", "transport-not-mqtt"),
    never_registers("foreign-scope", "wrong-id-scope"),
    never_registers("foreign-registration-id", "wrong-registration-id"),
    never_registers("wrong-key", "wrong-key"),
    never_registers("clock-behind", "token-born-expired"),
    never_registers("no-register", "no-register-request"),
    never_registers("no-poll", "registration-not-polled"),
    seed(
        "model-id-outside",
        expected={
            "model_id_in_dps_payload": "failed dps-payload-without-model-id",
            "registers_through_dps": "failed not-registered",
        },
        settings=NEVER,
    ),
    seed(
        "no-dps",
        expected={"registers_through_dps": "failed dps-not-used"},
        known_device=True,
    ),
    seed("no-dps-model-id", expected={"model_id_in_dps_payload": "failed dps-payload-without-model-id"}),
    seed("model-id-old-key", expected={"model_id_in_dps_payload": "failed dps-payload-without-model-id"}),
    seed(
        "model-id-as-urn",
        expected={"model_id_in_dps_payload": "failed model-id-malformed", "model_ids_agree": "failed model-ids-differ"},
    ),
    seed("no-hub", expected={"connects_to_hub": "failed device-not-connected"}, settings=NEVER),
    seed("other-hub", expected={"connects_to_hub": "failed wrong-hub"}, settings=NEVER),
    seed("other-device-id", expected={"connects_to_hub": "failed device-unknown"}, settings=NEVER),
    seed("hub-token-of-another", expected={"connects_to_hub": "failed token-scope"}, settings=NEVER),
    seed("hub-token-of-all", expected={"connects_to_hub": "failed token-scope"}, settings=NEVER),
    seed("hub-token-expired", expected={"connects_to_hub": "failed token-born-expired"}, settings=NEVER),
    seed("key-as-password", expected={"connects_to_hub": "failed password-no-token"}, settings=NEVER),
    seed("no-hub-model-id", expected={"model_id_announced_to_hub": "failed connect-without-model-id"}),
    Seed(
        "model-once",
        raw("model-once", "odd-reconnects"),
        {"model_id_announced_to_hub": "failed connect-without-model-id"},
    ),
    seed("preview-model-key", expected={"model_id_announced_to_hub": "failed connect-without-model-id"}),
    seed(
        "hub-model-as-urn",
        expected={
            "model_id_announced_to_hub": "failed model-id-malformed",
            "model_ids_agree": "failed model-ids-differ",
            "digital_twin_names_model": "failed digital-twin-model-id",
        },
    ),
    seed(
        "other-model",
        expected={
            "digital_twin_names_model": "failed digital-twin-model-id",
            "model_ids_agree": "failed model-ids-differ",
        },
    ),
    seed(
        "upper-case-model",
        expected={
            "model_ids_agree": "failed model-ids-differ",
            "model_id_announced_to_hub": "failed model-id-malformed",
            "digital_twin_names_model": "failed digital-twin-model-id",
        },
    ),
    Seed(
        "https-only",
        "!https_device.py",
        {"transport_is_mqtt": "failed transport-not-mqtt", "connects_to_hub": "failed device-not-connected"},
        settings=NEVER,
        needs_https=True,
    ),
    Seed(
        "enrollment-disabled",
        raw(),
        {
            "central_provisioning_state": "warning central-blocked",
            "registers_through_dps": "failed enrollment-disabled",
        },
        services=({"at": "register", "do": "disabled", "from": 1},),
        settings=NEVER,
    ),
    Seed(
        "hub-disabled",
        raw(),
        {
            "central_provisioning_state": "warning central-device-disabled",
            "connects_to_hub": "failed device-disabled",
        },
        services=({"at": "connect", "do": "disabled", "from": 1},),
        settings=NEVER,
    ),
    Seed(
        "dps-fails",
        raw(),
        {"registers_through_dps": "failed dps-unavailable"},
        services=({"at": "register", "do": "error", "code": 503, "from": 1},),
        settings=NEVER,
    ),
)

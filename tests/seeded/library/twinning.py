"""Reported properties and acknowledgements."""

from __future__ import annotations

from collections.abc import Sequence

from tests.seeded.library.making import CONVENTIONS, INTERVAL, OFFSET, PROFILE, SOON, raw, seed
from tests.seeded.seed import Seed

PROPERTIES: Sequence[Seed] = (
    seed("missing-property=serial", expected={"read_only_property[serial]": "failed property-not-reported"}),
    seed("property-null=serial", expected={"read_only_property[serial]": "failed property-invalid"}),
    seed(
        "wrong-type=sensor1.batch",
        expected={"read_only_property[sensor1.batch]": "failed property-invalid"},
        name="property-as-text",
    ),
    seed("first-as-text=hours", expected={"read_only_property[hours]": "failed property-invalid"}),
    seed(
        "first-as-text=interval",
        expected={INTERVAL: "failed property-invalid"},
        name="initial-as-text",
    ),
    Seed(
        "initial-bare-as-text",
        raw("first-as-text=interval", "initial-bare=interval"),
        {INTERVAL: "failed property-invalid", "initial_values": "warning initial-value-bare"},
    ),
    seed(
        "property-as-array=serial",
        expected={
            "no_arrays_in_properties": "failed property-array",
            "read_only_property[serial]": "failed property-invalid",
        },
    ),
    seed(
        "property-in-envelope=serial",
        expected={"read_only_property[serial]": "failed property-invalid"},
    ),
    seed(
        "property-capitals",
        expected={
            "read_only_property[serial]": "failed property-not-reported",
            "read_only_property[hours]": "failed property-not-reported",
            "read_only_property[sensor1.batch]": "failed property-not-reported",
            INTERVAL: "failed property-not-acknowledged",
            OFFSET: "failed property-not-acknowledged",
            PROFILE: "failed property-not-acknowledged",
            "no_undeclared_properties": "warning property-undeclared component-undeclared",
        },
        settings=SOON,
    ),
    *(
        seed(
            fault,
            expected={
                "read_only_property[sensor1.batch]": f"failed component-not-marked {CONVENTIONS}",
                OFFSET: f"failed component-not-marked {CONVENTIONS}",
            },
        )
        for fault in ("no-marker", "wrong-marker")
    ),
    Seed(
        "no-marker-read-only",
        raw("no-marker"),
        {
            "twins_agree": "failed property-not-in-digital-twin",
            "read_only_property[tag.code]": f"failed component-not-marked {CONVENTIONS}",
        },
        model="dtmi:test:seed:Tagged;1",
    ),
    seed("property-undeclared", expected={"no_undeclared_properties": "warning property-undeclared"}),
    seed("component-undeclared", expected={"no_undeclared_properties": "warning component-undeclared"}),
    seed(
        "property-illegal-name",
        expected={
            "names_are_legal": "failed name-illegal",
            "no_undeclared_properties": "warning property-undeclared",
        },
    ),
    seed(
        "property-underscore",
        expected={
            "names_are_legal": "warning name-begins-with-underscore",
            "no_undeclared_properties": "warning property-undeclared",
        },
    ),
    Seed(
        "property-too-large",
        raw("property-too-large"),
        {"central_limits": "warning central-property-size"},
        model="dtmi:test:seed:Labelled;1",
    ),
    seed(
        "report-refused",
        expected={
            "refused_patches_are_read": "warning refused-patch-repeated",
            "read_only_property[hours]": "failed property-patch-refused",
        },
    ),
    seed(
        "device-info-undeclared",
        expected={
            "device_information": "failed device-info-not-in-model",
            "no_undeclared_properties": "warning component-undeclared",
        },
    ),
    *(
        Seed(
            name,
            raw(f"{fault}=deviceInformation.{path}"),
            {
                f"read_only_property[deviceInformation.{path}]": f"failed {code} @IoTPnP.DeviceInfoInterface",
            },
            model="dtmi:test:seed:Informed;1",
        )
        for name, fault, path, code in (
            ("device-info-missing", "missing-property", "swVersion", "property-not-reported"),
            ("device-info-null", "property-null", "osName", "property-invalid"),
            ("device-info-unit", "wrong-type", "totalMemory", "property-invalid"),
        )
    ),
    seed("initial-bare=interval", expected={"initial_values": "warning initial-value-bare"}),
    seed("own-value-bare=interval", expected={"initial_values": "warning own-value-bare"}),
    seed("initial-as-answer=interval", expected={"initial_values": "warning initial-value-code"}),
    seed("initial-versioned=sensor1.offset", expected={"initial_values": "warning own-value-version"}),
)

ACKNOWLEDGEMENTS: Sequence[Seed] = (
    seed("no-ack=interval", expected={INTERVAL: "failed property-not-acknowledged"}, settings=SOON),
    seed(
        "no-ack=interval",
        name="ack-not-required",
        expected={INTERVAL: "warning property-not-acknowledged"},
        stated="[properties]\ninterval = {required = false}\n",
        settings=SOON,
    ),
    seed(
        "no-desired",
        expected={
            INTERVAL: "failed property-not-acknowledged",
            OFFSET: "failed property-not-acknowledged",
            PROFILE: "failed property-not-acknowledged",
        },
        settings=SOON,
    ),
    seed("ack-bare=interval", expected={INTERVAL: "failed ack-incomplete"}),
    seed("ack-without-ac=interval", expected={INTERVAL: "failed ack-incomplete"}),
    seed("ack-without-av=interval", expected={INTERVAL: "failed ack-incomplete"}),
    seed(
        "bare-ack",
        expected={
            INTERVAL: "failed ack-incomplete",
            OFFSET: "failed ack-incomplete",
            PROFILE: "failed ack-incomplete",
            "initial_values": "warning initial-value-bare",
        },
    ),
    seed("ack-old-version=sensor1.offset", expected={OFFSET: "failed ack-version"}),
    seed("ack-version-zero=interval", expected={INTERVAL: "failed ack-version"}),
    seed("ack-version-text=interval", expected={INTERVAL: "failed ack-version"}),
    seed("ack-version-of-component", expected={OFFSET: "failed ack-version"}),
    seed("ack-in-progress=interval", expected={INTERVAL: "failed ack-code"}, settings=SOON),
    seed("ack-failed=interval", expected={INTERVAL: "failed ack-code"}),
    seed("ack-code-text=interval", expected={INTERVAL: "failed ack-code"}),
    seed("ack-refused=interval", expected={INTERVAL: "warning ack-code"}),
    seed("ack-unusual=interval", expected={INTERVAL: "warning ack-code"}),
    seed(
        "ack-own-value=interval",
        expected={INTERVAL: "warning ack-code", "initial_values": "warning own-value-version"},
    ),
    seed("ack-description=interval", expected={INTERVAL: "failed ack-description"}),
    seed("ack-as-text=interval", expected={INTERVAL: "failed property-invalid"}),
    seed("ack-other-value=interval", expected={INTERVAL: "warning ack-value"}),
    seed("ack-partial=profile", expected={PROFILE: "warning ack-partial"}),
    seed("ack-shared", expected={"properties_in_one_patch": "failed acknowledgements-mixed-up"}),
    Seed(
        "ack-shared-of-booleans",
        raw("ack-shared"),
        {"properties_in_one_patch": "failed acknowledgements-mixed-up"},
        model="dtmi:test:seed:Switches;1",
    ),
    seed("ack-first-only", expected={"properties_in_one_patch": "failed patch-not-acknowledged"}),
    seed("needs-marker", expected={"component_patch_without_marker": "warning unmarked-patch-ignored"}),
    seed(
        "only-wrapped",
        expected={
            INTERVAL: "failed property-not-acknowledged",
            OFFSET: "failed property-not-acknowledged",
            PROFILE: "failed property-not-acknowledged",
        },
        settings=SOON,
    ),
    seed(
        "die-of-root-value",
        expected={INTERVAL: "failed property-not-acknowledged"},
        settings=SOON,
    ),
    seed("reports-all", expected={"unknown_desired_properties": "failed unknown-desired-reports-all"}),
    seed("stumble-over-unknown", expected={"unknown_desired_properties": "failed unknown-desired-not-ignored"}),
    seed("deaf-after-null=interval", expected={"desired_property_removed": "failed dead-after-removal"}),
    seed(
        "die-of-null",
        expected={
            "desired_property_removed": "failed dead-after-removal",
        },
    ),
    seed("null-as-text", expected={"desired_property_removed": "failed removal-answer-invalid"}),
    seed("accept-anything=interval", expected={"rejects_invalid_value[interval]": "warning invalid-value-accepted"}),
    seed("ignore-invalid=interval", expected={"rejects_invalid_value[interval]": "warning invalid-value-ignored"}),
    seed(
        "die-of-invalid=interval",
        expected={
            "rejects_invalid_value[interval]": "failed dead-after-invalid-input",
        },
    ),
)

"""Telemetry: names, values, bodies and properties of messages, pace."""

from __future__ import annotations

from collections.abc import Sequence

from tests.seeded.library.making import HUMIDITY, TEMPERATURE, raw, seed
from tests.seeded.seed import Seed

TELEMETRY: Sequence[Seed] = (
    seed("missing-telemetry=temperature", expected={TEMPERATURE: "warning telemetry-not-seen"}),
    Seed(
        "missing-required",
        raw("missing-telemetry=temperature"),
        {TEMPERATURE: "failed telemetry-not-seen"},
        stated="[telemetry.temperature]\nrequired = true\n",
    ),
    seed("wrong-type=temperature", expected={TEMPERATURE: "failed telemetry-invalid"}, name="telemetry-as-text"),
    seed("telemetry-null=temperature", expected={TEMPERATURE: "failed telemetry-invalid"}),
    seed("telemetry-too-large=count", expected={"telemetry[count]": "failed telemetry-invalid"}),
    Seed(
        "telemetry-more-fields",
        raw("telemetry-more-fields=detail"),
        {"telemetry[detail]": "failed telemetry-invalid"},
        model="dtmi:test:seed:Odd;1",
    ),
    seed(
        "telemetry-capitals",
        expected={
            TEMPERATURE: "failed telemetry-misnamed",
            "telemetry[count]": "failed telemetry-misnamed",
            HUMIDITY: "failed telemetry-misnamed",
            "no_undeclared_telemetry": "warning telemetry-undeclared",
        },
    ),
    seed(
        "telemetry-without-component",
        expected={
            HUMIDITY: "failed telemetry-misnamed",
            "no_undeclared_telemetry": "warning telemetry-undeclared",
        },
    ),
    Seed(
        "telemetry-ambiguous",
        raw("telemetry-without-component"),
        {
            "central_duplicate_names": "warning central-name-ambiguous",
            "telemetry[left.humidity]": "failed telemetry-misnamed",
            "telemetry[right.humidity]": "failed telemetry-misnamed",
            "no_undeclared_telemetry": "warning telemetry-undeclared",
        },
        model="dtmi:test:seed:Pair;1",
    ),
    seed(
        "telemetry-nested",
        expected={"telemetry_by_component": "failed telemetry-nested", HUMIDITY: "warning telemetry-not-seen"},
    ),
    seed(
        "telemetry-of-another",
        expected={
            "telemetry_by_component": "warning telemetry-of-unknown-component",
            HUMIDITY: "failed telemetry-misnamed",
            "no_undeclared_telemetry": "warning telemetry-undeclared",
        },
    ),
    seed(
        "telemetry-wrapped",
        expected={
            "no_undeclared_telemetry": "warning telemetry-undeclared",
            TEMPERATURE: "warning telemetry-not-seen",
            "telemetry[count]": "warning telemetry-not-seen",
        },
    ),
    seed(
        "no-telemetry",
        expected={
            "messages_as_stated": "failed no-telemetry",
            **{
                f"telemetry[{path}]": "warning telemetry-not-seen"
                for path in ("temperature", "count", "sensor1.humidity")
            },
        },
    ),
    seed("telemetry-undeclared", expected={"no_undeclared_telemetry": "warning telemetry-undeclared"}),
    seed(
        "telemetry-reserved-name",
        expected={
            "central_names": "warning central-name-reserved",
            "no_undeclared_telemetry": "warning telemetry-undeclared",
        },
    ),
    seed(
        "telemetry-underscore",
        expected={
            "central_names": "warning central-name-underscore",
            "no_undeclared_telemetry": "warning telemetry-undeclared",
        },
    ),
    seed(
        "telemetry-illegal-name",
        expected={
            "names_are_legal": "failed name-illegal",
            "no_undeclared_telemetry": "warning telemetry-undeclared",
        },
    ),
    *(
        seed(fault, expected={"payloads_are_json_objects": f"failed {code}"})
        for fault, code in (
            ("body-latin-1", "payload-not-utf-8"),
            ("body-with-mark", "payload-byte-order-mark"),
            ("body-empty", "payload-empty"),
            ("body-nan", "payload-not-finite"),
            ("body-infinity", "payload-not-finite"),
            ("body-name-twice", "payload-duplicate-name"),
            ("body-number", "payload-not-an-object"),
            ("body-utf-16", "payload-not-utf-8"),
            ("body-cut", "payload-malformed"),
            ("body-comma", "payload-malformed"),
            ("body-single-quotes", "payload-malformed"),
            ("body-with-nul", "payload-malformed"),
            ("report-cut", "payload-malformed"),
        )
    ),
    seed("body-array", expected={"one_object_a_message": "warning telemetry-batched"}),
    seed(
        "no-content-type",
        expected={
            "messages_name_their_content": "warning content-type-missing",
            "central_payloads": "warning central-content-type",
        },
    ),
    seed(
        "other-content-type",
        expected={
            "messages_name_their_content": "warning content-type-mismatch",
            "central_payloads": "warning central-content-type",
        },
    ),
    seed(
        "no-content-encoding",
        expected={
            "messages_name_their_content": "warning encoding-missing",
            "central_payloads": "warning central-content-encoding",
        },
    ),
    seed(
        "other-content-encoding",
        expected={
            "messages_name_their_content": "warning encoding-unsupported",
            "central_payloads": "warning central-content-encoding",
        },
    ),
    seed("content-encoding-utf8", expected={"central_payloads": "warning central-content-encoding"}),
    seed(
        "flood",
        expected={"rate_is_bearable": "warning telemetry-flood", "central_limits": "warning central-rate"},
        more="--interval 30",
    ),
    seed(
        "torrent",
        expected={"rate_is_bearable": "failed telemetry-flood", "central_limits": "warning central-rate"},
        more="--interval 30",
    ),
)

"""Models that are amiss, and devices that are not what is stated of them."""

from __future__ import annotations

from collections.abc import Sequence

from tests.seeded.library.making import ITS_OWN, TEMPERATURE, raw, seed
from tests.seeded.seed import Seed

MODELS: Sequence[Seed] = (
    Seed(
        "model-not-found",
        raw(more=ITS_OWN),
        {"model_is_found": "failed model-not-found"},
        model="dtmi:test:seed:Nowhere;1",
    ),
    Seed(
        "model-incomplete",
        raw(more=ITS_OWN),
        {"model_is_found": "failed model-not-found"},
        model="dtmi:test:seed:Incomplete;1",
    ),
    Seed(
        "model-invalid",
        raw(more=ITS_OWN),
        {"model_is_valid": "failed model-invalid"},
        model="dtmi:test:seed:Invalid;1",
    ),
    Seed(
        "model-dtdl-3",
        raw(),
        {"model_is_dtdl_v2": "warning model-version-newer", "central_schemas": "warning central-dtdl-version"},
        model="dtmi:test:seed:Newer;1",
    ),
    Seed(
        "model-too-large",
        raw(),
        {"central_template": "warning central-template-size"},
        model="dtmi:test:seed:Large;1",
    ),
    Seed(
        "model-arrays",
        raw(),
        {"central_schemas": "warning central-schema"},
        model="dtmi:test:seed:Arrays;1",
    ),
    Seed(
        "model-central-names",
        raw(),
        {"central_names": "warning central-name-reserved"},
        model="dtmi:test:seed:CentralNames;1",
    ),
    Seed(
        "model-device-info-edited",
        raw(),
        {"device_information": "failed device-info-writable device-info-schema"},
        model="dtmi:test:seed:OldInformed;1",
    ),
    Seed(
        "model-device-info-variant",
        raw(),
        {"device_information": "warning device-info-variant"},
        model="dtmi:test:seed:OwnInformed;1",
    ),
)

STATED: Sequence[Seed] = (
    Seed(
        "stated-unknown",
        raw(),
        {"expectations_fit_model": "failed expectation-of-unknown-element"},
        stated="[telemetry.temperatur]\ncount = 1\n",
    ),
    Seed(
        "stated-misfit",
        raw(),
        {"expectations_fit_model": "failed expectation-does-not-fit", TEMPERATURE: "failed telemetry-not-as-expected"},
        stated='[telemetry.temperature]\nexpected = "warm"\n',
    ),
    Seed(
        "waiver-expired",
        raw("telemetry-undeclared"),
        {
            "waivers_are_in_force": "failed waiver-expired",
            "no_undeclared_telemetry": "warning telemetry-undeclared",
        },
        stated='[[waivers]]\nfinding = "telemetry-undeclared"\nowner = "somebody"\nreason = "later"\n'
        "expires = 2024-02-23\n",
    ),
    Seed(
        "out-of-range",
        raw(),
        {TEMPERATURE: "failed telemetry-out-of-range"},
        stated="[telemetry.temperature]\nminimum = 1e12\n",
    ),
    Seed(
        "not-as-expected",
        raw(),
        {TEMPERATURE: "failed telemetry-not-as-expected"},
        stated="[telemetry.temperature]\nexpected = 1e12\n",
    ),
    Seed(
        "property-not-as-stated",
        raw(),
        {"read_only_property[serial]": "failed property-unexpected"},
        stated='[properties.serial]\nreported = "4711"\n',
    ),
    Seed(
        "fewer-than-stated",
        raw(),
        {TEMPERATURE: "failed telemetry-fewer-than-stated"},
        stated="[telemetry.temperature]\ncount = 1000\nrequired = true\n",
    ),
    Seed(
        "not-every-minute",
        raw(),
        {TEMPERATURE: "warning telemetry-interval"},
        stated="[telemetry.temperature]\ninterval = 60\n",
    ),
    Seed(
        "fewer-messages",
        raw(),
        {"messages_as_stated": "failed messages-fewer-than-stated"},
        stated="[device]\nmessages = 10000\nwithin = 2\n",
    ),
    Seed(
        "not-implemented",
        raw("missing-telemetry=count"),
        {"telemetry[count]": "warning element-not-implemented"},
        stated="[telemetry.count]\nimplemented = false\n",
    ),
    Seed(
        "answer-later-than-stated",
        raw("command-slow=measure"),
        {"command[measure]": "failed command-timed-out"},
        stated="[commands.measure]\ntimeout = 3\n",
    ),
    Seed(
        "response-unexpected",
        raw(),
        {"command[measure]": "failed command-response-unexpected"},
        stated="[commands.measure]\nresponse = 1e12\n",
    ),
    Seed(
        "c2d-not-subscribed",
        raw(),
        {"receives_c2d": "failed c2d-not-subscribed"},
        stated="[device]\nc2d = true\n",
    ),
    seed("no-c2d-ack", expected={"receives_c2d": "failed c2d-not-acknowledged"}),
)

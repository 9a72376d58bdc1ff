"""Commands."""

from __future__ import annotations

from collections.abc import Sequence

from tests.seeded.library.making import NO_ANSWER, raw, seed
from tests.seeded.seed import Seed

COMMANDS: Sequence[Seed] = (
    seed("command-error=measure", expected={"command[measure]": "failed command-status"}),
    seed("command-silent=measure", expected={"command[measure]": "failed command-timed-out"}, settings=NO_ANSWER),
    seed("command-slow=measure", expected={"command[measure]": "failed command-timed-out"}, settings=NO_ANSWER),
    seed(
        "no-methods",
        expected={
            "command[measure]": "failed command-no-handler",
            "command[sync]": "failed command-no-handler",
            "command[sensor1.calibrate]": "failed command-no-handler",
            "unknown_command": "warning unknown-command-not-answered",
        },
        settings=NO_ANSWER,
    ),
    seed(
        "no-methods",
        name="commands-not-required",
        expected={
            "command[measure]": "warning command-no-handler",
            "command[sync]": "warning command-no-handler",
            "command[sensor1.calibrate]": "warning command-no-handler",
            "unknown_command": "warning unknown-command-not-answered",
        },
        stated="[commands]\nmeasure = {required = false}\nsync = {required = false}\n"
        '"sensor1.calibrate" = {required = false}\n',
        settings=NO_ANSWER,
    ),
    seed("command-slashes", expected={"command[sensor1.calibrate]": "failed command-status"}),
    seed("command-needs-body=sync", expected={"command[sync]": "failed command-status"}),
    seed(
        "wrong-type=measure",
        expected={"command[measure]": "failed command-response-invalid"},
        name="command-response-as-text",
    ),
    seed("command-response-twice=measure", expected={"command[measure]": "failed command-response-invalid"}),
    seed("command-response-named=measure", expected={"command[measure]": "failed command-response-invalid"}),
    seed("command-response-missing=measure", expected={"command[measure]": "failed command-response-invalid"}),
    Seed(
        "command-map-named",
        raw("command-response-named=list"),
        {"command[list]": "failed command-response-invalid"},
        model="dtmi:test:seed:Listing;1",
    ),
    seed(
        "response-no-json",
        expected={
            "command[measure]": "failed command-response-no-json",
            "command[sensor1.calibrate]": "failed command-response-no-json",
            "command[sync]": "failed command-response-no-json",
        },
    ),
    seed("command-once=measure", expected={"command_again[measure]": "failed command-status"}),
    seed("command-unknown-accepted", expected={"unknown_command": "warning unknown-command-accepted"}),
    seed("command-unknown-silent", expected={"unknown_command": "warning unknown-command-not-answered"}),
    seed(
        "command-takes-anything=measure",
        expected={"rejects_invalid_request[measure]": "warning invalid-request-accepted"},
    ),
    seed(
        "command-invalid-silent=measure",
        expected={"rejects_invalid_request[measure]": "warning invalid-request-not-answered"},
    ),
    seed(
        "command-invalid-dies=measure",
        expected={
            "rejects_invalid_request[measure]": "failed dead-after-invalid-input",
        },
    ),
    Seed(
        "command-no-return",
        raw("command-no-return=reboot"),
        {"command[reboot]": "failed command-no-return"},
        model="dtmi:test:seed:Rebooting;1",
        settings={"connect_timeout": 15.0},
    ),
)

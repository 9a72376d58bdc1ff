"""All trials in the order in which they are run: first those of the device as it stands, then those that restart it."""

from __future__ import annotations

from harness.checks import trials as t
from harness.run.trials import certificates, dps, hub
from harness.run.trials.trial import Trial

TRIALS = (
    Trial(t.KEEP_ALIVE, "the device has nothing to say", hub.keep_alive),
    Trial(t.OLD_PATCH, "an older desired patch arrives late", hub.old_patch),
    Trial(t.HUB_CUT, "the hub cuts the connection", hub.hub_cut),
    Trial(t.HUB_BUSY, "the hub is busy for a while", hub.hub_busy),
    Trial(t.TOKEN_EXPIRED, "the hub takes the token for expired", hub.token_expired),
    Trial(t.HUB_MOVED, "the device was moved to another hub", hub.hub_moved),
    Trial(t.HUB_DISABLED, "the device is disabled, and enabled again", hub.hub_disabled),
    Trial(
        t.UNKNOWN_CA,
        "the server's CA is unknown",
        certificates.refusal("unknown-ca"),
        certificates.shown("unknown-ca"),
        True,
    ),
    Trial(
        t.WRONG_NAME,
        "the server has another's certificate",
        certificates.refusal("wrong-name"),
        certificates.shown("wrong-name"),
        True,
    ),
    Trial(
        t.EXPIRED,
        "the server's certificate is over",
        certificates.refusal("expired"),
        certificates.shown("expired"),
        True,
    ),
    Trial(t.RESTART, "the device is started again", dps.restart, fresh=True),
    Trial(
        t.TWIN_ERRORS,
        "twin operations are answered with errors",
        hub.twin_errors,
        ({"at": "twin-get", "do": "error", "code": 429}, {"at": "twin-patch", "do": "error", "code": 500}),
        True,
    ),
    Trial(t.DPS_THROTTLED, "DPS asks the device to wait", dps.throttled, dps.THROTTLED, True),
    Trial(t.DPS_FAILING, "DPS fails, and answers incompletely", dps.failing, dps.FAILING, True),
    Trial(t.OTHER_SCOPE, "the device is given another ID scope", dps.other_scope, fresh=True, moves=True),
    Trial(t.DPS_CUT, "the connection to DPS is cut", dps.cut, dps.CUT, True),
)

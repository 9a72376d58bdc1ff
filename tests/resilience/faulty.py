"""Devices that are faulty when services fail: fault, more arguments, what each check of a trial finds, settings."""

from __future__ import annotations

IMPATIENT = {"trial_timeout": 3.0}
"""For devices that do nothing any more: nobody has to wait for that as long as in earnest."""

FAULTY: tuple[tuple[str, str, dict[str, list[str]], dict[str, float]], ...] = (
    (
        "ignore-retry-after",
        "",
        {
            "honours_retry_after_on_register": ["register-retry-after-ignored"],
            "honours_retry_after_on_poll": ["poll-retry-after-ignored"],
        },
        {},
    ),
    ("hammer-register", "", {"backs_off_registering": ["register-hammering"]}, {}),
    (
        "need-operation-id",
        "--retry 0.1",
        {"survives_poll_without_operation_id": ["stuck-without-operation-id"]},
        {"trial_timeout": 8.0},
    ),
    ("stuck-in-dps", "", {"survives_dps_cut": ["stuck-after-dps-cut"]}, IMPATIENT),
    (
        "trust-anyone",
        "",
        {
            "refuses_unknown_ca": ["bad-certificate-accepted"],
            "refuses_wrong_name": ["bad-certificate-accepted"],
            "refuses_expired_certificate": ["bad-certificate-accepted"],
        },
        {},
    ),
    ("trust-any-hub", "--retry 0.1", {"refuses_unknown_ca": ["bad-certificate-accepted"]}, {}),
    ("odd-probe", "--fault trust-anyone", {"refuses_unknown_ca": ["bad-certificate-accepted"]}, {}),
    ("own-scope", "", {"provisions_into_another_scope": ["scope-not-configurable"]}, {}),
    ("never-reconnect", "", {"reconnects_after_cut": ["never-reconnects"]}, IMPATIENT),
    ("tight-loop", "", {"no_hammering": ["connect-hammering"]}, {"trial_timeout": 20.0}),
    (
        "reregister-at-once",
        "",
        {"stays_with_hub_when_busy": ["reregisters-too-soon"], "reconnects_after_cut": ["reregisters-on-drop"]},
        {},
    ),
    (
        "never-reregister",
        "--retry 0.005",
        {
            "reregisters_when_moved": ["never-reregisters"],
            "reregisters_after_ten_failures": ["keeps-lost-hub"],
        },
        {"trial_timeout": 4.0},
    ),
    ("forget-subscriptions", "--retry 0.02", {"restores_subscriptions": ["subscriptions-lost"]}, {}),
    ("forget-twin", "--retry 0.02", {"restores_desired_state": ["desired-missed"]}, {"ack_timeout": 1.5}),
    ("forget-telemetry", "--interval 0.5", {"reconnects_after_cut": ["telemetry-not-resumed"]}, {}),
    ("tell-twin-again", "--retry 0.02", {"restores_desired_state": ["desired-missed"]}, {"ack_timeout": 1.5}),
    ("forget-desired", "--retry 0.02", {"restores_subscriptions": ["subscriptions-lost"]}, {"ack_timeout": 1.5}),
    ("one-last-message", "--interval 0.5", {"reconnects_after_cut": ["telemetry-not-resumed"]}, {}),
    ("die-of-old-patch", "", {"ignores_old_patches": ["old-patch-not-survived"]}, {"ack_timeout": 1.5}),
    ("apply-old", "", {"ignores_old_patches": ["old-patch-applied"]}, {}),
    ("die-of-twin-error", "", {"survives_twin_errors": ["twin-error-not-survived"]}, {}),
    ("reuse-token", "--retry 0.02", {"renews_token": ["expired-token-reused"]}, IMPATIENT),
    ("no-ping", "--interval 30", {"keeps_alive": ["keep-alive-missed"]}, {}),
    ("give-up", "", {"returns_after_disabled": ["gives-up-when-refused"]}, IMPATIENT),
    ("keep-alive-none", "", {"keeps_alive": ["keep-alive-useless"]}, {}),
    ("start-once", "", {"connects_again_after_restart": ["not-back-after-restart"]}, {}),
)

"""The simulator: a device that plays any model, and misbehaves on demand.

    settings   what it is told: the environment of a device process, and options
    limits     what fits into a message and into a twin
    plan       how it goes to the hub: what it announces, how far it gets
    behavior   what a good device says and answers; no I/O
    faults     ways to deviate from that, one wrapper each; no I/O
    conduct    how a device on plain MQTT bears itself when services fail, and `resilience_faults` how it should not
    backoff    the waits between two tries
    running    what both of the following share
    session    the device on azure-iot-device (`sdk`, `registration`, `connection`): it bears failures well
    raw        the device on nothing but MQTT (`raw_registration`, `raw_connection`, `wire`), which can do all wrong

`session` and its parts alone import the SDK. Nothing is imported here, so that the CLI starts fast.
"""

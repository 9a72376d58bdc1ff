"""The simulator: a device that plays any model, and misbehaves on demand.

    settings   what it is told: the environment of a device process, and options
    limits     what fits into a message and into a twin
    plan       how it goes to the hub: what it announces, how far it gets
    behavior   what a good device says and answers; no I/O
    faults     all ways to go wrong, by name; their tables are `telemetry_faults`, `twin_faults` and `command_faults`
               (which wrap the behavior by means of `wrapping`; no I/O), and, of a device on plain MQTT,
               `registration_faults`, `connection_faults`, `wire_faults`, `resilience_faults` (which change its conduct)
    oddities   what is right though unusual, turned on in the same way
    conduct    how a device on plain MQTT bears itself towards DPS and the hub
    dying      how a faulty device comes to its end
    backoff    the waits between two tries
    running    what both of the following share
    session    the device on azure-iot-device (`sdk`, `registration`, `connection`): it bears failures well
    raw        the device on nothing but MQTT (`raw_registration`, `raw_connection`, `wire`), which can do all wrong

`session` and its parts alone import the SDK. Nothing is imported here, so that the CLI starts fast.
"""

"""The simulator: a device that plays any model, and misbehaves on demand.

    settings   what it is told: the environment of a device process, and options
    limits     what fits into a message and into a twin
    plan       how it goes to the hub: what it announces, how far it gets
    behavior   what a good device says and answers; no I/O
    faults     ways to deviate from that, one wrapper each; no I/O
    session    the same on azure-iot-device: registers, connects, serves until it is stopped

`session` alone imports the SDK. Nothing is imported here, so that the CLI starts fast.
"""

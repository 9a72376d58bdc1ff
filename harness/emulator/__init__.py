"""A Device Provisioning Service and an IoT Hub on this machine, for devices that are tested without Azure.

    with Emulator(state_dir=Path(".preflight"), emit=print) as emulator:
        enrollment = emulator.enroll("device-1")

How it is built, and where an addition goes:

- `dps/`, `hub/` are the services: pure cores that take requests and call back, without sockets, clocks or
threads. They get `Context` (context.py): timers, wall time, the event sink, the options and the fault gate.
- `dps/mqtt.py` and `hub/connection.py` bind the cores to MQTT sessions (`harness.mqtt`). Another protocol, as
HTTPS or AMQP, binds the same cores in a file of its own and reuses tokens, enrollments, registry, twins and
methods. `amqp/` is the Event Hubs-compatible endpoint.
- `shell/` does I/O: TLS, the listeners of MQTT and of HTTPS (WebSockets and the APIs for devices share its port),
REST. Another listener is another shell.
- `faults/` is the one gate every operation passes before it is carried out.
- `router.py` tells DPS and hub apart by the CONNECT user name; several hubs are several entries there.
- `emulator.py` owns the thread, its event loop and the calls from other threads.

What public sources leave unsure is a named field of `EmulatorOptions`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.emulator.emulator import Emulator
    from harness.emulator.options import (
        AddressNotLocal,
        EmulatorError,
        EmulatorOptions,
        Endpoints,
        Enrollment,
        EnrollmentGroup,
        NotPermitted,
        PortInUse,
    )

_HOMES = {
    "AddressNotLocal": "options",
    "Emulator": "emulator",
    "EmulatorError": "options",
    "EmulatorOptions": "options",
    "Endpoints": "options",
    "Enrollment": "options",
    "EnrollmentGroup": "options",
    "NotPermitted": "options",
    "PortInUse": "options",
}

__all__ = [
    "AddressNotLocal",
    "Emulator",
    "EmulatorError",
    "EmulatorOptions",
    "Endpoints",
    "Enrollment",
    "EnrollmentGroup",
    "NotPermitted",
    "PortInUse",
]


def __getattr__(name: str) -> Any:
    # On first use, so that importing the package for its types costs nothing at start-up.
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

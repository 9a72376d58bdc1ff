"""The ids of the requirements as published, those of our own, and the clause each rests on."""

from __future__ import annotations

DPS = "AzureCertified.DPS"
D2C = "IoTPnP.D2C"
DTDL = "IoTPnP.DTDL"
MODEL_REPO = "IoTPnP.ModelRepo"
DEVICE_INFO = "IoTPnP.DeviceInfoInterface"
C2D = "IoTPnP.C2D"
DIRECT_METHODS = "IoTPnP.DirectMethods"
DEVICE_TWIN = "IoTPnP.DeviceTwin"
CONVENTIONS = "Preflight.Conventions"
RESILIENCE = "Preflight.Resilience"
SECURITY = "Preflight.Security"
CENTRAL = "Preflight.Central"

DEVICE_INFORMATION = "dtmi:azure:DeviceManagement:DeviceInformation;1"

_PROGRAM = "IoT Plug and Play certification requirements (last published edition)"
_CONVENTIONS = "IoT Plug and Play conventions"

CLAUSES: dict[str, str] = {
    DPS: f"{_PROGRAM}, AzureCertified.DPS: the device provisions through DPS",
    D2C: f"{_PROGRAM}, IoTPnP.D2C: the device sends the telemetry its model declares",
    DTDL: f"{_PROGRAM}, IoTPnP.DTDL: the model id is announced over MQTT and the model is implemented",
    MODEL_REPO: f"{_PROGRAM}, IoTPnP.ModelRepo: the root model and its dependencies are in the repository",
    DEVICE_INFO: f"{_PROGRAM}, IoTPnP.DeviceInfoInterface: DeviceInformation values are reported, not null",
    C2D: f"{_PROGRAM}, IoTPnP.C2D: the device receives cloud-to-device messages",
    DIRECT_METHODS: f"{_PROGRAM}, IoTPnP.DirectMethods: the device receives and answers commands",
    DEVICE_TWIN: f"{_PROGRAM}, IoTPnP.DeviceTwin: properties are reported, desired changes acknowledged",
    CONVENTIONS: _CONVENTIONS,
    RESILIENCE: "Microsoft's guidance on device reconnections",
    SECURITY: "Preflight.Security: transport security of the device",
    CENTRAL: "IoT Central: telemetry, property and command payloads",
}

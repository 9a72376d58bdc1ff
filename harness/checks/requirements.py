"""The ids of the requirements as published, those of our own, and the clause each rests on."""

from __future__ import annotations

DPS = "AzureCertified.DPS"
RECOMPILE = "AzureCertified.Policy.LimitRecompile"
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
EDGE_RUNTIME = "EdgeManaged.EdgeRT"
SECURED_CORE_IDENTITY = "SecuredCore.Hardware.Identity"
SECURED_CORE_TLS = "SecuredCore.Encryption.TLS"

DEVICE_INFORMATION = "dtmi:azure:DeviceManagement:DeviceInformation;1"

_PROGRAM = "IoT Plug and Play certification requirements (last published edition)"
_EDGE_MANAGED = "Edge Managed certification requirements"
_SECURED_CORE = "Edge Secured-core certification requirements (Linux)"
_CONVENTIONS = "IoT Plug and Play conventions"

CLAUSES: dict[str, str] = {
    DPS: f"{_PROGRAM}, AzureCertified.DPS: the device provisions through DPS",
    RECOMPILE: f"{_PROGRAM}, AzureCertified.Policy.LimitRecompile: the ID scope is changed without recompiling",
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
    CENTRAL: "IoT Central: payloads, device templates, quotas and limits, connection troubleshooting",
    EDGE_RUNTIME: f"{_EDGE_MANAGED}, EdgeManaged.EdgeRT: the IoT Edge runtime works",
    SECURED_CORE_IDENTITY: f"{_SECURED_CORE}, Hardware.Identity: a TPM 2.0, and DPS by its endorsement key",
    SECURED_CORE_TLS: f"{_SECURED_CORE}, Encryption.TLS: TLS 1.2 or newer, and seven cipher suites",
}

"""What a device needs to provision itself, and the environment that carries it to a device process."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Credentials:
    """Connection settings of one enrolled device. `ca_path` is a PEM file; None where public roots serve."""

    registration_id: str
    id_scope: str
    dps_endpoint: str
    primary_key: str
    ca_path: Path | None
    secrets: tuple[str, ...] = ()
    """Other secrets of the target that must not reach a file or screen."""

    def public(self) -> dict[str, str]:
        """The settings as a person enters them on a device, but for the key."""
        shown = {
            "DPS endpoint": self.dps_endpoint,
            "ID scope": self.id_scope,
            "Registration id": self.registration_id,
        }
        if self.ca_path:
            shown["CA certificate"] = str(self.ca_path)
        return shown


def environment(credentials: Credentials, model_id: str | None, models: tuple[str, ...]) -> dict[str, str]:
    """The environment of a device process: every SDK family's names at once.

    The names are those Microsoft's samples read: the IoT Plug and Play samples (Python, Node, C), the
    provisioning samples (Python, Node) and the embedded C samples.
    """
    names = {
        "IOTHUB_DEVICE_SECURITY_TYPE": "DPS",
        "IOTHUB_DEVICE_DPS_ENDPOINT": credentials.dps_endpoint,
        "IOTHUB_DEVICE_DPS_ID_SCOPE": credentials.id_scope,
        "IOTHUB_DEVICE_DPS_DEVICE_ID": credentials.registration_id,
        "IOTHUB_DEVICE_DPS_DEVICE_KEY": credentials.primary_key,
        "PROVISIONING_HOST": credentials.dps_endpoint,
        "PROVISIONING_IDSCOPE": credentials.id_scope,
        "PROVISIONING_REGISTRATION_ID": credentials.registration_id,
        "PROVISIONING_SYMMETRIC_KEY": credentials.primary_key,
        "AZ_IOT_PROVISIONING_ID_SCOPE": credentials.id_scope,
        "AZ_IOT_PROVISIONING_REGISTRATION_ID": credentials.registration_id,
        "AZ_IOT_PROVISIONING_SAS_KEY": credentials.primary_key,
    }
    if credentials.ca_path:
        ca = str(credentials.ca_path)
        names |= {
            "SSL_CERT_FILE": ca,  # Python (OpenSSL), C
            "NODE_EXTRA_CA_CERTS": ca,
            "AZ_IOT_DEVICE_X509_TRUST_PEM_FILE_PATH": ca,
        }
    if model_id:
        names["PREFLIGHT_MODEL_ID"] = model_id
    if models:
        names["PREFLIGHT_MODELS"] = "\n".join(models)
    return names

"""The names under which Microsoft's samples find what a device needs to connect, in the environment of its process: the
IoT Plug and Play samples (Python, Node, C), the provisioning samples (Python, Node) and those of embedded C.
"""

from __future__ import annotations

KEYS = ("IOTHUB_DEVICE_DPS_DEVICE_KEY", "PROVISIONING_SYMMETRIC_KEY", "AZ_IOT_PROVISIONING_SAS_KEY")


def provisioning(registration_id: str, id_scope: str, host: str) -> dict[str, str]:
    """Where the device provisions itself, and by which name."""
    return {
        "IOTHUB_DEVICE_SECURITY_TYPE": "DPS",
        "IOTHUB_DEVICE_DPS_ENDPOINT": host,
        "IOTHUB_DEVICE_DPS_ID_SCOPE": id_scope,
        "IOTHUB_DEVICE_DPS_DEVICE_ID": registration_id,
        "PROVISIONING_HOST": host,
        "PROVISIONING_IDSCOPE": id_scope,
        "PROVISIONING_REGISTRATION_ID": registration_id,
        "AZ_IOT_PROVISIONING_ID_SCOPE": id_scope,
        "AZ_IOT_PROVISIONING_REGISTRATION_ID": registration_id,
    }


def symmetric_key(key: str) -> dict[str, str]:
    """What the device signs with, base64."""
    return dict.fromkeys(KEYS, key)


def trust(ca_path: str) -> dict[str, str]:
    """The CA that the services' certificates are of, a PEM file."""
    return {
        "SSL_CERT_FILE": ca_path,  # Python (OpenSSL), C
        "NODE_EXTRA_CA_CERTS": ca_path,
        "AZ_IOT_DEVICE_X509_TRUST_PEM_FILE_PATH": ca_path,
    }

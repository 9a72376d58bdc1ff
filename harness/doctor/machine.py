"""This computer: packages, folders, trusted roots, and the ports that the local target listens on."""

from __future__ import annotations

import os
import socket
import ssl
import stat
import sys
import tempfile
from collections.abc import Iterable
from importlib import metadata, util
from pathlib import Path
from typing import Any

from harness.doctor.result import Result, failed, ok, skipped, warning
from harness.emulator.options import MQTT_PORT
from harness.emulator.ports import explain, without_https

AZURE_ROOTS = ("DigiCert Global Root G2", "Microsoft RSA Root Certificate Authority 2017")
"""What IoT Hub and DPS are signed by, each in the end."""

_ALWAYS = ("azure-iot-device", "azure-iot-hub", "pytest", "cryptography", "aiohttp")
_AZURE = {"azure-eventhub": "azure.eventhub", "azure-iot-deviceprovisioning": "azure.iot.deviceprovisioning"}


def python() -> Result:
    """The interpreter."""
    return ok("Python", ".".join(map(str, sys.version_info[:3])), sys.executable)


def packages(*, azure: bool, login: bool = False) -> list[Result]:
    """What has to be installed, and of the extras what is missing."""
    found = []
    versions = {name: _version(name) for name in _ALWAYS}
    missing = [name for name, version in versions.items() if version is None]
    if missing:
        cure = "Install the project again: python -m pip install pnp-preflight."
        found.append(failed("packages", "pnp-preflight", f"missing: {', '.join(missing)}", cure))
    else:
        found.append(ok("packages", "pnp-preflight", ", ".join(f"{n} {v}" for n, v in versions.items())))
    if not _present("uamqp"):
        detail = "uamqp, which azure-iot-hub imports, is missing"
        found.append(
            failed(
                "packages",
                "azure-iot-hub",
                detail,
                "There is no wheel of it for this machine: use Python 3.11 to 3.13 on x86-64 Linux, macOS or Windows, "
                "or build it (python -m pip install uamqp).",
            )
        )
    wanted = {**_AZURE, **({"azure-identity": "azure.identity"} if login else {})}
    absent = [name for name, module in wanted.items() if not _present(module)]
    detail = f"missing: {', '.join(absent)}" if absent else ", ".join(f"{n} {_version(n)}" for n in wanted)
    if not absent:
        found.append(ok("packages", "extra azure", detail))
    elif azure:
        found.append(failed("packages", "extra azure", detail, "python -m pip install 'pnp-preflight[azure]'"))
    else:
        found.append(skipped("packages", "extra azure", f"{detail}; --target azure needs them"))
    if not azure and not _present("proton"):
        found.append(skipped("packages", "extra eventhub", "missing; only the emulator's AMQP endpoint needs it"))
    return found


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _present(module: str) -> bool:
    try:
        return util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False


def folder(name: str, path: Path, *, private: bool = False) -> Result:
    """Whether files can be made in a folder, or the folder itself; `private` ones are nobody else's to read."""
    nearest = path
    while not nearest.exists() and nearest != nearest.parent:
        nearest = nearest.parent
    subject = f"{name} {path}"
    if not nearest.is_dir():
        return failed(
            "folder", subject, f"{nearest} is a file", f"Move it away, or choose another folder with --{name}."
        )
    try:
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        return failed(
            "folder",
            subject,
            f"nothing can be written to {nearest}: {error.strerror or error}",
            f"Give this user the right to write there, or choose another folder with --{name}.",
        )
    if private and os.name == "posix" and path.is_dir() and _others_write(path):
        return warning(
            "folder",
            subject,
            "others may write to it: they could put a CA of their own in place of the local target's",
            f"chmod go-w {path}",
        )
    return ok("folder", subject, "can be written to")


def _others_write(path: Path) -> bool:
    return bool(path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH))


def listening(address: str) -> list[Result]:
    """Whether the local target can listen on its ports."""
    found = []
    for port, what in ((MQTT_PORT, "MQTT"), (443, "WebSockets and HTTPS for devices")):
        subject = f"{address}:{port}"
        try:
            _bind(address, port)
        except OSError as error:
            why = explain(error, address, port)
            if port == MQTT_PORT:
                cause, _, cure = str(why).partition(". ")
                found.append(failed("listen", subject, cause, cure or "Choose another address with --listen."))
            else:
                found.append(skipped("listen", subject, without_https(why, address, port)))
        except OverflowError:
            found.append(failed("listen", subject, "no such port", "Choose another."))
        else:
            found.append(ok("listen", subject, f"free ({what})"))
    return found


def _bind(address: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address, port))
        probe.listen(1)


def roots(subjects: Iterable[str] | None = None) -> Result:
    """Whether the store that devices on this machine use has the roots of Azure's certificates."""
    names = set(_system_roots() if subjects is None else subjects)
    where = "this computer's roots"
    if not names:
        return skipped("trust store", where, "cannot be listed on this system; the TLS lines show whether it is enough")
    missing = [root for root in AZURE_ROOTS if root not in names]
    if missing:
        return warning(
            "trust store",
            where,
            f"without {' and '.join(missing)}",
            "Update the system's CA certificates (ca-certificates), and see that the device has these roots too.",
        )
    return ok("trust store", where, f"with {' and '.join(AZURE_ROOTS)}")


def _system_roots() -> set[str]:
    context = ssl.create_default_context()
    certificates: list[dict[str, Any]] = context.get_ca_certs()
    fields = [dict(pair for part in one.get("subject", ()) for pair in part) for one in certificates]
    return {str(field["commonName"]) for field in fields if "commonName" in field}

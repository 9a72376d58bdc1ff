"""Whether a TLS port of a service can be reached, told apart: the name, the port, the certificate.

SDKs wrap all three in errors of their own, so it is asked once before an SDK is let loose.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import ssl
from pathlib import Path

from harness.azure.errors import ReaderError


def trust(ca_path: Path | None) -> ssl.SSLContext:
    """A TLS context that trusts this PEM file, or the roots that come with Python's packages. Raises ReaderError."""
    if ca_path is None:
        import certifi

        return ssl.create_default_context(cafile=certifi.where())
    try:
        return ssl.create_default_context(cafile=str(ca_path))
    except FileNotFoundError:
        raise ReaderError("tls", f"There is no CA file {ca_path}.") from None
    except (OSError, ssl.SSLError) as error:
        reason = getattr(error, "strerror", None) or "it holds no PEM certificate"
        raise ReaderError("tls", f"The CA file {ca_path} cannot be used: {reason}.") from None


async def reach(host: str, port: int, context: ssl.SSLContext, seconds: float) -> None:
    """Make one TLS connection and close it. Raises ReaderError."""
    try:
        _, writer = await asyncio.wait_for(asyncio.open_connection(host, port, ssl=context), seconds)
    except ssl.SSLCertVerificationError as error:
        raise ReaderError(
            "tls",
            f"The certificate of {host}:{port} is not trusted: {error.verify_message}. If the service is a local one, "
            "name its CA file; if a company's proxy reads TLS, its CA has to be trusted or the port let through.",
        ) from None
    except ssl.SSLError as error:
        raise ReaderError(
            "tls", f"{host}:{port} does not speak TLS as it should: {error.reason or error}. Is the port the right one?"
        ) from None
    except socket.gaierror:
        raise ReaderError(
            "name", f"The name {host} is not known. Is it spelt right, and does this machine have a network and a DNS?"
        ) from None
    except (asyncio.TimeoutError, TimeoutError):
        raise ReaderError(
            "closed-port",
            f"{host} does not answer on port {port} within {seconds:g} s. A firewall that drops what goes out to "
            f"{port} is the usual cause: have it opened, or use another network.",
        ) from None
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else error
        raise ReaderError(
            "closed-port",
            f"{host} cannot be reached on port {port}: {reason}. If the name and the port are right, "
            "a firewall between refuses it, or the service is not running.",
        ) from None
    writer.close()
    with contextlib.suppress(OSError, asyncio.TimeoutError):
        await asyncio.wait_for(writer.wait_closed(), 1.0)

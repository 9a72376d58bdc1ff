"""Whether the policies that services are reached with may do what a pre-flight needs. Nothing is changed by it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from harness.azure.connection_strings import EventHubConnection, HubConnection
from harness.azure.errors import ReaderError
from harness.azure.provisioning import Provisioning, ProvisioningError
from harness.azure.redirect import AMQP_PORT
from harness.azure.telemetry import EventStream
from harness.doctor.result import Result, failed, ok, warning
from harness.target.service import HubService, ServiceError

NOBODY = "preflight-doctor-asks-for-nobody"
"""An id that no device has: what is asked for is the answer "not found"."""
_RIGHT = "The policy `iothubowner` has all rights; docs/azure.md says which are needed for what."


async def hub(service: HubService) -> list[Result]:
    """Ask for a twin and an identity that are not there."""
    subject = f"hub {service.host}"
    try:
        await asyncio.to_thread(_ask_for_nobody, service)
    except ServiceError as error:
        return [failed("credentials", subject, str(error), _RIGHT if error.status in (401, 403) else _again())]
    try:
        await asyncio.to_thread(service.has_device, NOBODY)
    except ServiceError as error:
        cure = "A pre-flight needs it, unless it is given a device that exists (--device-id). " + _RIGHT
        return [warning("credentials", subject, f"twins may be read, devices may not: {error}", cure)]
    finally:
        await asyncio.to_thread(service.close)
    return [ok("credentials", subject, "twins and devices may be read")]


def _ask_for_nobody(service: HubService) -> None:
    try:
        service.device_twin(NOBODY)
    except ServiceError as error:
        if error.status != 404:
            raise


async def dps(service: Provisioning) -> list[Result]:
    """Ask for an enrollment that is not there."""
    subject = f"DPS {service.host}"
    try:
        await asyncio.to_thread(service.enrollment, NOBODY)
    except ProvisioningError as error:
        cure = "The policy `provisioningserviceowner` has all rights." if error.status in (401, 403) else _again()
        return [failed("credentials", subject, str(error), cure)]
    finally:
        await asyncio.to_thread(service.close)
    return [ok("credentials", subject, "enrollments may be read")]


async def messages(
    source: EventHubConnection | HubConnection,
    group: str,
    ca_path: Path | None,
    seconds: float,
    amqp_port: int = AMQP_PORT,
) -> list[Result]:
    """Begin to read messages, and stop at once."""
    stream = EventStream(
        source,
        on_message=lambda message: None,
        consumer_group=group,
        ca_path=ca_path,
        seconds=seconds,
        amqp_port=amqp_port,
    )
    subject = f"messages of {source.host}"
    try:
        await stream.start()
    except ReaderError as error:
        said, _, cure = str(error).partition(". ")
        return [failed("credentials", subject, said, cure or _again())]
    found = stream.event_hub
    await stream.stop()
    return [ok("credentials", subject, f"read from {found.entity_path if found else 'it'}, group {group}")]


def _again() -> str:
    return "Try again; the other lines say whether the network or the clock is the cause."

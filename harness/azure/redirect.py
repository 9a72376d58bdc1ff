"""The hub's built-in Event Hubs endpoint, found from the hub's own connection string.

A hub answers whoever wants to receive from `messages/events` on its AMQP port with a redirect: a link error that
carries the address of its event hub (AMQP 1.0 part 2, `amqp:link:redirect`). azure-eventhub brings the AMQP client for
it; the client is private there, but the way is the one that Microsoft's own sample for this purpose goes.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path
from typing import Any

from harness.azure.connection_strings import EventHubConnection, HubConnection
from harness.azure.errors import ReaderError, refused
from harness.azure.reaching import reach, trust

AMQP_PORT = 5671
_SOURCE = "messages/events/$management"
_TOKEN_SECONDS = 600
_REACH_SECONDS = 10.0


async def find_event_hub(
    hub: HubConnection, *, ca_path: Path | None = None, port: int = AMQP_PORT, seconds: float = 30.0
) -> EventHubConnection:
    """The built-in endpoint of this hub, for the same policy. Raises ReaderError."""
    amqp = _client()
    await reach(hub.hostname, port, trust(ca_path), min(seconds, _REACH_SECONDS))
    user = f"{hub.policy}@sas.root.{hub.hostname.partition('.')[0]}"
    client = amqp.client(
        hub.hostname,
        _SOURCE,
        auth=amqp.plain(user, hub.token(int(time.time()) + _TOKEN_SECONDS)),
        connection_verify=None if ca_path is None else str(ca_path),
        custom_endpoint_address=f"amqps://{_bracketed(hub.hostname)}:{port}",
    )
    try:
        await asyncio.wait_for(_until_redirected(client), seconds)
    except amqp.redirect as told:
        return _event_hub(hub, told)
    except (asyncio.TimeoutError, TimeoutError):
        raise ReaderError(
            "silent",
            f"{hub.hostname} took the connection on port {port} but did not say within {seconds:g} s where its events "
            "are read. Is it an IoT Hub? Otherwise try again, or give the Event Hub-compatible connection string of "
            "its built-in endpoint.",
        ) from None
    except Exception as error:
        raise _explained(error, hub, port) from None
    finally:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(client.close_async(), 2.0)
    raise ReaderError("other", f"{hub.hostname} did not redirect to an event hub. Is it an IoT Hub?")


class _Amqp:
    """The private names, in one place."""

    def __init__(self) -> None:
        from azure.eventhub._pyamqp.aio import ReceiveClientAsync
        from azure.eventhub._pyamqp.authentication import SASLPlainAuth
        from azure.eventhub._pyamqp.error import AMQPLinkRedirect

        self.client: Any = ReceiveClientAsync
        self.plain: Any = SASLPlainAuth
        self.redirect: Any = AMQPLinkRedirect


def _client() -> _Amqp:
    try:
        return _Amqp()
    except ImportError as error:
        raise ReaderError(
            "package",
            "To find a hub's events from its connection string, azure-eventhub is needed "
            f"(pip install 'pnp-preflight[azure]'; {error}). With a version of it that has none of its AMQP client, "
            "give the Event Hub-compatible connection string of the built-in endpoint instead.",
        ) from None


async def _until_redirected(client: Any) -> None:
    await client.open_async()
    while not await client.client_ready_async():
        await asyncio.sleep(0)  # each round waits on the socket
    while True:
        await client.do_work_async()


def _event_hub(hub: HubConnection, told: Any) -> EventHubConnection:
    """What the redirect says. Its `address` reads amqps://host:port/{event hub}/…."""
    host = told.hostname or told.network_host
    path = told.address.partition("://")[2].partition("/")[2] if "://" in told.address else told.address.lstrip("/")
    name = path.partition("/")[0]
    if not host or not name:
        raise ReaderError("other", f"{hub.hostname} redirected without saying where to. Try again later.")
    return EventHubConnection(host, told.port if told.port != AMQP_PORT else None, hub.policy, hub.key, name)


def _explained(error: Exception, hub: HubConnection, port: int) -> ReaderError:
    text = str(error)
    if "SASL" in text or "unauthorized" in text.lower():
        return refused(hub.hostname, hub.policy)
    return ReaderError("other", f"{hub.hostname}:{port} did not say where its events are read: {text or repr(error)}")


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host

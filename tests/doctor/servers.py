"""Servers on loopback that are at fault in one way each."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime
from pathlib import Path

from harness.emulator.certificates import ensure, ensure_unfit

ADDRESS = "127.0.0.1"


def certificate(state: Path, kind: str = "") -> tuple[Path, Path]:
    """The CA to trust and a server's PEM file: a good one, or `expired`, `wrong-name`, `unknown-ca`."""
    good = ensure(state, [ADDRESS])
    return good.ca, ensure_unfit(state, kind, [ADDRESS]) if kind else good.server


@asynccontextmanager
async def serving(
    pem: Path | None, *, ahead: float = 0.0, dated: bool = True, talks: bool = True
) -> AsyncIterator[int]:
    """An HTTPS server whose clock is `ahead` of this computer's; without a `pem` it speaks no TLS."""
    context: ssl.SSLContext | None = None
    if pem is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
    silent: list[asyncio.StreamWriter] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not talks:
            silent.append(writer)
            return
        try:
            if pem is None:
                await reader.read(1)
                writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                return
            await reader.readuntil(b"\r\n\r\n")
            date = format_datetime(datetime.now(timezone.utc) + timedelta(seconds=ahead), usegmt=True)
            head = f"HTTP/1.1 404 Not Found\r\n{f'Date: {date}' if dated else 'X: y'}\r\n\r\n"
            writer.write(head.encode())
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(answer, ADDRESS, 0, ssl=context)
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        for writer in silent:
            writer.transport.abort()
        server.close()

"""This computer's clock, compared with a service's."""

from __future__ import annotations

import asyncio
import email.utils
import time
from datetime import datetime

from harness.doctor import reaching
from harness.doctor.result import Result, failed, ok, skipped, warning

FAILS, WARNS = 300.0, 30.0
"""Seconds: Azure takes tokens whose time is at most five minutes off."""
_LONGEST_HEAD = 64 * 1024


async def clock(host: str, port: int) -> list[Result]:
    """Compare this computer's clock with the service's. Its certificate is not asked for: a wrong clock refuses it."""
    try:
        date, off = await asyncio.wait_for(_date(host, port), reaching.SECONDS)
    except (OSError, ValueError, asyncio.TimeoutError, TimeoutError, asyncio.IncompleteReadError):
        return [skipped("clock", host, "the service did not tell the time")]
    amount = f"{abs(off):.0f} s {'ahead of' if off > 0 else 'behind'} {host} ({date:%H:%M:%S} UTC)"
    cure = "Set the clock by NTP: tokens are refused when it is five minutes off, and certificates may seem invalid."
    if abs(off) >= FAILS:
        return [failed("clock", "this computer", amount, cure)]
    if abs(off) >= WARNS:
        return [warning("clock", "this computer", amount, cure)]
    return [ok("clock", "this computer", f"agrees with {host}")]


async def _date(host: str, port: int) -> tuple[datetime, float]:
    """The service's time, and by how many seconds this clock is ahead of it. Raises OSError, ValueError."""
    reader, writer = await asyncio.open_connection(host, port, ssl=reaching.trusting(), limit=_LONGEST_HEAD)
    try:
        named = f"[{host}]" if ":" in host else host
        asked = time.time()
        writer.write(f"HEAD / HTTP/1.1\r\nHost: {named}\r\nConnection: close\r\n\r\n".encode())
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError as error:
            raise ValueError(str(error)) from None
        middle = (asked + time.time()) / 2
    finally:
        writer.transport.abort()
    for line in head.decode("latin-1").split("\r\n")[1:]:
        name, _, value = line.partition(":")
        if name.strip().lower() == "date":
            date = email.utils.parsedate_to_datetime(value.strip())
            return date, middle - date.timestamp()
    raise ValueError("no Date")

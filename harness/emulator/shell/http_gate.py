"""Requests over HTTP at the fault gate: what is done in a call-back there is awaited here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiohttp import web

from harness.emulator.errors import ServiceError
from harness.emulator.faults import Answer, FaultGate, Operation, Point
from harness.emulator.shell.reading import CLIENT_CLOSED

PATIENCE = 120.0
"""Seconds after which a request that a fault keeps without an answer loses its connection."""


async def through(
    gate: FaultGate, point: Point, identity: str, request: web.Request, act: Callable[[], web.Response]
) -> web.Response:
    """Return what `act` returns, or play the fault that is ordered in its place.

    `act` is called at once, later or never. Raises what it raises, and the ServiceError that a fault orders.
    """
    if not gate.active:
        return act()
    outcome: asyncio.Future[web.Response] = asyncio.get_running_loop().create_future()

    def proceed() -> None:
        if outcome.done():
            return
        try:
            outcome.set_result(act())
        except Exception as error:
            outcome.set_exception(error)

    def answer(fault: Answer) -> None:
        code = fault.error_code or fault.status * 1000
        outcome.set_exception(ServiceError(code, fault.message, status=fault.status))

    def cut() -> None:
        if request.transport is not None:
            request.transport.abort()
        if not outcome.done():
            outcome.set_exception(ServiceError(CLIENT_CLOSED, "the connection was cut, by order of the fault plan"))

    gate.run(Operation(point, identity, proceed, answer, cut=cut))
    try:
        return await asyncio.wait_for(outcome, PATIENCE)
    except (asyncio.TimeoutError, TimeoutError):
        cut()
        raise ServiceError(504000, "no answer, by order of the fault plan") from None

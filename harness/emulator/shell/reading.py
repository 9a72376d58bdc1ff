"""Reading a request's body with a limit of one's own, whatever application the handler is mounted in."""

from __future__ import annotations

from aiohttp import web

from harness.emulator.errors import ServiceError


async def read_body(request: web.Request, limit: int) -> bytes:
    """Return the body. Raises ServiceError 413001 when it is longer than `limit` bytes."""
    parts: list[bytes] = []
    size = 0
    async for part in request.content.iter_any():
        size += len(part)
        if size > limit:
            raise ServiceError(413001, f"the body is longer than {limit} bytes")
        parts.append(part)
    return b"".join(parts)

"""Reading what strangers send over HTTP: headers of any bytes, and bodies with a limit of one's own, whatever
application the handler is mounted in.
"""

from __future__ import annotations

from aiohttp import ClientPayloadError, web
from aiohttp.http_exceptions import HttpProcessingError

from harness.emulator.errors import ServiceError

CLIENT_CLOSED = 499000


def header(request: web.Request, name: str) -> str | None:
    """Return a header's text, None when there is none; bytes that are no UTF-8 are U+FFFD.

    aiohttp hands them on as lone surrogates, which nothing can write again.
    """
    text = request.headers.get(name)
    return text if text is None else _readable(text)


def host(request: web.Request) -> str:
    """Return the name by which the client calls this server, in the same way."""
    return _readable(request.host)


def _readable(text: str) -> str:
    return text.encode(errors="surrogateescape").decode(errors="replace")


async def read_body(request: web.Request, limit: int) -> bytes:
    """Return the body. Raises ServiceError: 413001 when it is longer than `limit` bytes, 400006 when it is not framed
    or encoded as its headers say, 499000 when the client is gone before its end.
    """
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.content.iter_any():
            size += len(part)
            if size > limit:
                raise ServiceError(413001, f"the body is longer than {limit} bytes")
            parts.append(part)
    except ConnectionError:
        raise ServiceError(CLIENT_CLOSED, "the client closed the connection before the body's end") from None
    except (web.RequestPayloadError, ClientPayloadError, HttpProcessingError) as error:
        raise ServiceError(400006, f"the body cannot be read: {str(error).splitlines()[0]}") from None
    return b"".join(parts)

"""The blob endpoint that devices upload files to: Put Blob, Put Block, Put Block List, Get Blob.

As much of Azure Storage as a link from a hub gives rights to, with its headers and its XML errors.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Awaitable, Callable
from xml.sax.saxutils import escape

from aiohttp import web

from harness.emulator.context import Context, new_guid
from harness.emulator.errors import ServiceError
from harness.emulator.faults import Point
from harness.emulator.hub.blobs import VERSION, BlobError, Blobs
from harness.emulator.shell import http_gate
from harness.emulator.shell.reading import header, read_body
from harness.record.events import BlobWritten

_CODES = {413: "RequestBodyTooLarge", 403: "AuthenticationFailed", 500: "InternalError", 503: "ServerBusy"}
"""Azure Storage's names for a bare status."""


def handler(blobs: Blobs, context: Context) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Return the handler of all methods on `/{container}/{blob}`."""

    async def handle(request: web.Request) -> web.StreamResponse:
        name = request.match_info["blob"]
        try:
            blobs.check(name, request.query)
            return await _answer(blobs, context, request, name)
        except BlobError as caught:
            error = caught
        except ServiceError as caught_too:
            code = _CODES.get(caught_too.status, "InvalidInput")
            error = BlobError(caught_too.status, code, caught_too.message)
        if request.method == "PUT":
            context.emit(BlobWritten(name.partition("/")[0], name, 0, error.status))
        text = f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{error.code}</Code>'
        text += f"<Message>{escape(str(error))}</Message></Error>"
        headers = {**_headers(), "Content-Type": "application/xml", "x-ms-error-code": error.code}
        return web.Response(status=error.status, body=text.encode(), headers=headers)

    return handle


async def _answer(blobs: Blobs, context: Context, request: web.Request, name: str) -> web.Response:
    if request.method == "PUT":
        return await _put(blobs, context, request, name)
    blob = blobs.find(name)
    if blob is None:
        raise BlobError(404, "BlobNotFound", "no such blob")
    headers = {**_headers(), "Content-Type": blob.content_type, "x-ms-blob-type": "BlockBlob"}
    return web.Response(body=blob.data, headers=headers)


async def _put(blobs: Blobs, context: Context, request: web.Request, name: str) -> web.Response:
    kind = header(request, "x-ms-blob-content-type") or header(request, "Content-Type")
    kind = kind or "application/octet-stream"
    data = await read_body(request, context.options.max_blob)

    def write() -> web.Response:
        return _write(blobs, context, request, name, data, kind)

    return await http_gate.through(context.faults, Point.BLOB, name.partition("/")[0], request, write)


def _write(blobs: Blobs, context: Context, request: web.Request, name: str, data: bytes, kind: str) -> web.Response:
    what, size = request.query.get("comp", ""), None
    if what == "block":
        blobs.put_block(name, request.query.get("blockid", ""), data)
    elif what == "blocklist":
        size = blobs.put_block_list(name, data, kind)
    elif what:
        raise BlobError(400, "InvalidQueryParameterValue", f"comp={what} is not supported")
    elif request.headers.get("x-ms-blob-type", "").lower() != "blockblob":
        raise BlobError(400, "InvalidHeaderValue", "x-ms-blob-type must be BlockBlob")
    else:
        blobs.put(name, data, kind)
        size = len(data)
    if size is not None:
        context.emit(BlobWritten(name.partition("/")[0], name, size))
    digest = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
    return web.Response(
        status=201, headers={**_headers(), "ETag": f'"0x{new_guid()[:16].upper()}"', "Content-MD5": digest}
    )


def _headers() -> dict[str, str]:
    return {"x-ms-version": VERSION, "x-ms-request-id": new_guid()}

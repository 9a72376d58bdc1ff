"""The log of aiohttp's servers, without what strangers can bring about: a request that is no HTTP, or a client that is
gone before its answer, is no failure of the emulator's.
"""

from __future__ import annotations

import logging

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

_THEIRS = (HttpProcessingError, web.RequestPayloadError, ConnectionError)


def _is_ours(record: logging.LogRecord) -> bool:
    return not isinstance(record.exc_info[1] if record.exc_info else None, _THEIRS)


logger = logging.getLogger("harness.emulator.http")
logger.addFilter(_is_ours)

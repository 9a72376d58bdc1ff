"""The storage account that devices upload files to, in memory: block blobs, each under a link with a SAS token."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode
from xml.etree import ElementTree

from harness.emulator.context import Context, utc_text

CONTAINER = "device-uploads"
"""The first segment of a blob's path."""
VERSION = "2020-08-04"
_MAX_BLOCKS = 1000
_MAX_LIST = 512 * 1024
"""Bytes of the document that names the blocks of a blob."""


class BlobError(Exception):
    """A request that the storage answers with an error, as its XML body names it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Blob:
    """`written` is Unix time."""

    data: bytes
    content_type: str
    written: float


class Blobs:
    """All blobs of one hub. The oldest make room when they are too much together."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._key = secrets.token_bytes(32)
        self._blobs: OrderedDict[str, Blob] = OrderedDict()
        self._blocks: dict[str, dict[str, bytes]] = {}
        self._uncommitted = 0
        self.host = ""
        """Where the endpoint was last asked for."""

    def token(self, name: str, seconds: float) -> str:
        """Return the query, with its `?`, that lets its holder read and write the blob for so long."""
        expiry = utc_text(self._context.wall() + seconds)[:19] + "Z"
        fields = {"sv": VERSION, "sr": "b", "sig": self._sign(name, expiry, "rw"), "se": expiry, "sp": "rw"}
        return "?" + urlencode(fields)

    def check(self, name: str, query: Mapping[str, str]) -> None:
        """Raises BlobError 403 unless the query is a token of this blob that still holds."""
        expiry, permissions = query.get("se", ""), query.get("sp", "")
        expected = self._sign(name, expiry, permissions)
        if not hmac.compare_digest(query.get("sig", "").encode(), expected.encode()):
            raise BlobError(403, "AuthenticationFailed", "the SAS token is not of this blob")
        if expiry < utc_text(self._context.wall()):
            raise BlobError(403, "AuthenticationFailed", "the SAS token has expired")

    def put(self, name: str, data: bytes, content_type: str) -> None:
        """Write a blob. Raises BlobError 413."""
        options = self._context.options
        if len(data) > options.max_blob:
            raise BlobError(413, "RequestBodyTooLarge", f"a blob may have {options.max_blob} bytes")
        self._blobs.pop(name, None)
        self._blobs[name] = Blob(data, content_type, self._context.wall())
        while len(self._blobs) > 1 and sum(len(blob.data) for blob in self._blobs.values()) > options.max_blobs:
            self._blobs.popitem(last=False)

    def put_block(self, name: str, block_id: str, data: bytes) -> None:
        """Keep one block until its list is committed. Raises BlobError 400, 413."""
        if not _is_base64(block_id):
            raise BlobError(400, "InvalidQueryParameterValue", "blockid is not base64")
        blocks, options = self._blocks.get(name, {}), self._context.options
        more = len(data) - len(blocks.get(block_id, b""))
        if sum(map(len, blocks.values())) + more > options.max_blob or len(blocks) >= _MAX_BLOCKS:
            raise BlobError(413, "RequestBodyTooLarge", "the blocks are more than a blob may have")
        if self._uncommitted + more > options.max_blobs:
            raise BlobError(413, "RequestBodyTooLarge", "the uncommitted blocks of all blobs are more than may be")
        self._blocks.setdefault(name, blocks)[block_id] = data
        self._uncommitted += more

    def put_block_list(self, name: str, document: bytes, content_type: str) -> int:
        """Make the blob of the blocks that the list names; returns its size. Raises BlobError 400, 413."""
        wanted = _block_ids(document)
        blocks = self._blocks.get(name, {})
        missing = [block_id for block_id in wanted if block_id not in blocks]
        if missing:
            raise BlobError(400, "InvalidBlockList", f"no block {missing[0]!r} was put")
        # Counted first: a list may name one block as often as it likes.
        if sum(len(blocks[block_id]) for block_id in wanted) > self._context.options.max_blob:
            raise BlobError(413, "RequestBodyTooLarge", f"a blob may have {self._context.options.max_blob} bytes")
        data = b"".join(blocks[block_id] for block_id in wanted)
        self.put(name, data, content_type)
        self.forget_blocks(name)
        return len(data)

    def clear(self) -> None:
        self._blobs.clear()
        self._blocks.clear()
        self._uncommitted = 0

    def forget_blocks(self, name: str) -> None:
        """Drop blocks that were put and never committed."""
        self._uncommitted -= sum(map(len, self._blocks.pop(name, {}).values()))

    def find(self, name: str) -> Blob | None:
        return self._blobs.get(name)

    def address(self, name: str) -> str:
        """Return the blob's URL without a token."""
        return f"https://{self.host}/{CONTAINER}/{quote(name)}"

    def _sign(self, name: str, expiry: str, permissions: str) -> str:
        text = f"{name}\n{expiry}\n{permissions}".encode()
        return base64.b64encode(hmac.digest(self._key, text, hashlib.sha256)).decode()


def _block_ids(document: bytes) -> list[str]:
    """Read a block list. Raises BlobError 400."""
    if len(document) > _MAX_LIST:
        raise BlobError(413, "RequestBodyTooLarge", f"a block list may have {_MAX_LIST} bytes")
    try:
        text = document.decode("utf-8-sig")  # as text, so that no other encoding hides a document type
    except UnicodeDecodeError:
        raise BlobError(400, "InvalidXmlDocument", "the block list is not UTF-8") from None
    if "<!" in text:  # a document type may define entities that grow without end
        raise BlobError(400, "InvalidXmlDocument", "the block list has a document type")
    try:
        return [(element.text or "").strip() for element in ElementTree.fromstring(text)]
    except ElementTree.ParseError as error:
        raise BlobError(400, "InvalidXmlDocument", f"the block list is not XML: {error}") from None


def _is_base64(text: str) -> bool:
    try:
        return 0 < len(base64.b64decode(text, validate=True)) <= 64
    except (binascii.Error, ValueError):
        return False

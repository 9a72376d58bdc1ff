"""A repository on the network, through `azure-iot-modelsrepository`.

The client fetches one file at a time here: its own search for dependencies overlooks inline models and types written
as lists, knows one location only, and retries for minutes when the network is away. What it returns has lost the
text, so the transport keeps the bytes of each answer: a model from afar is read as strictly as a local file.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

from .document import BadDocument, Document, read_document
from .layout import model_path
from .places import NO_PLACE, Miss, wrong_id

TIMEOUT = 5.0
"""Seconds to connect, and between two pieces of an answer."""


class Remote:
    """An http or https location. After a failure of the network it is not asked again."""

    def __init__(self, name: str, timeout: float = TIMEOUT) -> None:
        self.name = name
        self._base = name.rstrip("/") + "/"
        self._timeout = timeout
        self._down = ""
        self._client: Any = None
        self._transport: Any = None
        self._promises_expanded: bool | None = None

    def find(self, dtmi: str) -> Document:
        path = model_path(dtmi)
        if path is None:
            raise Miss((self.name, NO_PLACE))
        url = urljoin(self._base, path)
        if self._down:
            raise Miss((url, self._down))
        self._open()
        document = self._expanded(dtmi)
        if document is not None:
            return document
        if self._down:
            raise Miss((url, self._down))
        raw = self._get(url, lambda: self._client.get_models(dtmi, dependency_resolution="disabled"))
        return _holding(dtmi, url, raw)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = self._transport = None

    def _expanded(self, dtmi: str) -> Document | None:
        """The expanded form, in one request all that the model depends on; None where there is none to be had.
        Only metadata.json makes it worth asking."""
        if self._promises_expanded is None:
            self._promises_expanded = self._metadata()
        if not self._promises_expanded:
            return None
        path = str(model_path(dtmi, expanded=True))
        url = urljoin(self._base, path)
        try:
            return _holding(dtmi, url, self._get(url, lambda: self._client.fetcher.fetch(path)))
        except Miss:
            return None

    def _metadata(self) -> bool:
        url = urljoin(self._base, "metadata.json")
        try:
            metadata = json.loads(self._get(url, lambda: self._client.fetcher.fetch("metadata.json")))
        except (Miss, ValueError):
            return False
        features = metadata.get("features") if isinstance(metadata, dict) else None
        return isinstance(features, dict) and features.get("expanded") is True

    def _get(self, url: str, call: Callable[[], object]) -> bytes:
        """The bytes of the answer to `call`. Raises Miss; where no answer came, the location is down from then on."""
        from azure.core.exceptions import AzureError, HttpResponseError

        self._transport.body = None
        try:
            call()
        except HttpResponseError as error:
            status = self._transport.status
            raise Miss((url, "not found (404)" if status == 404 else f"answered with HTTP status {status}")) from error
        except AzureError as error:
            self._down = _outage(str(error), self._timeout)
            raise Miss((url, self._down)) from error
        except Exception:
            # The client stumbles over what is no model; whoever reads the bytes will say what is wrong with them.
            if self._transport.body is None:
                raise
        body: bytes = self._transport.body
        return body

    def _open(self) -> None:
        if self._client is not None:
            return
        from azure.iot.modelsrepository import ModelsRepositoryClient

        self._transport = _keeping_transport(self._timeout)
        self._client = ModelsRepositoryClient(
            repository_location=self._base, transport=self._transport, retry_total=0, dependency_resolution="disabled"
        )


def _holding(dtmi: str, url: str, raw: bytes) -> Document:
    try:
        document = read_document(url, raw)
    except BadDocument as bad:
        html = "; it is an HTML page, perhaps of a proxy" if raw.lstrip()[:1] == b"<" else ""
        raise Miss((f"{bad.place}:{bad.line}", bad.sentence.rstrip(".") + html)) from None
    if document.find(dtmi) is None:
        raise Miss((url, wrong_id(document)))
    return document


def _outage(text: str, timeout: float) -> str:
    """What a failure of the network means, from the words of the HTTP library."""
    for words, meaning in _OUTAGES:
        if any(word in text for word in words):
            return meaning.format(timeout=f"{timeout:g}")
    return f"no connection: {text[:200]}"


_OUTAGES = (
    (
        ("NameResolution", "getaddrinfo", "Name or service not known", "nodename nor servname"),
        "the host name does not resolve: the machine is offline, or the name is wrong",
    ),
    (("CERTIFICATE_VERIFY_FAILED",), "no connection: the certificate is not trusted here (a proxy that opens TLS?)"),
    (("SSL", "TLS"), "no connection: the TLS handshake failed (is this an https address?)"),
    (("refused",), "no connection: refused"),
    (("Read timed out", "read timeout"), "no answer within {timeout} s"),
    (("timed out", "ConnectTimeout"), "no connection within {timeout} s"),
    (("ProxyError", "proxy"), "no connection: the proxy of the environment does not answer"),
    (("unreachable",), "no connection: the network is unreachable"),
)


def _keeping_transport(timeout: float) -> Any:
    """A transport of azure-core that keeps status and body of the last answer, and has short time-outs."""
    from azure.core.pipeline.transport import RequestsTransport

    class KeepingTransport(RequestsTransport):  # type: ignore[misc]
        status: int = 0
        body: bytes | None = None

        def send(self, request: Any, **options: Any) -> Any:
            response = super().send(request, **options)
            self.status, self.body = response.status_code, response.body()
            return response

    return KeepingTransport(connection_timeout=timeout, read_timeout=timeout)

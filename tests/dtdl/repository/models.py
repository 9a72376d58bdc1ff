"""Small models and the directories and servers that hold them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from ssl import SSLContext
from threading import Thread
from typing import Any

from harness.dtdl.repository import model_path

THERMOSTAT = "dtmi:com:example:Thermostat;1"
CONTROLLER = "dtmi:com:example:Controller;2"


def interface(dtmi: str, *contents: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"@context": "dtmi:dtdl:context;2", "@id": dtmi, "@type": "Interface", "contents": [*contents], **members}


def thermostat() -> dict[str, Any]:
    return interface(THERMOSTAT, {"@type": "Telemetry", "name": "temperature", "schema": "double"})


def controller() -> dict[str, Any]:
    return interface(CONTROLLER, {"@type": "Component", "name": "thermostat1", "schema": THERMOSTAT})


def put(root: Path, *models: dict[str, Any]) -> Path:
    """The file of the first model; each is written to its place."""
    for model in reversed(models):
        path = root / str(model_path(model["@id"]))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(model, indent=2), encoding="utf-8")
    return path


def put_expanded(root: Path, *models: dict[str, Any]) -> Path:
    path = root / str(model_path(models[0]["@id"], expanded=True))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(models, indent=2), encoding="utf-8")
    return path


class Handler(SimpleHTTPRequestHandler):
    asked: list[str]

    def __init__(self, *args: Any, asked: list[str], **options: Any) -> None:
        self.asked = asked
        super().__init__(*args, **options)

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_request(self, code: object = "-", size: object = "-") -> None:
        return None

    def log_error(self, *args: Any) -> None:
        return None


@contextmanager
def serving(root: Path, tls: SSLContext | None = None) -> Iterator[tuple[str, list[str]]]:
    """A web server for a directory: its URL, and the paths asked for so far."""
    asked: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(root), asked=asked))
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

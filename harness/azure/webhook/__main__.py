"""`python -m harness.azure.webhook`: the webhook on this machine, or its source in a folder, ready to be deployed."""

from __future__ import annotations

import argparse
import contextlib
import hmac
import os
import secrets
import shutil
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path

from aiohttp import web

from harness.azure.webhook.allocation import MARK, MAX_BODY, respond

PATH = "/api/allocate"
SOURCE = ("function_app.py", "allocation.py", "host.json", "requirements.txt", ".funcignore")
_KEY = "PREFLIGHT_WEBHOOK_KEY"
_LOOPBACK = "127.0.0.1"


def application(key: str, log: Callable[[str], None]) -> web.Application:
    """The webhook as Azure Functions serves it: with the key in the query or in a header, or not at all."""

    async def allocate(request: web.Request) -> web.StreamResponse:
        shown = request.query.get("code") or request.headers.get("x-functions-key") or ""
        if not hmac.compare_digest(shown.encode("utf-8", "replace"), key.encode()):
            log("preflight refused: the request has not the function's key")
            return web.Response(status=401)
        body = await request.read()
        received = datetime.now(timezone.utc).isoformat(timespec="seconds")
        response = respond(body, received, request.query.get(MARK, ""))
        log(response.line)
        return web.Response(
            body=response.body, status=response.status, content_type="application/json", charset="utf-8"
        )

    app = web.Application(client_max_size=MAX_BODY)
    app.router.add_post(PATH, allocate)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m harness.azure.webhook",
        description="The allocation webhook, which shows what a device registers with at DPS (docs/webhook.md).",
        epilog="example: python -m harness.azure.webhook --write webhook && cd webhook && "
        "func azure functionapp publish NAME --python",
    )
    parser.add_argument("--port", type=int, default=7071, metavar="PORT", help=f"on {_LOOPBACK}; 0 takes a free one")
    parser.add_argument("--write", type=Path, metavar="DIR", help="write the Functions app into a folder, and end")
    options = parser.parse_args(arguments)
    if options.write is not None:
        return _write(options.write)
    if not 0 <= options.port <= 65535:
        parser.error("--port is a number from 0 to 65535")
    return _serve(options.port, os.environ.get(_KEY) or secrets.token_urlsafe(32))


def _write(folder: Path) -> int:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in SOURCE:
            shutil.copyfile(Path(__file__).with_name(name), folder / name)
    except OSError as e:
        print(f"{folder} cannot be written: {e.strerror or e}. Name another folder.", file=sys.stderr)
        return 2
    print(f"The app is in {folder}. Deploy it from there: func azure functionapp publish NAME --python")
    return 0


def _serve(port: int, key: str) -> int:
    async def told(runner: web.AppRunner) -> None:
        taken = runner.addresses[0][1]
        print(f"webhook: http://{_LOOPBACK}:{taken}{PATH}?code={key}", flush=True)

    with contextlib.suppress(KeyboardInterrupt):
        try:
            _run(application(key, lambda line: print(line, flush=True)), port, told)
        except OSError as e:
            print(f"Port {port} on {_LOOPBACK} cannot be had: {e.strerror or e}. Use --port.", file=sys.stderr)
            return 2
    return 0


def _run(app: web.Application, port: int, told: Callable[[web.AppRunner], Awaitable[None]]) -> None:
    import asyncio

    async def run() -> None:
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, _LOOPBACK, port).start()
            await told(runner)
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    asyncio.run(run())


if __name__ == "__main__":
    sys.exit(main())

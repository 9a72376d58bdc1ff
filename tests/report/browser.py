"""Headless Chromium, spoken to over its DevTools protocol: enough of it to look at a page as a person would."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from pathlib import Path
from typing import IO, Any, TypeVar

import aiohttp
import psutil

T = TypeVar("T")
PATIENCE = 60.0
"""Seconds for anything a browser is asked on a busy machine."""
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--remote-debugging-port=0",
)


def executable() -> str | None:
    """Debian's Chromium, or one of another name; None where there is none."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for found in map(shutil.which, names) if found), None)


class Tab:
    """One page. `complaints` are what the console and the security policy said against it."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._number = 0
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._loaded = asyncio.Event()
        self.complaints: list[str] = []

    async def listen(self) -> None:
        async for message in self._socket:
            told = json.loads(message.data)
            if "id" in told:
                self._answers.pop(told["id"]).set_result(told)
            elif told["method"] == "Page.loadEventFired":
                self._loaded.set()
            elif told["method"] in ("Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"):
                self.complaints.append(json.dumps(told["params"])[:500])

    async def ask(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._number, "method": method, "params": parameters})
        told = await asyncio.wait_for(answer, PATIENCE)
        assert "error" not in told, told
        return told["result"]

    async def open(self, file: Path, width: int = 1280, height: int = 900, *, dark: bool = False) -> None:
        """Load the file, as it is opened from a mail, on a screen of this size."""
        for domain in ("Page", "Runtime", "Log"):
            await self.ask(f"{domain}.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1}
        await self.ask("Emulation.setDeviceMetricsOverride", mobile=width < 500, **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.ask("Emulation.setEmulatedMedia", features=[scheme])
        self._loaded.clear()
        await self.ask("Page.navigate", url=file.as_uri())
        await asyncio.wait_for(self._loaded.wait(), PATIENCE)

    async def value(self, expression: str) -> Any:
        """What an expression of JavaScript is, a promise awaited."""
        told = await self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    async def key(self, name: str) -> None:
        """Press and release a key."""
        for kind in ("keyDown", "keyUp"):
            codes = {"Tab": 9, "Enter": 13}
            text = {"text": "\r"} if name == "Enter" and kind == "keyDown" else {}
            await self.ask("Input.dispatchKeyEvent", type=kind, key=name, windowsVirtualKeyCode=codes[name], **text)

    async def picture(self, top: int = 0, height: int = 900, width: int = 1280) -> bytes:
        """A PNG of a part of the page."""
        clip = {"x": 0, "y": top, "width": width, "height": height, "scale": 1}
        told = await self.ask("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        return base64.b64decode(told["data"])

    async def pdf(self) -> bytes:
        """The page on paper, A4."""
        told = await self.ask("Page.printToPDF", paperWidth=8.27, paperHeight=11.69)
        return base64.b64decode(told["data"])


class Browser:
    """A Chromium that runs until `browser` ends it."""

    def __init__(self, address: str) -> None:
        self.address = address

    def look(self, steps: Callable[[Tab], Coroutine[Any, Any, T]]) -> T:
        """Do the steps in a tab of their own."""

        async def session() -> T:
            async with self._tab() as tab:
                return await steps(tab)

        return asyncio.run(session())

    @contextlib.asynccontextmanager
    async def _tab(self) -> AsyncIterator[Tab]:
        async with aiohttp.ClientSession() as client:
            async with client.put(f"http://{self.address}/json/new?about:blank") as answer:
                target = await answer.json()
            async with client.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                tab = Tab(socket)
                listening = asyncio.create_task(tab.listen())
                try:
                    yield tab
                finally:
                    listening.cancel()
            async with client.get(f"http://{self.address}/json/close/{target['id']}"):
                pass


@contextlib.contextmanager
def browser(path: str) -> Iterator[Browser]:
    """A fresh Chromium with a profile of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [path, *_FLAGS, f"--user-data-dir={profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=os.name == "posix",
        )
        assert process.stderr is not None
        try:
            yield Browser(_address(process.stderr))
        finally:
            _end(process)


def _address(lines: IO[str]) -> str:
    """The address that Chromium says it listens on."""
    heard = []
    for line in lines:
        heard.append(line)
        if "DevTools listening on ws://" in line:
            return line.split("ws://")[1].split("/")[0]
    raise RuntimeError("Chromium ended before it listened: " + "".join(heard[-5:]))


def _end(process: subprocess.Popen[str]) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        family = [*psutil.Process(process.pid).children(recursive=True), psutil.Process(process.pid)]
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
    process.wait(PATIENCE)
    assert process.stderr is not None
    process.stderr.close()

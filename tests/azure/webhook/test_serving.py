"""The webhook where it runs: as a Functions app, and on this machine. The key, the folder, the command."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestClient, TestServer

from harness.azure.webhook.__main__ import PATH, SOURCE, application, main
from harness.azure.webhook.allocation import MAX_BODY, TAG

KEY = "a key/with+signs=="
REQUEST = {
    "individualEnrollment": {},
    "deviceRuntimeContext": {"registrationId": "dev-1", "payload": {"modelId": "dtmi:a;1"}},
    "linkedHubs": ["hub.example.net"],
}


def statuses(*calls: dict[str, Any]) -> tuple[list[int], list[str], Any]:
    """Post each; statuses, the log, and the last answer."""
    log: list[str] = []

    async def run() -> tuple[list[int], Any]:
        found, document = [], None
        async with TestClient(TestServer(application(KEY, log.append))) as client:
            for call in calls:
                method = call.pop("method", "POST")
                async with client.request(method, PATH, **call) as response:
                    found.append(response.status)
                    document = await response.json() if response.content_type == "application/json" else None
        return found, document

    found, document = asyncio.run(run())
    return found, log, document


def test_only_who_has_the_key_is_answered() -> None:
    found, log, document = statuses(
        {"json": REQUEST},
        {"json": REQUEST, "params": {"code": "wrong"}},
        {"json": REQUEST, "params": {"code": "\u00e4"}},
        {"json": REQUEST, "headers": {"x-functions-key": KEY}},
        {"json": REQUEST, "params": {"code": KEY, "preflight": "abc"}},
    )
    assert found == [401, 401, 401, 200, 200]
    assert document["iotHubHostName"] == "hub.example.net"
    assert document["initialTwin"]["tags"]["preflight"] == "abc"
    assert len(log) == 5
    assert not any(KEY in line or "wrong" in line for line in log)


def test_bad_requests() -> None:
    key = {"x-functions-key": KEY}
    found, _, _ = statuses(
        {"headers": key, "data": b"{"},
        {"headers": key, "data": b" " * (MAX_BODY + 1)},
        {"headers": key, "method": "GET"},
        {"headers": key, "json": REQUEST},
    )
    assert found == [400, 413, 405, 200]


def test_the_command(capfd: pytest.CaptureFixture[str]) -> None:
    async def run() -> dict[str, Any]:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "harness.azure.webhook", "--port", "0", stdout=asyncio.subprocess.PIPE
        )
        try:
            assert process.stdout is not None
            line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
            assert line.startswith("webhook: http://127.0.0.1:")
            async with (
                aiohttp.ClientSession() as session,
                session.post(line.removeprefix("webhook: ").strip(), json=REQUEST) as response,
            ):
                document: dict[str, Any] = await response.json()
            logged = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
            assert logged.startswith("preflight registration: ")
            return document
        finally:
            process.kill()
            await process.wait()

    assert TAG in asyncio.run(run())["initialTwin"]["tags"]


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setenv("PREFLIGHT_WEBHOOK_KEY", KEY)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert main(["--port", str(taken.getsockname()[1])]) == 2
    said = capsys.readouterr()
    assert "Use --port" in said.err
    assert KEY not in said.out + said.err


def test_the_folder_to_deploy(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "webhook"
    assert main(["--write", str(folder)]) == 0
    assert {path.name for path in folder.iterdir()} == set(SOURCE)
    assert json.loads((folder / "host.json").read_text())["version"] == "2.0"
    assert "azure-functions" in (folder / "requirements.txt").read_text()
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert main(["--write", str(blocked)]) == 2
    assert "Name another folder" in capsys.readouterr().err


# --- on Azure Functions ------------------------------------------------------------------------------


class _Functions(ModuleType):
    """What the app uses of azure.functions, where that is not installed."""

    AuthLevel = SimpleNamespace(ANONYMOUS="anonymous", FUNCTION="function")
    HttpRequest = object

    def __init__(self) -> None:
        super().__init__("azure.functions")
        self.levels: list[Any] = []
        self.routes: list[dict[str, Any]] = []
        outer = self

        class FunctionApp:
            def __init__(self, http_auth_level: Any) -> None:
                outer.levels.append(http_auth_level)

            def route(self, **settings: Any) -> Any:
                outer.routes.append(settings)
                return lambda function: function

        self.FunctionApp = FunctionApp
        self.HttpResponse = lambda body, **settings: SimpleNamespace(body=body, **settings)


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> _Functions:
    import azure

    functions = _Functions()
    monkeypatch.setitem(sys.modules, "azure.functions", functions)
    monkeypatch.setattr(azure, "functions", functions, raising=False)
    return functions


@pytest.fixture
def deployed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder as the root of an app."""
    main(["--write", str(tmp_path)])
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    sys.modules.pop("allocation", None)


def load(folder: Path) -> Any:
    spec = importlib.util.spec_from_file_location("function_app", folder / "function_app.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_functions_app(functions: _Functions, deployed: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    module = load(deployed)
    assert functions.levels == ["function"]
    assert functions.routes == [{"route": "allocate", "methods": ["POST"]}]
    request = SimpleNamespace(get_body=lambda: json.dumps(REQUEST).encode(), params={"preflight": "abc"})
    answered = module.allocate(request)
    assert (answered.status_code, answered.mimetype) == (200, "application/json")
    assert json.loads(answered.body)["initialTwin"]["tags"]["preflight"] == "abc"
    assert [record.message for record in caplog.records if "dtmi:a;1" in record.message]
    bad = module.allocate(SimpleNamespace(get_body=lambda: b"{", params={}))
    assert bad.status_code == 400


def test_the_functions_app_on_its_own_library(deployed: Path) -> None:
    func = pytest.importorskip("azure.functions", reason="pip install azure-functions to test the app on its library")
    module = load(deployed)
    request = func.HttpRequest(
        "POST", "https://app.example.net/api/allocate", body=json.dumps(REQUEST).encode(), params={"preflight": "abc"}
    )
    (function,) = module.app.get_functions()
    (trigger,) = [one for one in function.get_bindings() if one.get_binding_name() == "httpTrigger"]
    assert trigger.auth_level is func.AuthLevel.FUNCTION
    answered = function.get_user_function()(request)
    assert (answered.status_code, answered.mimetype) == (200, "application/json")
    assert json.loads(answered.get_body())["iotHubHostName"] == "hub.example.net"

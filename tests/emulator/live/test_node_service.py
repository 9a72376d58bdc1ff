"""A service on Microsoft's Node SDK, which knows no ports but 443 and 5671."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from importlib.util import find_spec

import pytest

from harness.emulator import EmulatorOptions
from harness.record.events import C2dEnqueued
from tests.addresses import free_address
from tests.emulator.live import nodesdk
from tests.emulator.watching import Watcher

HTTPS, AMQPS = 443, 5671


def test_registry_twin_query_method_and_message(start: Callable[..., Watcher]) -> None:
    sdk = nodesdk.modules()
    amqp = find_spec("proton") is not None  # the extra `eventhub`
    running = start(EmulatorOptions(amqp_port=AMQPS if amqp else None), free_address(AMQPS))
    ends = running.endpoints
    if ends.https_port != HTTPS:
        pytest.skip(f"the SDK insists on port 443: {ends.https_hint}")
    settings = {
        "SERVICE_CONNECTION_STRING": ends.hub_connection_string.replace(ends.service_host, ends.hub_host),
        "AMQP": "1" if amqp else "",
        "NODE_PATH": str(sdk / "node_modules"),
        "NODE_EXTRA_CA_CERTS": str(ends.ca_path),
    }
    done = subprocess.run(
        ["node", str(nodesdk.SOURCES / "service.js")],
        env={**os.environ, **settings},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert (seen["tags"], seen["found"]) == ({"a": 1}, ["dev-1"])
    assert "404103" in json.dumps(seen["method"])
    assert [event.payload for event in running.seen(C2dEnqueued)] == ([b"hello"] if amqp else [])

"""An emulator as Azure is seen: connection strings, a CA, REST and AMQP; and runs of the pre-flight against it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from harness.emulator import Emulator, EmulatorOptions, Endpoints
from harness.record.events import Event
from harness.record.recorder import Recorder
from harness.settings import Settings
from harness.target.azure.target import AzureTarget
from tests.addresses import free_address
from tests.paths import REPO

AMQP_PORT = 5671
"""Where the hub's built-in endpoint is looked for when only the hub is known."""

_DEADLINE = 120.0


@dataclass
class Cloud:
    """The emulator by its service side. `foreign` is a device and an enrollment of somebody else's."""

    emulator: Emulator
    recorder: Recorder
    foreign: str = "foreign"

    @property
    def ends(self) -> Endpoints:
        return self.emulator.endpoints

    def holds(self) -> tuple[list[str], list[str]]:
        """The ids of all enrollments and groups, and of all devices."""
        return self.emulator.call(_held)

    def enrolled(self, registration_id: str) -> Any:
        """An individual enrollment."""
        return self.emulator.call(lambda services: services.enrollments.get(registration_id))

    def wait(self, kind: type[Event]) -> None:
        """Until the emulator has seen one more event of this kind."""
        began = len(self.recorder.entries)
        found = self.recorder.wait(lambda e: isinstance(e.event, kind) or None, _DEADLINE, after=began)
        assert found, f"no {kind.kind}"

    def environment(self, *, event_hub: bool = False) -> dict[str, str]:
        ends = self.ends
        named = {
            "PREFLIGHT_HUB_CONNECTION_STRING": ends.hub_connection_string,
            "PREFLIGHT_DPS_CONNECTION_STRING": ends.dps_connection_string,
            "PREFLIGHT_ID_SCOPE": ends.id_scope,
            "PREFLIGHT_DPS_ENDPOINT": ends.dps_host,
            "PREFLIGHT_AZURE_CA": str(ends.ca_path),
        }
        if event_hub:
            named["PREFLIGHT_EVENT_HUB_CONNECTION_STRING"] = ends.event_hub_connection_string
        ours = {k: v for k, v in os.environ.items() if not k.startswith(("PREFLIGHT_", "PYTEST_", "GITHUB_", "TF_"))}
        return {**ours, "PYTHONPATH": str(REPO), **named}

    def policy(self, name: str) -> str:
        """The connection string of another of the hub's policies."""
        key = self.emulator.call(partial(_key_of, name))
        return f"HostName={self.ends.service_host};SharedAccessKeyName={name};SharedAccessKey={key}"


def _held(services: Any) -> tuple[list[str], list[str]]:
    enrolled = [*services.enrollments.individuals(), *services.enrollments.groups()]
    return sorted(e.id for e in enrolled), sorted(d.device_id for d in services.hub.registry.devices())


def _key_of(name: str, services: Any) -> str:
    return str(services.hub.access.policies[name].primary_key)


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    pytest.importorskip("proton", reason="needs the extra: pip install 'pnp-preflight[eventhub]'")
    pytest.importorskip("azure.eventhub", reason="needs the extra: pip install 'pnp-preflight[azure]'")
    pytest.importorskip("azure.iot.deviceprovisioning", reason="needs the extra: pip install 'pnp-preflight[azure]'")
    options = EmulatorOptions(amqp_port=AMQP_PORT, event_partitions=2)
    recorder = Recorder()

    def emit(event: Event) -> None:
        recorder.emit(event)

    state, address = tmp_path_factory.mktemp("cloud"), free_address(AMQP_PORT)
    with Emulator(address=address, state_dir=state, emit=emit, options=options) as emulator:
        cloud = Cloud(emulator, recorder)
        emulator.enroll(cloud.foreign)
        emulator.call(lambda services: services.hub.put_device(cloud.foreign, {}, None))
        yield cloud


@dataclass
class Opened:
    """A target, what it recorded and what it said."""

    target: AzureTarget
    events: list[Event] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


@pytest.fixture
def make(cloud: Cloud, tmp_path: Path) -> Iterator[Callable[..., Opened]]:
    """Makes targets for a device process, and closes them."""
    made: list[Opened] = []

    def make(**settings: Any) -> Opened:
        ends = cloud.ends
        known: dict[str, Any] = {
            "dut": "x",
            "target": "azure",
            "state": tmp_path / "state",
            "hub_connection_string": ends.hub_connection_string,
            "dps_connection_string": ends.dps_connection_string,
            "event_hub_connection_string": ends.event_hub_connection_string,
            "id_scope": ends.id_scope,
            "dps_endpoint": ends.dps_host,
            "azure_ca": ends.ca_path,
        }
        events: list[Event] = []
        said: list[str] = []
        opened = Opened(AzureTarget(Settings(**{**known, **settings}), events.append, said.append), events, said)
        made.append(opened)
        return opened

    yield make
    for one in made:
        one.target.close()

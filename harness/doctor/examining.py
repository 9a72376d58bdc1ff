"""What is looked at: for the local target, and for services in Azure."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.azure.connection_strings import DpsConnection, EventHubConnection, HubConnection
from harness.azure.provisioning import Provisioning
from harness.azure.redirect import AMQP_PORT
from harness.doctor import access, machine, network
from harness.doctor.network import Host
from harness.doctor.result import Outcome, Probe, Result, examine, skipped
from harness.emulator.options import MQTT_PORT
from harness.settings import Settings
from harness.target.service import HubService

HTTPS_PORT = 443
_NETWORK_SECONDS, _ACCESS_SECONDS = 30.0, 60.0


@dataclass(frozen=True, slots=True)
class Services:
    """Services to reach, by name and with what is to be asked of them; None is not named.

    `hub_host` and `dps_host` may carry a port.
    """

    hub_host: str | None = None
    dps_host: str | None = None
    dps_endpoint: str | None = None
    ca_path: Path | None = None
    events: EventHubConnection | HubConnection | None = None
    group: str = "$Default"
    hub: HubService | None = None
    dps: Provisioning | None = None


def computer(settings: Settings, *, azure: bool, login: bool = False) -> list[Result]:
    """Everything about this computer that both targets need."""
    return [
        machine.python(),
        *machine.packages(azure=azure, login=login),
        machine.folder("state", settings.state, private=True),
        machine.folder("reports", settings.reports),
    ]


def local(settings: Settings) -> list[Result]:
    """What the local target needs to start."""
    return [*computer(settings, azure=False), *machine.listening(settings.listen)]


async def services(asked: Services, environment: Mapping[str, str]) -> list[Result]:
    """Whether the services can be reached, and may be asked for what a pre-flight asks."""
    hosts = _hosts(asked)
    found = await examine([Probe("network", host.name, network.look(host), _NETWORK_SECONDS) for host in hosts])
    found = [*network.proxies(environment), *_one_clock(found)]
    return [*found, *await examine(_access(asked, found))]


def _access(asked: Services, found: Sequence[Result]) -> list[Probe]:
    """What is asked of those that can be reached."""
    reached = {result.subject for result in found if result.check == "TLS" and result.outcome is not Outcome.FAILED}
    probes: list[Probe] = []

    def add(subject: str, places: Iterable[str], work: Callable[[], Awaitable[Sequence[Result]]]) -> None:
        at_hand = reached.issuperset(places)
        awaited = work() if at_hand else _not_asked(subject)
        probes.append(Probe("credentials", subject, awaited, _ACCESS_SECONDS))

    hub, dps = asked.hub, asked.dps
    if hub is not None and asked.hub_host is not None:
        add(f"hub {asked.hub_host}", [_place(asked.hub_host)], lambda: access.hub(hub))
    if dps is not None and asked.dps_host is not None:
        add(f"DPS {asked.dps_host}", [_place(asked.dps_host)], lambda: access.dps(dps))
    events = asked.events
    if events is not None:
        place = _events_place(events)
        add(
            f"messages of {events.host}",
            [place],
            lambda: access.messages(events, asked.group, asked.ca_path, _ACCESS_SECONDS / 2),
        )
    return probes


async def _not_asked(subject: str) -> list[Result]:
    return [skipped("credentials", subject, "it cannot be reached")]


def _hosts(asked: Services) -> list[Host]:
    """Each host once, with all ports that matter."""
    found: dict[str, Host] = {}

    def add(name: str, *ports: int, clock: int | None = None, optional: tuple[int, ...] = ()) -> None:
        known = found.get(name, Host(name, (), asked.ca_path))
        needed = (set(known.ports) - set(known.optional)) | (set(ports) - set(optional))
        every = tuple(dict.fromkeys((*known.ports, *ports)))
        spared = tuple(port for port in every if port not in needed)
        found[name] = replace(known, ports=every, optional=spared, clock_port=known.clock_port or clock)

    if asked.hub_host is not None:
        name, port = _split(asked.hub_host)
        add(name, MQTT_PORT, port, clock=port)
        if isinstance(asked.events, HubConnection):
            add(name, AMQP_PORT)
    if asked.dps_endpoint is not None:
        name, port = _split(asked.dps_endpoint)
        add(name, MQTT_PORT, port, clock=port, optional=(port,))
    if asked.dps_host is not None:
        name, port = _split(asked.dps_host)
        add(name, port, clock=port)
    if isinstance(asked.events, EventHubConnection):
        add(asked.events.host, asked.events.port or AMQP_PORT)
    return list(found.values())


def _one_clock(found: Sequence[Result]) -> list[Result]:
    """Of what the hosts say of the clock, the worst; one line of it is enough."""
    order = (Outcome.FAILED, Outcome.WARNING, Outcome.OK, Outcome.SKIPPED)
    clocks = sorted((r for r in found if r.check == "clock"), key=lambda r: order.index(r.outcome))
    return [*(r for r in found if r.check != "clock"), *clocks[:1]]


def _place(host: str) -> str:
    name, port = _split(host)
    return f"{name}:{port}"


def _events_place(events: EventHubConnection | HubConnection) -> str:
    if isinstance(events, HubConnection):
        return f"{events.hostname}:{AMQP_PORT}"
    return f"{events.host}:{events.port or AMQP_PORT}"


def _split(host: str) -> tuple[str, int]:
    """A host and its port, 443 where it has none; brackets of an IPv6 address are taken off."""
    if host.count(":") > 1 and not host.startswith("["):
        return host, HTTPS_PORT
    name, separator, port = host.rpartition(":")
    if separator and port.isdigit() and not host.endswith("]"):
        return name.strip("[]"), int(port)
    return host.strip("[]"), HTTPS_PORT


def host_of(connection: HubConnection | DpsConnection | None, host: str | None) -> str | None:
    """The host, with its port, that a connection string or a setting names."""
    return connection.host if connection is not None else host

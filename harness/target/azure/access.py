"""The user's services in Azure: named by connection strings, or by hosts and a login."""

from __future__ import annotations

from typing import Any, TypeVar

from harness.azure.connection_strings import (
    ConnectionStringError,
    DpsConnection,
    EventHubConnection,
    HubConnection,
    parse_dps,
    parse_event_hub,
    parse_hub,
)
from harness.azure.cost import Tally
from harness.azure.provisioning import INSTALL, Provisioning
from harness.azure.retrying import Patience
from harness.settings import Settings
from harness.target import TargetError
from harness.target.service import HubService

S = TypeVar("S", bound=HubService)


class Access:
    """What the settings name; `tally` counts what every service made here costs. Raises TargetError."""

    def __init__(self, settings: Settings, tally: Tally) -> None:
        self._settings = settings
        self._tally = tally
        self._hub, self._dps, self._events = _connections(settings)
        self._login = _login(settings)

    @property
    def hub_host(self) -> str:
        """The hub's name, without a port."""
        return self._hub.hostname if self._hub else (self._settings.hub_host or "")

    @property
    def telemetry(self) -> EventHubConnection | HubConnection:
        """Where telemetry is read: the built-in endpoint, or the hub that leads there."""
        source = self._events or self._hub
        assert source is not None  # see the settings
        return source

    def hub(self, kind: type[S], patience: Patience) -> S:
        """The service side of the hub."""
        connection, settings = self._hub, self._settings
        return kind(
            connection.text if connection else "",
            settings.azure_ca,
            host="" if connection else settings.hub_host or "",
            login=None if connection else self._login,
            patience=patience,
            tally=self._tally,
        )

    def provisioning(self, patience: Patience) -> Provisioning | None:
        """The service side of DPS; None where the settings name no DPS."""
        connection, settings = self._dps, self._settings
        if connection is None and settings.dps_host is None:
            return None
        return Provisioning(
            connection,
            settings.azure_ca,
            host=settings.dps_host or "",
            login=None if connection else self._login,
            patience=patience,
            tally=self._tally,
        )


def services(settings: Settings) -> tuple[HubService, Provisioning | None]:
    """Hub and DPS of the settings, to be closed by the caller. Raises TargetError."""
    access, patience = Access(settings, Tally()), Patience()
    return access.hub(HubService, patience), access.provisioning(patience)


def _connections(
    settings: Settings,
) -> tuple[HubConnection | None, DpsConnection | None, EventHubConnection | None]:
    """What the settings name. Raises TargetError."""
    hub, dps, events = (
        settings.hub_connection_string,
        settings.dps_connection_string,
        settings.event_hub_connection_string,
    )
    try:
        return (
            parse_hub(hub) if hub else None,
            parse_dps(dps) if dps else None,
            parse_event_hub(events) if events else None,
        )
    except ConnectionStringError as e:
        raise TargetError(str(e)) from None


def _login(settings: Settings) -> Any:
    """Microsoft Entra ID's default chain (environment, managed identity, `az login` ...), where it is asked for."""
    by_key = settings.hub_connection_string and (settings.dps_connection_string or not settings.dps_host)
    if by_key:
        return None
    try:
        from azure.identity import DefaultAzureCredential
    except ImportError:
        raise TargetError(f"To log in with Microsoft Entra ID azure-identity is needed. {INSTALL}") from None
    return DefaultAzureCredential()

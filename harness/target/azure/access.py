"""The user's services in Azure: named by connection strings, or by hosts and a login."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
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
T = TypeVar("T")


class Access:
    """What the settings name, each looked at when it is asked for; then it raises TargetError.

    `tally` counts what every service made here costs.
    """

    def __init__(self, settings: Settings, tally: Tally | None = None) -> None:
        self.settings = settings
        self._tally = tally or Tally()

    @cached_property
    def hub_connection(self) -> HubConnection | None:
        """None where the hub is named by its host alone."""
        text = self.settings.hub_connection_string
        if text is None and self.settings.hub_host is None:
            raise TargetError(
                "The hub is not named. Put the connection string of one of its policies into "
                "PREFLIGHT_HUB_CONNECTION_STRING (on the portal: the hub's page, Shared access policies)."
            )
        return _parsed(parse_hub, text)

    @cached_property
    def dps_connection(self) -> DpsConnection | None:
        """None where no DPS is named, or only by its host."""
        return _parsed(parse_dps, self.settings.dps_connection_string)

    @cached_property
    def telemetry(self) -> EventHubConnection | HubConnection:
        """Where telemetry is read: the built-in endpoint, or the hub that leads there."""
        source = _parsed(parse_event_hub, self.settings.event_hub_connection_string) or self.hub_connection
        if source is None:
            raise TargetError(
                "With --hub-host, messages are read with a key all the same: put the connection string of the hub's "
                "built-in endpoint into PREFLIGHT_EVENT_HUB_CONNECTION_STRING."
            )
        return source

    @property
    def hub_host(self) -> str:
        """The hub's name, without a port."""
        return self.hub_connection.hostname if self.hub_connection else str(self.settings.hub_host)

    def hub(self, kind: type[S], patience: Patience) -> S:
        """The service side of the hub."""
        connection, settings = self.hub_connection, self.settings
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
        connection, settings = self.dps_connection, self.settings
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

    @cached_property
    def _login(self) -> Any:
        """Microsoft Entra ID's default chain (environment, managed identity, `az login` ...)."""
        try:
            from azure.identity import DefaultAzureCredential
        except ImportError:
            raise TargetError(f"To log in with Microsoft Entra ID azure-identity is needed. {INSTALL}") from None
        return DefaultAzureCredential()


def services(settings: Settings) -> tuple[HubService, Provisioning | None]:
    """Hub and DPS of the settings, to be closed by the caller. Raises TargetError."""
    access, patience = Access(settings), Patience()
    return access.hub(HubService, patience), access.provisioning(patience)


def _parsed(parse: Callable[[str], T], text: str | None) -> T | None:
    try:
        return None if text is None else parse(text)
    except ConnectionStringError as e:
        raise TargetError(str(e)) from None

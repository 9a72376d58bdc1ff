"""What Azure Monitor shows of a DPS instance: three metrics, and resource-log rows (monitor-iot-dps-reference)."""

from __future__ import annotations

import ipaddress
import json
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from harness.emulator.context import new_guid, utc_text
from harness.emulator.options import EmulatorOptions

_MAX_ROWS = 10_000
_GROUP = "pnp-preflight"
_NOBODY = "00000000-0000-0000-0000-000000000000"
_VERSIONS = {"2019-03-31": "March2019", "2021-06-01": "June2021", "2021-10-01": "October2021"}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asked, and how: an address, Mqtt or Http, and the api-version."""

    address: str = ""
    protocol: str = "Mqtt"
    api_version: str = ""


@dataclass(frozen=True, slots=True)
class _Row:
    """What of a log row differs from row to row. Times in Unix seconds; `seconds` is how long it took."""

    category: str
    operation: str
    time: float
    caller: Caller
    subject: str
    kind: str
    status: int
    error: str = ""
    seconds: float = 0.0
    correlation: str = field(default_factory=new_guid)


class Monitor:
    """Counts and logs. `name` is the DPS instance's."""

    def __init__(self, options: EmulatorOptions, wall: Callable[[], float], name: str) -> None:
        self._options = options
        self._wall = wall
        self._name = name
        self._counts: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()
        self._rows: deque[_Row] = deque(maxlen=_MAX_ROWS)

    # --- what happens --------------------------------------------------------------------------------

    def attested(self, caller: Caller, registration_id: str, status: int = 200, error: str = "") -> None:
        """A device proved who it is, or failed to."""
        self._count("AttestationAttempts", Status=self._status(status < 400), Protocol=caller.protocol)
        self._log_device(0, caller, registration_id, status, error)

    def registered(self, caller: Caller, registration_id: str, hub: str, status: int = 200, error: str = "") -> None:
        """A registration came to its end. `hub` is empty when it has none."""
        self._count("RegistrationAttempts", IotHubName=hub, Status=self._status(status < 400))
        self._log_device(1, caller, registration_id, status, error)

    def assigned(self, caller: Caller, registration_id: str, hub: str) -> None:
        """A device was given to a hub."""
        self._count("DeviceAssignments", IotHubName=hub)
        self._log_device(2, caller, registration_id, 200, "")

    def served(
        self, caller: Caller, operation: str, kind: str, subject: str, status: int, error: str, seconds: float
    ) -> None:
        """The service API answered a call."""
        self._rows.append(
            _Row("ServiceOperations", operation, self._wall(), caller, subject, kind, status, error, seconds)
        )

    def clear(self) -> None:
        self._counts.clear()
        self._rows.clear()

    # --- what is shown -------------------------------------------------------------------------------

    def metrics(self) -> list[dict[str, Any]]:
        """Return each metric by its dimensions: `metric`, `dimensions`, `unit`, `aggregation`, `total`."""
        return [
            {"metric": name, "dimensions": dict(dimensions), "unit": "Count", "aggregation": "Total", "total": total}
            for (name, dimensions), total in sorted(self._counts.items())
        ]

    def logs(self) -> list[dict[str, str]]:
        """Return rows with the columns of the table AzureDiagnostics, the oldest first."""
        return [self._render(row) for row in self._rows]

    # --- inside --------------------------------------------------------------------------------------

    def _count(self, metric: str, **dimensions: str) -> None:
        every = {"ProvisioningServiceName": self._name, **dimensions}
        self._counts[metric, tuple(every.items())] += 1

    def _status(self, good: bool) -> str:
        return self._options.dps_metric_statuses[0 if good else 1]

    def _log_device(self, operation: int, caller: Caller, registration_id: str, status: int, error: str) -> None:
        name = self._options.dps_log_operations[operation]
        self._rows.append(
            _Row("DeviceOperations", name, self._wall(), caller, registration_id, "Registration", status, error)
        )

    def _render(self, row: _Row) -> dict[str, str]:
        failed = row.status >= 400
        resource = f"/SUBSCRIPTIONS/{_NOBODY}/RESOURCEGROUPS/{_GROUP.upper()}/PROVIDERS/MICROSOFT.DEVICES"
        return {
            "ApplicationId": "",
            "CallerIPAddress": _masked(row.caller.address),
            "Category": row.category,
            "CorrelationId": row.correlation,
            "DurationMs": str(int(row.seconds * 1000)),
            "Level": "Error" if failed else "Information",
            "OperationName": row.operation,
            "OperationVersion": _VERSIONS.get(row.caller.api_version, row.caller.api_version),
            "Resource": self._name.upper(),
            "ResourceGroup": _GROUP.upper(),
            "ResourceId": f"{resource}/PROVISIONINGSERVICES/{self._name.upper()}",
            "ResourceProvider": "MICROSOFT.DEVICES",
            "ResourceType": "PROVISIONINGSERVICES",
            "ResultType": _result(row.status),
            "ResultSignature": str(row.status) if failed else "",
            "ResultDescription": row.error,
            "SubscriptionId": _NOBODY,
            "TenantId": _NOBODY,
            "TimeGenerated": utc_text(row.time),
            "location_s": "local",
            "properties_s": json.dumps({"id": row.subject, "type": row.kind, "protocol": row.caller.protocol}),
        }


def _result(status: int) -> str:
    if status < 400:
        return "Success"
    return "ClientError" if status < 500 else "Failure"


def _masked(address: str) -> str:
    """An address with its last part hidden, as the logs have it."""
    host = address.rpartition(":")[0].strip("[]") if address.count(":") == 1 or "]" in address else address
    try:
        separator = "." if ipaddress.ip_address(host).version == 4 else ":"
    except ValueError:
        return ""
    return f"{host.rpartition(separator)[0]}{separator}XXX"

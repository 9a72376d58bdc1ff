"""The shape of a test run, as `az iot product test run show` answered it: its fields, and no others.

What the service had no field for stands under `x-preflight`. Statuses are those of the service: a task that passed with
warnings is `Passed`, one that could not be judged, by whose fault ever, is `Aborted`.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.aics.tables import EXTRAS

PNP, IOT_DEVICE, EDGE = "Pnp", "IotDevice", "IotEdgeCompatible"
PASSED, FAILED, CANCELLED, ABORTED, COMPLETED = "Passed", "Failed", "Cancelled", "Aborted", "Completed"

Json = dict[str, Any]


@dataclass(slots=True)
class Task:
    """One task of a badge. Times are texts (`timestamp`), `timeout` is in seconds; `raw` are payloads and the like."""

    name: str
    start: str | None
    end: str | None
    status: str
    logs: Sequence[Json] = ()
    raw: Sequence[str] = ()
    timeout: int = 0
    extra: Mapping[str, Any] = field(default_factory=dict)

    def pre_validation(self) -> Json:
        """As one of `preValidationTasks`."""
        return {
            "name": self.name,
            "startTime": self.start,
            "endTime": self.end,
            "status": self.status,
            "logs": list(self.logs),
            "rawData": list(self.raw),
            **self._extra(),
        }

    def validation(self) -> Json:
        """As one of `validationTasks`; its message is that of its last log."""
        return {
            "name": self.name,
            "timeout": self.timeout,
            "startTime": self.start,
            "endTime": self.end,
            "status": self.status,
            "message": self.logs[-1]["message"] if self.logs else None,
            "logs": list(self.logs),
            "rawData": list(self.raw),
            **self._extra(),
        }

    def interface(self, interface_id: str, component: str) -> Json:
        """As one of `validationTasks` of a Plug and Play badge, which is about one component."""
        return {"interfaceId": interface_id, "componentName": component, **self.validation()}

    def _extra(self) -> Json:
        return {EXTRAS: dict(self.extra)} if self.extra else {}


def log(time: str | None, message: str) -> Json:
    """One entry of a task's logs."""
    return {"time": time, "message": message}


def element_log(
    time: str | None, kind: str, name: str, message: str, passed: bool, expected: str | None, actual: str | None
) -> Json:
    """The entry for an element, whose message is JSON in a text. `kind` is telemetry, property or command; `expected`
    and `actual` are types of schemas, None where the type is not what is wrong.
    """
    told = {
        f"{kind}Name": name,
        "expectedSchemaType": expected,
        "actualSchemaType": actual,
        "message": message,
        "passed": passed,
        "time": time,
    }
    return log(time, json.dumps(told, ensure_ascii=False))


def timestamp(moment: datetime.datetime) -> str:
    """ISO 8601 with seven digits of a fraction and the offset, as the service wrote it."""
    utc = moment.astimezone(datetime.timezone.utc)
    return f"{utc:%Y-%m-%dT%H:%M:%S}.{utc.microsecond:06d}0+00:00"


def run_result(
    run_id: str,
    start: str | None,
    end: str | None,
    status: str,
    badges: Sequence[Json],
    extra: Mapping[str, Any],
) -> Json:
    """The document."""
    return {
        "id": run_id,
        "startTime": start,
        "endTime": end,
        "status": status,
        "certificationBadgeResults": list(badges),
        EXTRAS: dict(extra),
    }

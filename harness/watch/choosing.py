"""Which events are wanted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from harness.dtdl import decode
from harness.record import events as ev
from harness.watch.kinds import identity_of, kind_of
from harness.watch.source import Known


@dataclass(frozen=True)
class Choice:
    """Filters; None lets everything through. `device` may have the wildcards * and ?, upper and lower case differ.

    `component` is a component's name, empty for the root; only what belongs to a component can be of one, so with it
    no connections are shown. `interface` is the model id that the device announced.
    """

    device: str | None = None
    module: str | None = None
    component: str | None = None
    interface: str | None = None
    kinds: frozenset[str] | None = None
    _announced: dict[tuple[str, str | None], str | None] = field(default_factory=dict, repr=False)

    def learn(self, known: Iterable[Known]) -> None:
        """Take in the model ids of devices that are connected already."""
        for one in known:
            self._announced.setdefault((one.device_id, one.module_id), one.model_id)

    def wants(self, event: ev.Event) -> bool:
        """Whether to show it. Is to be asked of every event, in order: a connection tells the model of what follows."""
        device, module = identity_of(event)
        if isinstance(event, ev.HubConnected) and event.return_code == 0:
            self._announced[device, module] = event.model_id
        if self.kinds is not None and kind_of(event) not in self.kinds:
            return False
        if not self.wants_identity(device, module):
            return False
        if self.interface is not None and self.interface != self._model(event, (device, module)):
            return False
        return self.component is None or self.component in components_of(event)

    def wants_identity(self, device: str, module: str | None) -> bool:
        """Whether to show anything of this device or module."""
        if self._device is not None and not self._device.fullmatch(device):
            return False
        return self.module is None or module == self.module

    @cached_property
    def _device(self) -> re.Pattern[str] | None:
        return None if self.device is None else re.compile(_wildcards(self.device))

    def _model(self, event: ev.Event, identity: tuple[str, str | None]) -> str | None:
        own = event.model_id if isinstance(event, (ev.TelemetryReceived, ev.HubConnected)) else None
        return own or self._announced.get(identity)


def components_of(event: ev.Event) -> frozenset[str]:
    """The components that an event is about, the root as the empty name."""
    match event:
        case ev.TelemetryReceived():
            return frozenset({event.component or ""})
        case ev.MethodRequested() | ev.MethodAnswered():
            return frozenset({event.name.rpartition("*")[0]})
        case ev.ReportedPatched():
            return _of_patch(decode(event.payload)[0])
        case ev.DesiredChanged():
            return _of_patch(event.patch)
        case _:
            return frozenset()


def _of_patch(patch: Any) -> frozenset[str]:
    """Components in a patch carry a marker, `"__t": "c"`; a later patch may leave it out, so any object may be one."""
    if not isinstance(patch, Mapping):
        return frozenset()
    marked = {name for name, value in patch.items() if isinstance(value, Mapping) and value.get("__t") == "c"}
    objects = {name for name, value in patch.items() if isinstance(value, Mapping)}
    root = {""} if any(name not in marked and not name.startswith("$") for name in patch) else set()
    return frozenset(objects | root)


def _wildcards(text: str) -> str:
    return "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in text)

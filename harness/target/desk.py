"""The desk where trials order what goes wrong; the local target has one, for its services are the emulator's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.emulator import Emulator, EmulatorError
from harness.emulator.emulator import new_id_scope
from harness.emulator.faults import NO_FAULTS, PlanError, from_document
from harness.target import TargetError


class LocalDesk:
    """Orders faults of the emulator. All methods raise TargetError."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._scope: str | None = None

    def order(self, faults: Sequence[Mapping[str, Any]]) -> None:
        try:
            self._emulator.order(from_document({"fault": [dict(fault) for fault in faults]}, "trial"))
        except (EmulatorError, PlanError) as e:
            raise TargetError(str(e)) from None

    def cut(self) -> None:
        try:
            self._emulator.call(lambda services: services.drop_devices("a trial cut the connection"))
        except EmulatorError as e:
            raise TargetError(str(e)) from None

    def move(self) -> str:
        scope = new_id_scope()
        before = self._name(scope)
        self._scope = before if self._scope is None else self._scope
        return scope

    def end(self) -> None:
        try:
            self._emulator.order(NO_FAULTS)
        except EmulatorError as e:
            raise TargetError(str(e)) from None
        if self._scope is not None:
            self._name(self._scope)
            self._scope = None

    def _name(self, id_scope: str) -> str:
        """Give the DPS another ID scope; the one it had."""

        def rename(services: Any) -> str:
            before: str = services.dps.id_scope
            services.dps.id_scope = id_scope
            return before

        try:
            return self._emulator.call(rename)
        except EmulatorError as e:
            raise TargetError(str(e)) from None

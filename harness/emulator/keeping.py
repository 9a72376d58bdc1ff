"""The state that outlives the process: registry, enrollments, twins and keys, in one JSON file.

It is read once at the start. It is written at the end and, so that a crash costs little, some seconds after
something happened. Readable by its owner only, for it holds keys.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.emulator.errors import ServiceError
from harness.emulator.options import EmulatorError
from harness.emulator.snapshot import Damaged, pack, unpack
from harness.mqtt import Timer, Timers
from harness.record.events import Entry

if TYPE_CHECKING:
    from harness.emulator.hub.core import IotHub
    from harness.emulator.services import Services

VERSION = 1
SAVE_SECONDS = 5.0
_OF_THE_MOMENT = ("connection", "c2d")


class Keeper:
    """Keeps the state of one emulator in `state_dir`."""

    def __init__(self, state_dir: Path, timers: Timers, report: Callable[[str, BaseException], None]) -> None:
        self.path = state_dir / "state.json"
        self._timers = timers
        self._report = report
        self._timer: Timer | None = None
        self._services: Services | None = None

    def load(self) -> dict[str, Any] | None:
        """Return the document that was kept, None if there is none. Raises EmulatorError."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise self._unusable(error) from error
        try:
            document = json.loads(text)
            if document["version"] != VERSION or not isinstance(document["id_scope"], str):
                raise Damaged(f"it is of version {document['version']!r}, not {VERSION}")
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise self._unusable(error) from None
        return dict(document)

    def restore(self, services: Services, document: dict[str, Any] | None) -> None:
        """Put the document's state into fresh services, and keep theirs from now on. Raises EmulatorError."""
        try:
            if document is not None:
                restore(services, document)
        except (Damaged, ServiceError, KeyError, TypeError, AttributeError, ValueError) as error:
            raise self._unusable(error) from None
        self._services = services
        if services.stream is not None:
            services.stream.listen(self._saw)

    def _saw(self, entry: Entry) -> None:
        if self._timer is None and self._services is not None:
            self._timer = self._timers.later(SAVE_SECONDS, self._save_quietly)

    def close(self) -> None:
        """Save for the last time. What fails is reported, not raised: the rest has to stop too."""
        if self._services is not None:
            self._save_quietly()
            self._services = None

    def _save_quietly(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._services is None:
            return
        try:
            self._write(json.dumps(take(self._services), separators=(",", ":")))
        except OSError as error:
            self._report(f"the state could not be saved in {self.path}", error)

    def _write(self, text: str) -> None:
        draft = self.path.with_name(f".{self.path.name}-{secrets.token_hex(4)}")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            draft.replace(self.path)
        finally:
            draft.unlink(missing_ok=True)

    def _unusable(self, error: BaseException) -> EmulatorError:
        return EmulatorError(
            f"The state kept in {self.path} cannot be used: {error}. Delete that file to start without devices, or "
            f"name another folder with --state."
        )


def take(services: Services) -> dict[str, Any]:
    """Return the services' state as JSON has it."""
    enrollments = services.enrollments
    return {
        "version": VERSION,
        "id_scope": services.id_scope,
        "policies": pack(services.dps_access.policies),
        "hubs": [_take_hub(hub) for hub in services.hubs],
        "enrollments": [pack(one) for one in (*enrollments.individuals(), *enrollments.groups())],
        "authorities": pack(enrollments.authorities),
        "registrations": [pack(one) for one in services.dps.registrations],
    }


def _take_hub(hub: IotHub) -> dict[str, Any]:
    every = (*hub.registry.devices(), *hub.registry.modules())
    return {
        "policies": pack(hub.access.policies),
        "authorities": pack(hub.access.authorities),
        "identities": [pack(identity, _OF_THE_MOMENT) for identity in every],
    }


def restore(services: Services, document: dict[str, Any]) -> None:
    """Put the state into fresh services. Raises Damaged and what a broken document brings."""
    services.dps_access.policies.update(unpack(document["policies"]))
    for hub, kept in zip(services.hubs, document["hubs"], strict=False):  # there may be more hubs now, or fewer
        hub.access.policies.update(unpack(kept["policies"]))
        hub.access.authorities[:] = unpack(kept.get("authorities", []))  # kept only since a later version
        for identity in kept["identities"]:
            hub.registry.add(unpack(identity))
    for enrolled in document["enrollments"]:
        services.enrollments.add(unpack(enrolled))
    services.enrollments.authorities.update(unpack(document["authorities"]))
    for registration in document["registrations"]:
        services.dps.registrations.put(unpack(registration))

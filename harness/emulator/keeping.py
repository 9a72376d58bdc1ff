"""The state that outlives the process: registry, enrollments, twins and keys, in one JSON file.

It is read once at the start. It is written at the end and, so that a crash costs little, some seconds after
something happened. Readable by its owner only, for it holds keys.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.emulator.errors import ServiceError
from harness.emulator.options import EmulatorError
from harness.emulator.snapshot import Damaged, pack, unpack
from harness.mqtt import Timer, Timers
from harness.record.events import Entry, TelemetryReceived

if TYPE_CHECKING:
    from harness.emulator.services import Services

VERSION = 1
SAVE_SECONDS = 5.0
_SLICE_SECONDS = 0.003
_OF_THE_MOMENT = ("connection", "c2d")


class Keeper:
    """Keeps the state of one emulator in `state_dir`."""

    def __init__(self, state_dir: Path, timers: Timers, report: Callable[[str, BaseException], None]) -> None:
        self.path = state_dir / "state.json"
        self._timers = timers
        self._report = report
        self._timer: Timer | None = None
        self._draft: list[str] = []
        self._rest: Iterator[str] = iter(())
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
        if self._timer is None and self._services is not None and not isinstance(entry.event, TelemetryReceived):
            self._timer = self._timers.later(SAVE_SECONDS, self._begin)

    def close(self) -> None:
        """Save for the last time. What fails is reported, not raised: the rest has to stop too."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._services is not None:
            self._save_quietly("".join(text_of(self._services)))
            self._services = None

    def _begin(self) -> None:
        """Thousands of devices take half a second, so they are written down between what the devices ask for."""
        assert self._services is not None
        self._draft, self._rest = [], text_of(self._services)
        self._go_on()

    def _go_on(self) -> None:
        until = time.perf_counter() + _SLICE_SECONDS
        for piece in self._rest:
            self._draft.append(piece)
            if time.perf_counter() > until:
                self._timer = self._timers.later(0.0, self._go_on)
                return
        self._timer = None
        self._save_quietly("".join(self._draft))
        self._draft = []

    def _save_quietly(self, text: str) -> None:
        try:
            self._write(text)
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


def text_of(services: Services) -> Iterator[str]:
    """The services' state as JSON text, a device a piece; each piece is as things are when it is asked for."""
    enrollments = services.enrollments
    yield f'{{"version":{VERSION},"id_scope":{_dump(services.id_scope)}'
    yield f',"policies":{_packed(services.dps_access.policies)}'
    yield ',"hubs":['
    for number, hub in enumerate(services.hubs):
        yield ("," if number else "") + f'{{"policies":{_packed(hub.access.policies)}'
        yield f',"authorities":{_packed(hub.access.authorities)},"identities":['
        yield from _listed(_packed(one, _OF_THE_MOMENT) for one in (*hub.registry.devices(), *hub.registry.modules()))
        yield "]}"
    yield '],"enrollments":['
    yield from _listed(_packed(one) for one in (*enrollments.individuals(), *enrollments.groups()))
    yield f'],"authorities":{_packed(enrollments.authorities)},"registrations":['
    yield from _listed(_packed(one) for one in tuple(services.dps.registrations))
    yield "]}"


def _listed(items: Iterable[str]) -> Iterator[str]:
    for number, item in enumerate(items):
        yield f",{item}" if number else item


def _packed(value: Any, without: tuple[str, ...] = ()) -> str:
    return _dump(pack(value, without))


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


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

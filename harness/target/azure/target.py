"""The Azure target: a DPS and an IoT Hub of the user's own subscription, through Microsoft's service SDKs.

Whatever it makes there is noted first (`harness.azure.ledger`), marked, and removed at the end. Nothing else is
changed, and of the hub's other devices nothing is read.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from harness.azure.cost import TELEMETRY, TWINS, Tally, estimate
from harness.azure.errors import ReaderError
from harness.azure.ledger import Ledger, LedgerError, new_mark
from harness.azure.provisioning import ProvisioningError
from harness.azure.registering import request_in
from harness.azure.retrying import Patience
from harness.azure.telemetry import Delivered, EventReader, EventStream
from harness.device.credentials import Credentials
from harness.dtdl import Capability
from harness.record import events as ev
from harness.settings import EXTERNAL, Settings
from harness.target import FaultDesk, TargetError
from harness.target.azure.access import Access
from harness.target.azure.enrolling import Enroller
from harness.target.azure.leftovers import cleanup
from harness.target.azure.leftovers import remove as remove_made
from harness.target.azure.watching import Watch
from harness.target.identity import not_kept, remove
from harness.target.service import HubService, ServiceError

_OPENING, _REMOVING = 10.0, 20.0
"""Seconds for which a service that is busy or out of reach is tried again, at the start and at the end."""


class AzureService(HubService):
    """The service side of the hub; writes of desired properties are recorded as the changes they are."""

    watch: Watch | None = None

    def set_desired(self, device_id: str, patch: dict[str, Any]) -> int:
        write = super().set_desired
        if self.watch is None:
            return write(device_id, patch)
        return self.watch.written(lambda: write(device_id, patch), patch)


class AzureTarget:
    """One device in one hub."""

    name = "azure"

    def __init__(self, settings: Settings, emit: Callable[[ev.Event], None], say: Callable[[str], None]) -> None:
        self._settings = settings
        self._emit = emit
        self._say = say
        self._tally = Tally()
        self._patience = Patience(_OPENING)
        self._ledger = Ledger(settings.state)
        self._estimated = self._opened = self._closed = False
        mark = new_mark()
        self._registration_id, self._device_id = _ids(settings, mark)
        self._access = Access(settings, self._tally)
        self._telemetry = self._access.telemetry  # a wrong connection string is told before anything is made
        self._reader: EventReader | None = None
        self._watch: Watch | None = None
        self._service = self._access.hub(AzureService, self._patience)
        self._provisioning = self._access.provisioning(self._patience)
        self._enroller: Enroller | None = None
        if settings.device_id is None:
            assert self._provisioning is not None  # see the settings
            self._enroller = Enroller(
                settings,
                self._provisioning,
                self._ledger,
                mark,
                registration_id=self._registration_id,
                device_id=self._device_id,
                hub_host=self.hub_host,
                service_host=self._service.host,
            )

    @property
    def observes(self) -> tuple[str, ...]:
        shown: tuple[str, ...] = ("telemetry", "twin", "commands")
        if self._asks_webhook:
            shown = ("dps-payload", *shown)
        return shown if self._provisioning is None else ("registration", *shown)

    @property
    def _asks_webhook(self) -> bool:
        """Whether the enrollment is this run's own, and has a webhook."""
        return self._settings.webhook is not None and self._enroller is not None

    @property
    def faults(self) -> FaultDesk | None:
        return None

    @property
    def hub_host(self) -> str:
        """The hub's name, without a port."""
        return self._access.hub_host

    def estimate(self, capabilities: Sequence[Capability]) -> None:
        if not self._estimated and capabilities:
            self._estimated = True
            settings = self._settings
            self._say(estimate(capabilities, window=settings.window, smoke=settings.is_smoke).sentence())

    @property
    def spent(self) -> str:
        return self._tally.sentence() if self._opened else ""

    def open(self) -> dict[str, str]:
        try:
            if self._enroller is None:
                self._see_that_it_is_there()
            else:
                self._see_that_nothing_is_there(self._enroller)
            self._read_telemetry()
        except (ServiceError, ProvisioningError, ReaderError) as e:
            raise TargetError(str(e)) from None
        self._patience.seconds = Patience().seconds
        self._opened = True
        reader = self._reader
        return {
            "dps": self._settings.dps_endpoint,
            "hub": self.hub_host,
            "id-scope": self._settings.id_scope or "",
            "event-hub": reader.event_hub.host if reader and reader.event_hub else "",
        }

    def enroll(self) -> Credentials:
        settings = self._settings
        known = Credentials(
            registration_id=self._registration_id,
            id_scope=settings.id_scope or "",
            dps_endpoint=settings.dps_endpoint,
            ca_path=settings.azure_ca.absolute() if settings.azure_ca else None,
            secrets=settings.secrets(),
        )
        try:
            credentials = self._enroller.enroll(known) if self._enroller else self._as_it_is(known)
        except OSError as e:
            raise not_kept(settings.state, e) from None
        self._begin_to_watch()
        return credentials

    def service(self) -> HubService:
        return self._service

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._watch is not None:
            self._watch.stop()
        if self._reader is not None:
            self._reader.stop()
        self._patience.stop.set()
        self._service.close()
        if self._provisioning is not None:
            self._provisioning.close()
        self._put_away()
        certificate = self._enroller.certificate if self._enroller else None
        if certificate is not None and self._settings.dut != EXTERNAL:
            remove(certificate)

    # --- opening -------------------------------------------------------------------------------------

    def _see_that_nothing_is_there(self, enroller: Enroller) -> None:
        """Also that this run may do all that it will have to, before anything is made."""
        assert self._provisioning is not None
        if self._service.has_device(self._device_id):
            raise TargetError(
                f"The hub {self.hub_host} has a device {self._device_id} already, which the pre-flight did not make. "
                f"Choose another id with --registration-id ID, or test that device with --device-id {self._device_id}."
            )
        if self._provisioning.enrollment(self._registration_id) is not None:
            raise TargetError(enroller.taken("an enrollment"))
        if self._provisioning.registration(self._registration_id) is not None:
            raise TargetError(enroller.taken("a registration of"))
        if not self._settings.keep:
            # Of an id that nobody has: whether devices may be removed.
            self._service.delete_device(f"preflight-{secrets.token_hex(8)}")

    def _see_that_it_is_there(self) -> None:
        try:
            twin = self._service.device_twin(self._device_id)
        except ServiceError as e:
            if e.status != 404:
                raise
            raise TargetError(
                f"The hub {self.hub_host} has no device {self._device_id} (ids are case-sensitive). Check --device-id, "
                "or leave it out: then the device is enrolled for this run."
            ) from None
        if twin.get("status") == "disabled":
            raise TargetError(f"The device {self._device_id} is disabled in the hub {self.hub_host}: enable it there.")

    def _read_telemetry(self) -> None:
        def trouble(sentence: str) -> None:
            self._emit(ev.WatchBroken("telemetry", sentence) if sentence else ev.WatchResumed("telemetry", 0.0))

        stream = EventStream(
            self._telemetry,
            on_message=self._message,
            on_trouble=trouble,
            consumer_group=self._settings.consumer_group,
            ca_path=self._settings.azure_ca,
            device_id=self._device_id,
        )
        self._reader = EventReader(stream)
        self._reader.start()

    def _message(self, message: Delivered) -> None:
        self._tally.add(TELEMETRY, len(message.event.payload))
        self._emit(replace(message.event, enqueued=message.enqueued or None))
        if self._watch is not None:
            self._watch.sign_of_life()

    def _as_it_is(self, known: Credentials) -> Credentials:
        """An existing device: a program of it that is started here gets its key, where it may be read."""
        key = None
        if self._provisioning is not None and self._settings.dut != EXTERNAL:
            try:
                key = self._provisioning.key(self._registration_id)
            except ProvisioningError as e:
                if e.status not in (401, 403, 404):
                    raise TargetError(str(e)) from None
        return replace(known, primary_key=key or "", existing=True)

    # --- watching, and the end -----------------------------------------------------------------------

    def _begin_to_watch(self) -> None:
        registration_id = self._registration_id
        # Reads that fail are repeated by the watch itself, which says so.
        at_once = Patience(0.0)
        reads = self._access.hub(HubService, at_once)
        asks = self._access.provisioning(at_once)

        def emit(event: ev.Event) -> None:
            if isinstance(event, ev.ReportedPatched):
                self._tally.add(TWINS, len(event.payload))
            self._emit(event)

        self._watch = self._service.watch = Watch(
            emit,
            registration_id=registration_id,
            device_id=self._device_id,
            hub=self.hub_host,
            registration=None if asks is None else lambda: asks.registration(registration_id),
            twin=self._telling(lambda: reads.device_twin(self._device_id)),
            existing=self._enroller is None,
            ours=self._settings.dut != EXTERNAL,
        )
        self._watch.start()

    def _telling(self, read: Callable[[], dict[str, Any]]) -> Callable[[], dict[str, Any]]:
        """Reads twins, and tells once what the webhook saw of the registration."""
        told = not self._asks_webhook

        def tell() -> dict[str, Any]:
            nonlocal told
            twin = read()
            body = None if told else request_in(twin, self._registration_id)
            if body is not None:
                told = True
                self._emit(ev.RegistrationRequested(self._registration_id, "", body))
            return twin

        return tell

    def _put_away(self) -> None:
        """Remove what was made, or note that it is to stay."""
        made = self._enroller.made if self._enroller else []
        if not made:
            return
        try:
            if self._settings.keep:
                for one in made:
                    self._ledger.keep(one)
                command = cleanup(self._settings.state, "--kept")
                self._say(f"Azure: kept {', '.join(map(str, made))}. `{command}` removes it.")
                return
            self._patience.stop.clear()
            self._patience.seconds = _REMOVING
            left = [r.said for r in remove_made(made, self._ledger, self._provisioning, self._service) if not r.done]
        except LedgerError as e:
            left = [str(e)]
        finally:
            self._service.close()
            if self._provisioning is not None:
                self._provisioning.close()
        if left:
            self._say("\n".join(["Azure: not all that was made is removed.", *left]))
            self._say(f"`{cleanup(self._settings.state)}` tries again.")


def _ids(settings: Settings, mark: str) -> tuple[str, str]:
    """Registration id and device id. A DPS is shared, so an id that nobody chose is one of this run alone."""
    if settings.device_id is not None:
        chosen = "registration-id" in settings.origins
        return settings.registration_id if chosen else settings.device_id, settings.device_id
    fixed = "registration-id" in settings.origins or settings.dut == EXTERNAL or settings.attestation == "tpm"
    made = settings.registration_id if fixed else f"{settings.registration_id}-{mark[:8]}"
    return made, made

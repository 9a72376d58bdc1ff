"""The local target: our own DPS and IoT Hub on this machine."""

from __future__ import annotations

from collections.abc import Callable

from harness.device.credentials import Credentials
from harness.emulator import Emulator, EmulatorError, EmulatorOptions
from harness.record.events import Event, HarnessFailed
from harness.settings import EXTERNAL, Settings
from harness.target import TargetError
from harness.target.identity import Identity, lasting
from harness.target.service import HubService

_ATTESTATIONS = ("symmetric-key",)


class LocalTarget:
    """Runs the emulator in a thread of this process."""

    name = "local"
    observes = ("wire", "dps-payload", "telemetry", "twin", "commands", "faults")

    def __init__(self, settings: Settings, emit: Callable[[Event], None]) -> None:
        if settings.attestation not in _ATTESTATIONS:
            raise TargetError(
                f"The local target of this version has no {settings.attestation} attestation. "
                "Use --attestation symmetric-key."
            )

        def failed(where: str, error: BaseException) -> None:
            emit(HarnessFailed(where, f"{type(error).__name__}: {error}"))

        self._identity = _identity(settings)
        self._emulator = Emulator(
            address=settings.listen,
            state_dir=settings.state,
            emit=emit,
            options=EmulatorOptions(id_scope=self._identity.id_scope),
            on_error=failed,
        )
        self._service: HubService | None = None

    def open(self) -> dict[str, str]:
        try:
            self._endpoints = self._emulator.start()
        except EmulatorError as e:
            raise TargetError(str(e)) from None
        ends = self._endpoints
        return {
            "dps": ends.dps_host,
            "hub": ends.hub_host,
            "service": ends.service_host,
            "id-scope": ends.id_scope,
        }

    def enroll(self) -> Credentials:
        identity = self._identity
        enrollment = self._emulator.enroll(
            identity.registration_id, primary_key=identity.primary_key, secondary_key=identity.secondary_key
        )
        return Credentials(
            registration_id=enrollment.registration_id,
            id_scope=self._endpoints.id_scope,
            dps_endpoint=self._endpoints.dps_host,
            primary_key=identity.primary_key,
            ca_path=self._endpoints.ca_path,
            secrets=(identity.secondary_key, _shared_access_key(self._endpoints.hub_connection_string)),
        )

    def service(self) -> HubService:
        if self._service is None:
            self._service = HubService(self._endpoints.hub_connection_string, self._endpoints.ca_path)
        return self._service

    def close(self) -> None:
        if self._service is not None:
            self._service.close()
        self._emulator.stop()


def _identity(settings: Settings) -> Identity:
    if settings.dut != EXTERNAL:
        return Identity(settings.registration_id)
    try:
        return lasting(settings.state, settings.registration_id)
    except OSError as e:
        raise TargetError(
            f"The device's identity could not be kept in {settings.state}: {e.strerror or e}. "
            "Name another folder with --state DIR."
        ) from None


def _shared_access_key(connection_string: str) -> str:
    return connection_string.rpartition("SharedAccessKey=")[2]

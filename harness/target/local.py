"""The local target: our own DPS and IoT Hub on this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from harness.device.credentials import Credentials, DeviceCertificate
from harness.dtdl import Capability
from harness.emulator import Emulator, EmulatorError, EmulatorOptions
from harness.emulator.options import AMQP_PORT
from harness.record.events import Event, HarnessFailed
from harness.settings import EXTERNAL, Settings
from harness.target import TargetError
from harness.target.desk import LocalDesk
from harness.target.identity import (
    Identity,
    lasting,
    lasting_certificate,
    not_kept,
    passing_certificate,
    remove,
    secrets_of,
)
from harness.target.service import HubService


class LocalTarget:
    """Runs the emulator in a thread of this process."""

    name = "local"
    observes = ("wire", "dps-payload", "telemetry", "twin", "commands", "faults")

    def __init__(self, settings: Settings, emit: Callable[[Event], None]) -> None:
        def failed(where: str, error: BaseException) -> None:
            emit(HarnessFailed(where, f"{type(error).__name__}: {error}"))

        self._settings = settings
        self._identity = _identity(settings)
        self._certificate: DeviceCertificate | None = None
        self._emulator = Emulator(
            address=settings.listen,
            state_dir=settings.state,
            emit=emit,
            options=EmulatorOptions(id_scope=self._identity.id_scope, amqp_refusal_port=AMQP_PORT),
            on_error=failed,
        )
        self._desk = LocalDesk(self._emulator)
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

    def estimate(self, capabilities: Sequence[Capability]) -> None:
        """Nothing costs anything here."""

    spent = ""

    def enroll(self) -> Credentials:
        known = Credentials(
            registration_id=self._identity.registration_id,
            id_scope=self._endpoints.id_scope,
            dps_endpoint=self._endpoints.dps_host,
            ca_path=self._endpoints.ca_path,
            secrets=(_shared_access_key(self._endpoints.hub_connection_string),),
        )
        by = {"symmetric-key": self._by_key, "x509": self._by_certificate, "tpm": self._by_tpm}
        try:
            return by[self._settings.attestation](known)
        except EmulatorError as e:
            raise TargetError(str(e)) from None
        except OSError as e:
            raise not_kept(self._settings.state, e) from None

    def service(self) -> HubService:
        if self._service is None:
            self._service = HubService(self._endpoints.hub_connection_string, self._endpoints.ca_path, direct=True)
        return self._service

    @property
    def faults(self) -> LocalDesk:
        return self._desk

    def close(self) -> None:
        if self._service is not None:
            self._service.close()
        self._emulator.stop()
        if self._certificate is not None and self._settings.dut != EXTERNAL:
            remove(self._certificate)

    # --- the attestations ----------------------------------------------------------------------------

    def _by_key(self, known: Credentials) -> Credentials:
        primary, secondary = self._identity.primary_key, self._identity.secondary_key
        self._emulator.enroll(known.registration_id, primary_key=primary, secondary_key=secondary)
        return replace(known, primary_key=primary, secrets=(*known.secrets, secondary))

    def _by_certificate(self, known: Credentials) -> Credentials:
        make = lasting_certificate if self._settings.dut == EXTERNAL else passing_certificate
        self._certificate = made = make(self._settings.state, known.registration_id)
        self._emulator.enroll_x509(known.registration_id, made.certificate.read_bytes())
        return replace(known, certificate=made, secrets=(*known.secrets, *secrets_of(made)))

    def _by_tpm(self, known: Credentials) -> Credentials:
        if self._endpoints.https_port is None:
            raise TargetError(
                "A device with a TPM registers over HTTPS, for DPS takes no TPM over MQTT, and the local target has "
                f"no HTTPS here. {self._endpoints.https_hint}"
            )
        try:
            self._emulator.enroll_tpm(known.registration_id, self._settings.endorsement_key or "")
        except EmulatorError as e:
            raise TargetError(f"--endorsement-key cannot be enrolled. {e}") from None
        return known


def _identity(settings: Settings) -> Identity:
    if settings.dut != EXTERNAL:
        return Identity(settings.registration_id)
    try:
        return lasting(settings.state, settings.registration_id)
    except OSError as e:
        raise not_kept(settings.state, e) from None


def _shared_access_key(connection_string: str) -> str:
    return connection_string.rpartition("SharedAccessKey=")[2]

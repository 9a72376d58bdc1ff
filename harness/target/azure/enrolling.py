"""Enrolling the device under test in a DPS of Azure, by each attestation. What is made is noted before it is made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.azure.ledger import DEVICE, ENROLLMENT, GROUP, REGISTRATION, Ledger, LedgerError, Made
from harness.azure.provisioning import Provisioning, ProvisioningError
from harness.device.credentials import Credentials, DeviceCertificate
from harness.emulator.tokens import derive_key
from harness.settings import EXTERNAL, Settings
from harness.target import TargetError
from harness.target.identity import Identity, lasting, lasting_certificate, passing_certificate, secrets_of


class Enroller:
    """Makes the enrollment of one device. `made` and `certificate` are what there is of it so far."""

    def __init__(
        self,
        settings: Settings,
        provisioning: Provisioning,
        ledger: Ledger,
        mark: str,
        *,
        registration_id: str,
        device_id: str,
        hub_host: str,
        service_host: str,
    ) -> None:
        self._settings = settings
        self._provisioning = provisioning
        self._ledger = ledger
        self._mark = mark
        self._registration_id = registration_id
        self._device_id = device_id
        self._hub_host = hub_host
        self._service_host = service_host
        self.made: list[Made] = []
        self.certificate: DeviceCertificate | None = None

    def enroll(self, known: Credentials) -> Credentials:
        """The credentials with those of the device. Raises TargetError, OSError."""
        by = {"symmetric-key": self._by_key, "x509": self._by_certificate, "tpm": self._by_tpm}
        try:
            return by[self._settings.attestation](known)
        except ProvisioningError as e:
            raise TargetError(self._not_enrolled(e)) from None
        except LedgerError as e:
            raise TargetError(str(e)) from None

    def taken(self, what: str) -> str:
        """The sentence about an enrollment or a registration (`what`) of somebody else's."""
        return (
            f"DPS has {what} {self._registration_id} already, which the pre-flight did not make. Choose another "
            f"id with --registration-id ID, or test the device that it is for with --device-id ID --registration-id "
            f"{self._registration_id}."
        )

    def _by_key(self, known: Credentials) -> Credentials:
        settings = self._settings
        if settings.dut == EXTERNAL:
            # A person enters these once.
            identity = lasting(settings.state / "azure", self._registration_id)
        else:
            identity = Identity(self._registration_id)
        primary, secondary = identity.primary_key, identity.secondary_key
        keys = {"type": "symmetricKey", "symmetricKey": {"primaryKey": primary, "secondaryKey": secondary}}
        if settings.enrollment == "group":
            self._enroll_group(keys)
            derived = derive_key(primary, self._registration_id)
            return replace(known, primary_key=derived, secrets=(*known.secrets, primary, secondary))
        self._enroll(keys)
        return replace(known, primary_key=primary, secrets=(*known.secrets, secondary))

    def _by_certificate(self, known: Credentials) -> Credentials:
        settings = self._settings
        if settings.dut == EXTERNAL:
            made = lasting_certificate(settings.state / "azure", self._registration_id)
        else:
            made = passing_certificate(settings.state, self._registration_id)
        self.certificate = made
        text = made.certificate.read_text(encoding="ascii")
        self._enroll({"type": "x509", "x509": {"clientCertificates": {"primary": {"certificate": text}}}})
        return replace(known, certificate=made, secrets=(*known.secrets, *secrets_of(made)))

    def _by_tpm(self, known: Credentials) -> Credentials:
        self._enroll({"type": "tpm", "tpm": {"endorsementKey": self._settings.endorsement_key or ""}})
        return known

    def _enroll(self, attestation: dict[str, Any]) -> None:
        self._note(ENROLLMENT, self._registration_id, through=self._registration_id)
        self._provisioning.enroll(
            self._registration_id,
            attestation,
            device_id=self._device_id,
            hub=self._hub_host,
            mark=self._mark,
            webhook=self._settings.webhook,
        )

    def _enroll_group(self, attestation: dict[str, Any]) -> None:
        group = f"preflight-{self._mark}"
        self._note(GROUP, group, through=group)
        self._provisioning.enroll_group(
            group, attestation, hub=self._hub_host, mark=self._mark, webhook=self._settings.webhook
        )

    def _note(self, kind: str, name: str, *, through: str) -> None:
        """All that will come of an enrollment, before there is any of it."""
        rows = (
            (kind, name, self._provisioning.host),
            (REGISTRATION, self._registration_id, self._provisioning.host),
            (DEVICE, self._device_id, self._service_host),
        )
        self.made = [Made(k, i, host, self._mark, through=through) for k, i, host in rows]
        self._ledger.note(*self.made)

    def _not_enrolled(self, error: ProvisioningError) -> str:
        if error.status == 409:
            return self.taken("an enrollment")
        if error.status == 400:
            return (
                f"DPS did not take the enrollment: {error} See that the hub {self._hub_host} is linked to this DPS "
                "instance (its page, Linked IoT hubs)."
            )
        return f"The device could not be enrolled. {error}"

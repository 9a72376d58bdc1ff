"""The service side of DPS, on Microsoft's azure-iot-deviceprovisioning: enrollments and registrations.

Everything goes by the id of one device or group: what belongs to others is neither listed nor read.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from harness.azure import words
from harness.azure.connection_strings import DpsConnection
from harness.azure.cost import DPS, Tally
from harness.azure.ledger import MARK
from harness.azure.registering import definition
from harness.azure.retrying import BUSY, Again, Patience, seconds_of

T = TypeVar("T")

INSTALL = "Install what Azure needs: python -m pip install 'pnp-preflight[azure]'"
_CONNECT, _READ = 10.0, 30.0
"""Seconds for a connection and for an answer."""


class ProvisioningError(Exception):
    """A call of DPS failed. `status` is the HTTP status (None without an answer), `code` the service's error code."""

    def __init__(self, message: str, status: int | None = None, code: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Provisioning:
    """Blocking calls of one DPS instance; each raises ProvisioningError.

    `login` is a credential of azure-identity, used where there is no `connection`.
    """

    def __init__(
        self,
        connection: DpsConnection | None,
        ca_path: Path | None,
        *,
        host: str = "",
        login: Any = None,
        patience: Patience | None = None,
        tally: Tally | None = None,
    ) -> None:
        self.host = connection.host if connection else host
        self._connection = connection
        self._login = login
        self._ca_path = ca_path
        self._patience = patience or Patience()
        self._tally = tally or Tally()

    def close(self) -> None:
        """Close the connection to DPS."""
        client = self.__dict__.pop("_client", None)
        if client is not None:
            client.close()

    # --- enrollments ---------------------------------------------------------------------------------

    def enrollment(self, registration_id: str) -> dict[str, Any] | None:
        """An individual enrollment without its keys; None where there is none."""
        return self._found(lambda c: c.enrollment.get(registration_id), "EnrollmentRead")

    def group(self, group_id: str) -> dict[str, Any] | None:
        """An enrollment group without its keys; None where there is none."""
        return self._found(lambda c: c.enrollment_group.get(group_id), "EnrollmentRead")

    def key(self, registration_id: str) -> str | None:
        """The primary key of an individual enrollment; None where it is attested otherwise."""
        mechanism = self._call(lambda c: c.enrollment.get_attestation_mechanism(registration_id), "EnrollmentWrite")
        return (mechanism.get("symmetricKey") or {}).get("primaryKey") or None

    def enroll(
        self,
        registration_id: str,
        attestation: Mapping[str, Any],
        *,
        device_id: str,
        hub: str,
        mark: str,
        webhook: str | None = None,
    ) -> None:
        """Make an individual enrollment, for this hub alone. A webhook is asked for it, and may note what it saw."""
        named = {"registrationId": registration_id, "deviceId": device_id}
        document = {**named, **_document(attestation, hub, mark, webhook)}
        self._call(lambda c: c.enrollment.create_or_update(registration_id, document), "EnrollmentWrite")

    def enroll_group(
        self, group_id: str, attestation: Mapping[str, Any], *, hub: str, mark: str, webhook: str | None = None
    ) -> None:
        """Make an enrollment group, for this hub alone."""
        document = {"enrollmentGroupId": group_id, **_document(attestation, hub, mark, webhook)}
        self._call(lambda c: c.enrollment_group.create_or_update(group_id, document), "EnrollmentWrite")

    def remove(self, registration_id: str) -> None:
        """Remove an individual enrollment; one that is gone is as good."""
        self._found(lambda c: c.enrollment.delete(registration_id), "EnrollmentWrite")

    def remove_group(self, group_id: str) -> None:
        """Remove an enrollment group; one that is gone is as good."""
        self._found(lambda c: c.enrollment_group.delete(group_id), "EnrollmentWrite")

    # --- registrations -------------------------------------------------------------------------------

    def registration(self, registration_id: str) -> dict[str, Any] | None:
        """What became of a device's registration; None where it never registered."""
        return self._found(lambda c: c.device_registration_state.get(registration_id), "RegistrationRead")

    def remove_registration(self, registration_id: str) -> None:
        """Remove a registration record; one that is gone is as good."""
        self._found(lambda c: c.device_registration_state.delete(registration_id), "RegistrationWrite")

    # --- inside --------------------------------------------------------------------------------------

    def _found(self, call: Callable[[Any], T], right: str) -> T | None:
        try:
            return self._call(call, right)
        except ProvisioningError as e:
            if e.status == 404:
                return None
            raise

    def _call(self, call: Callable[[Any], T], right: str) -> T:
        def once() -> T:
            try:
                result = call(self._client)
            except Exception as e:
                if getattr(e, "status_code", None) in BUSY:
                    self._tally.refuse()
                raise
            self._tally.add(DPS)
            return result

        from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

        try:
            return self._patience.carry_out(once, _passing)
        except HttpResponseError as e:
            if e.response is None:
                raise ProvisioningError(f"{words.LOGIN} failed: {_first_line(e)}") from None
            raise self._refused(e, right) from None
        except ClientAuthenticationError as e:
            raise ProvisioningError(f"{words.LOGIN} failed: {_first_line(e)}") from None
        except AzureError as e:
            raise ProvisioningError(words.unreachable(self.host, e)) from None
        except (ValueError, TypeError, AttributeError) as e:
            raise ProvisioningError(f"the answer of {self.host} could not be read: {e}") from None

    def _refused(self, error: Any, right: str) -> ProvisioningError:
        status, code, message = error.status_code, None, ""
        try:
            body = json.loads(error.response.text())
            code, message = body.get("errorCode"), str(body.get("message") or body.get("Message") or "")
        except (ValueError, AttributeError, TypeError):
            message = str(error.reason or "")
        code = code if isinstance(code, int) else None
        who = f"policy {self._connection.policy}" if self._connection else words.LOGIN
        return ProvisioningError(words.refusal(status, code, message, right=right, who=who), status, code)

    @functools.cached_property
    def _client(self) -> Any:
        try:
            from azure.iot.deviceprovisioning import DeviceProvisioningClient
        except ImportError:
            raise ProvisioningError(INSTALL) from None
        settings: dict[str, Any] = {
            "retry_total": 0,  # `Patience` does, and counts
            "connection_timeout": _CONNECT,
            "read_timeout": _READ,
            "logging_enable": False,
        }
        if self._ca_path is not None:
            settings["connection_verify"] = str(self._ca_path)
        if self._connection is not None:
            return DeviceProvisioningClient.from_connection_string(self._connection.text, **settings)
        return DeviceProvisioningClient(endpoint=self.host, credential=self._login, **settings)


def marked(enrollment: Mapping[str, Any] | None) -> str | None:
    """The mark of an enrollment or enrollment group; None of those that the harness did not make."""
    twin = (enrollment or {}).get("initialTwin") or {}
    found = (twin.get("tags") or {}).get(MARK)
    return found if isinstance(found, str) else None


def _document(attestation: Mapping[str, Any], hub: str, mark: str, webhook: str | None) -> dict[str, Any]:
    asked = {"customAllocationDefinition": definition(webhook, mark)} if webhook else {}
    return {
        "attestation": dict(attestation),
        "iotHubs": [hub],
        "allocationPolicy": "custom" if webhook else "static",
        **asked,
        "provisioningStatus": "enabled",
        "initialTwin": {"tags": {MARK: mark}, "properties": {"desired": {}}},
        "reprovisionPolicy": {"updateHubAssignment": True, "migrateDeviceData": True},
    }


def _passing(error: Exception) -> Again | None:
    from azure.core.exceptions import HttpResponseError, ServiceRequestError, ServiceResponseError

    if isinstance(error, HttpResponseError) and error.response is not None:
        if error.status_code not in BUSY:
            return None
        response: Any = error.response
        return Again(seconds_of(response.headers.get("Retry-After")))
    if isinstance(error, (ServiceRequestError, ServiceResponseError)):
        return Again() if words.may_pass(error) else None
    return None


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:300]

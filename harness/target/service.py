"""The service side of a hub, on Microsoft's azure-iot-hub: the same calls against the emulator and Azure."""

from __future__ import annotations

import functools
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.azure import words
from harness.azure.cost import C2D, COMMANDS, FEEDBACK, REGISTRY, TWINS, Tally
from harness.azure.retrying import BUSY, Patience
from harness.target import sdk


class ServiceError(Exception):
    """A service call failed. `status` is the HTTP status (None without an answer), `code` the hub's error code."""

    def __init__(self, message: str, status: int | None = None, code: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """The device's answer to a command: `status` as it chose it, `payload` decoded (None when empty)."""

    status: int
    payload: Any


class HubService:
    """Blocking calls; each raises ServiceError. Azure's own trust store is used when `ca_path` is None.

    `login` is a credential of azure-identity, for a hub that is named by its `host` alone. Throttled calls are made
    again, and those that found no network, but for commands and messages that may have gone out; see `patience`.
    `direct` is for a hub on this machine, which the proxy that the environment names would not find.
    """

    def __init__(
        self,
        connection_string: str,
        ca_path: Path | None,
        *,
        host: str = "",
        login: Any = None,
        patience: Patience | None = None,
        tally: Tally | None = None,
        direct: bool = False,
    ) -> None:
        self._direct = direct
        self._connection_string = connection_string
        self._ca_path = ca_path
        self._login = login
        self._patience = patience or Patience()
        self._tally = tally or Tally()
        self.host = host or _part(connection_string, "HostName")
        policy = _part(connection_string, "SharedAccessKeyName")
        self._who = words.LOGIN if login is not None else f"policy {policy}" if policy else ""

    def warm_up(self) -> None:
        """Import the SDK and make the client now: it takes half a second that a starting device leaves free."""
        _ = self._operations

    def close(self) -> None:
        """Close the connection to the hub."""
        operations = self.__dict__.pop("_operations", None)
        if operations is not None:
            operations.close()

    def has_device(self, device_id: str) -> bool:
        """Whether the hub knows a device of this id."""
        try:
            self._call(lambda o: o.devices.get_identity(device_id), REGISTRY, "RegistryRead")
        except ServiceError as e:
            if e.status == 404:
                return False
            raise
        return True

    def query_twins(self, query: str) -> list[dict[str, Any]]:
        """All twins that a query of the hub's language finds, as JSON; what it finds may be some seconds old."""
        found: list[dict[str, Any]] = []
        more: str | None = None
        while True:
            page = self._call(functools.partial(sdk.query, query, more), TWINS, "RegistryRead")
            found += page.twins
            more = page.more
            if more is None:
                return found

    def delete_device(self, device_id: str) -> None:
        """Remove a device from the hub; one that is gone is as good."""
        try:
            self._call(lambda o: o.devices.delete_identity(device_id, if_match='"*"'), REGISTRY, "RegistryWrite")
        except ServiceError as e:
            if e.status != 404:
                raise

    def device_twin(self, device_id: str) -> dict[str, Any]:
        """The device twin as JSON."""
        twin: dict[str, Any] = self._call(lambda o: sdk.sized(o.devices.get_twin(device_id, raw=True).response), TWINS)
        return twin

    def digital_twin(self, device_id: str) -> dict[str, Any]:
        """The digital twin as JSON, with the model id in `$metadata.$model`."""

        def call(o: Any) -> sdk.Sized:
            return sdk.sized(o.digital_twin.get_digital_twin(device_id, raw=True).response)

        twin: dict[str, Any] = self._call(call, TWINS)
        return twin

    def set_desired(self, device_id: str, patch: dict[str, Any]) -> int:
        """Merge into the desired properties; the new desired `$version`."""
        twin = {"properties": {"desired": patch}}
        size = len(json.dumps(patch))
        updated = self._call(
            lambda o: sdk.Sized(o.devices.update_twin(device_id, twin, raw=True).response.json(), size), TWINS
        )
        return int(updated["properties"]["desired"]["$version"])

    def invoke_command(
        self,
        device_id: str,
        component: str | None,
        name: str,
        payload: Any,
        *,
        connect_timeout: float,
        response_timeout: float,
    ) -> CommandAnswer:
        """Invoke a command of the root or of a component; `payload` None sends an empty request. Seconds."""
        limits: dict[str, Any] = {
            "connect_timeout_in_seconds": round(connect_timeout),
            "response_timeout_in_seconds": round(response_timeout),
            "timeout": (sdk.CONNECT, connect_timeout + response_timeout + sdk.READ),
        }
        status, answer = self._call(
            lambda o: sdk.invoke(o, device_id, component, name, payload, limits), COMMANDS, once=True
        )
        return CommandAnswer(status, answer)

    def send_c2d(self, device_id: str, payload: bytes, message_id: str) -> None:
        """Queue a cloud-to-device message and ask for full feedback."""
        self._call(lambda o: sdk.send_c2d(o, device_id, payload, message_id), C2D, once=True)

    def c2d_feedback(self, device_id: str, message_id: str, seconds: float) -> list[str]:
        """What became of a message (Success, Expired ...): asked for once a second until told, or until `seconds`
        are over.

        The queue of feedback is the whole hub's, and gives a batch a few times only. One that holds nothing of this
        message is given back, and the queue left to its reader: then the message counts as taken (Success) when the
        device's own queue is empty.
        """
        pause = threading.Event()
        ends = time.monotonic() + seconds
        shared = False
        while True:
            if shared:
                found = [] if self.device_twin(device_id).get("cloudToDeviceMessageCount") else ["Success"]
            else:
                found, shared = self._call(lambda o: sdk.feedback(o, message_id), FEEDBACK)
            if found or time.monotonic() >= ends:
                return found
            pause.wait(1.0)

    @functools.cached_property
    def _operations(self) -> Any:
        return sdk.connect(self._connection_string, self.host, self._login, self._ca_path, direct=self._direct)

    def _call(self, call: Callable[[Any], Any], what: str, right: str = "ServiceConnect", *, once: bool = False) -> Any:
        """`what` it is counted as. What may be done `once` only is not done again where it may have gone out."""
        from azure.core.exceptions import AzureError
        from msrest.exceptions import ClientException, HttpOperationError

        def attempt() -> Any:
            try:
                result = call(self._operations)
            except HttpOperationError as e:
                self._count(what, e)
                raise
            if isinstance(result, sdk.Sized):
                self._tally.add(what, result.size)
                return result.value
            self._tally.add(what, *((0, 0) if what == COMMANDS else ()))
            return result

        try:
            return self._patience.carry_out(attempt, lambda e: sdk.passing(e, once))
        except HttpOperationError as e:
            raise ServiceError(*sdk.refusal(e, right, self._who)) from None
        except ClientException as e:
            raise ServiceError(words.unreachable(f"the hub's service endpoint {self.host}", e)) from None
        except AzureError as e:
            raise ServiceError(f"{words.LOGIN} failed: {str(e).partition(chr(10))[0][:300]}") from None
        except (ValueError, KeyError, TypeError) as e:
            raise ServiceError(f"the hub's answer could not be read: {e}") from None

    def _count(self, what: str, error: Any) -> None:
        """A call that was refused: of a command to a device that is not there the hub counts both messages."""
        status = getattr(error.response, "status_code", None)
        if status in BUSY:
            self._tally.refuse()
        elif what == COMMANDS and status in (404, 504):
            self._tally.add(what, 0, 0)
        else:
            self._tally.add(what)


def _part(connection_string: str, name: str) -> str:
    """A part of a connection string that was read before; empty where it has none."""
    parts = (piece.strip().partition("=") for piece in connection_string.split(";"))
    return next((value for key, _, value in parts if key.lower() == name.lower()), "")

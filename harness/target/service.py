"""The service side of a hub, on Microsoft's azure-iot-hub: the same calls against the emulator and Azure."""

from __future__ import annotations

import functools
import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from harness.azure import words
from harness.azure.cost import C2D, COMMANDS, FEEDBACK, REGISTRY, TWINS, Tally
from harness.azure.retrying import BUSY, Again, Patience, seconds_of

_CONNECT, _READ = 10.0, 30.0
"""Seconds for a connection, and for an answer beyond what a command may take."""
_PAGE = "1000"
"""Twins in a page of a query."""
_CODE = re.compile(r"\b([1-5]\d{5})\b")


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
    ) -> None:
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
            page = self._call(functools.partial(_query, query, more), TWINS, "RegistryRead")
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
        twin: dict[str, Any] = self._call(lambda o: _sized(o.devices.get_twin(device_id, raw=True).response), TWINS)
        return twin

    def digital_twin(self, device_id: str) -> dict[str, Any]:
        """The digital twin as JSON, with the model id in `$metadata.$model`."""

        def call(o: Any) -> _Sized:
            return _sized(o.digital_twin.get_digital_twin(device_id, raw=True).response)

        twin: dict[str, Any] = self._call(call, TWINS)
        return twin

    def set_desired(self, device_id: str, patch: dict[str, Any]) -> int:
        """Merge into the desired properties; the new desired `$version`."""
        twin = {"properties": {"desired": patch}}
        size = len(json.dumps(patch))
        updated = self._call(
            lambda o: _Sized(o.devices.update_twin(device_id, twin, raw=True).response.json(), size), TWINS
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
            "timeout": (_CONNECT, connect_timeout + response_timeout + _READ),
        }

        def call(o: Any) -> CommandAnswer:
            if payload is None:
                return _invoke_without_payload(o.digital_twin, device_id, component, name, limits)
            if component:
                raw = o.digital_twin.invoke_component_command(device_id, component, name, payload, raw=True, **limits)
            else:
                raw = o.digital_twin.invoke_root_level_command(device_id, name, payload, raw=True, **limits)
            return CommandAnswer(_command_status(raw.response), raw.output)

        answer: CommandAnswer = self._call(call, COMMANDS, once=True)
        return answer

    def send_c2d(self, device_id: str, payload: bytes, message_id: str) -> None:
        """Queue a cloud-to-device message and ask for full feedback.

        The SDK sends these over AMQP only; this is the same hub's HTTPS call, through the SDK's own client.
        """

        def call(o: Any) -> None:
            client = o.digital_twin._client
            url = client.format_url("/devices/{id}/messages/deviceBound", id=quote(device_id, safe=""))
            headers = {
                "iothub-messageid": message_id,
                "iothub-ack": "full",
                "Content-Type": "application/octet-stream",
            }
            request = client.post(url, {"api-version": o.api_version}, headers, content=payload)
            response = client.send(request, stream=False)
            if response.status_code not in (200, 201, 204):
                raise _refused(o, response)

        self._call(call, C2D, once=True)

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
                found, shared = self._call(lambda o: _feedback(o, message_id), FEEDBACK)
            if found or time.monotonic() >= ends:
                return found
            pause.wait(1.0)

    @functools.cached_property
    def _operations(self) -> Any:
        from azure.iot.hub import DigitalTwinClient

        if self._login is not None:
            operations = DigitalTwinClient.from_token_credential(self.host, self._login).protocol
        else:
            operations = DigitalTwinClient.from_connection_string(self._connection_string).protocol
        operations.config.keep_alive = True  # otherwise the SDK makes a TLS connection for each call
        operations.config.connection.timeout = (_CONNECT, _READ)
        operations.config.retry_policy.retries = 0  # `Patience` tries again, and reads how long the hub asks to wait
        operations.config.retry_policy.policy.status_forcelist = []
        if self._ca_path is not None:
            operations.config.connection.verify = str(self._ca_path)
        return operations

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
            if isinstance(result, _Sized):
                self._tally.add(what, result.size)
                return result.value
            self._tally.add(what, *((0, 0) if what == COMMANDS else ()))
            return result

        try:
            return self._patience.carry_out(attempt, lambda e: _passing(e, once))
        except HttpOperationError as e:
            raise _service_error(e, right, self._who) from None
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


def _invoke_without_payload(
    operations: Any, device_id: str, component: str | None, name: str, limits: dict[str, Any]
) -> CommandAnswer:
    """The SDK's own command calls insist on a payload, which a command without a request has not."""
    from msrest.exceptions import HttpOperationError

    operation = operations.invoke_component_command if component else operations.invoke_root_level_command
    client = operations._client
    names = {"id": device_id, "componentPath": component, "commandName": name}
    url = client.format_url(operation.metadata["url"], **{k: quote(v, safe="") for k, v in names.items() if v})
    query = {
        "api-version": operations.api_version,
        "connectTimeoutInSeconds": str(limits["connect_timeout_in_seconds"]),
        "responseTimeoutInSeconds": str(limits["response_timeout_in_seconds"]),
    }
    request = client.post(url, query, {"Accept": "application/json"})
    response = client.send(request, stream=False, timeout=limits["timeout"])
    if response.status_code != 200:
        raise HttpOperationError(operations._deserialize, response)
    return CommandAnswer(_command_status(response), json.loads(response.text) if response.text.strip() else None)


@dataclass(frozen=True, slots=True)
class _Page:
    twins: list[dict[str, Any]]
    more: str | None


def _query(query: str, more: str | None, operations: Any) -> _Page:
    from azure.iot.hub.models import QuerySpecification

    response = operations.query.get_twins(QuerySpecification(query=query), more, _PAGE, raw=True).response
    return _Page(json.loads(response.text), response.headers.get("x-ms-continuation"))


def _feedback(operations: Any, message_id: str) -> tuple[list[str], bool]:
    """Take one batch; one that holds anything of another message is given back, for its reader is somebody else.

    What it said of this message, and whether it held nothing of it.
    """
    messages = operations.cloud_to_device_messages
    response = messages.receive_feedback_notification(raw=True).response
    if response.status_code == 204:
        return [], False
    token = response.headers.get("ETag", "").strip('"')
    records = json.loads(response.text)
    found = [r["statusCode"] for r in records if r.get("originalMessageId") == message_id]
    if found and len(found) == len(records):
        messages.complete_feedback_notification(token)
    else:
        messages.abandon_feedback_notification(token)
    return found, not found


@dataclass(frozen=True, slots=True)
class _Sized:
    """An answer, and how many bytes it had."""

    value: Any
    size: int


def _sized(response: Any) -> _Sized:
    return _Sized(response.json(), len(response.content))


def _passing(error: Exception, once: bool) -> Again | None:
    """Whether a failure may pass: a busy hub, or a network that is not there."""
    from msrest.exceptions import ClientException, HttpOperationError

    if isinstance(error, HttpOperationError):
        if getattr(error.response, "status_code", None) not in BUSY:
            return None
        return Again(seconds_of(error.response.headers.get("Retry-After")))
    if isinstance(error, ClientException):
        passes = words.never_sent(error) and words.may_pass(error) if once else words.may_pass(error)
        return Again() if passes else None
    return None


def _refused(operations: Any, response: Any) -> Exception:
    from msrest.exceptions import HttpOperationError

    return HttpOperationError(operations._deserialize, response)


def _part(connection_string: str, name: str) -> str:
    """A part of a connection string that was read before; empty where it has none."""
    parts = (piece.strip().partition("=") for piece in connection_string.split(";"))
    return next((value for key, _, value in parts if key.lower() == name.lower()), "")


def _command_status(response: Any) -> int:
    return int(response.headers.get("x-ms-command-statuscode", response.status_code))


def _service_error(error: Any, right: str, who: str) -> ServiceError:
    """Unpack Azure's error body: `Message` is a text with an error name, or JSON in a string."""
    status = getattr(error.response, "status_code", None)
    text = getattr(error.response, "text", "") or ""
    if callable(text):
        text = text()
    message, code = text, None
    try:
        body = json.loads(text)
        message = str(body.get("Message") or body.get("message") or text)
        inner = json.loads(message)
        message, code = str(inner.get("message", message)), inner.get("errorCode")
    except (ValueError, AttributeError):
        found = _CODE.search(message)
        code = int(found.group(1)) if found else None
    return ServiceError(words.refusal(status, code, message, right=right, who=who), status, code)

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
from typing import Any, TypeVar
from urllib.parse import quote

T = TypeVar("T")

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
    """Blocking calls; each raises ServiceError. Azure's own trust store is used when `ca_path` is None."""

    def __init__(self, connection_string: str, ca_path: Path | None) -> None:
        self._connection_string = connection_string
        self._ca_path = ca_path

    def warm_up(self) -> None:
        """Import the SDK and make the client now: it takes half a second that a starting device leaves free."""
        _ = self._operations

    def close(self) -> None:
        """Close the connection to the hub."""
        operations = self.__dict__.pop("_operations", None)
        if operations is not None:
            operations.close()

    def device_twin(self, device_id: str) -> dict[str, Any]:
        """The device twin as JSON."""
        return self._call(lambda o: o.devices.get_twin(device_id, raw=True).response.json())

    def digital_twin(self, device_id: str) -> dict[str, Any]:
        """The digital twin as JSON, with the model id in `$metadata.$model`."""
        return self._call(lambda o: o.digital_twin.get_digital_twin(device_id))

    def set_desired(self, device_id: str, patch: dict[str, Any]) -> int:
        """Merge into the desired properties; the new desired `$version`."""
        twin = {"properties": {"desired": patch}}
        updated = self._call(lambda o: o.devices.update_twin(device_id, twin, raw=True).response.json())
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
        limits = {
            "connect_timeout_in_seconds": round(connect_timeout),
            "response_timeout_in_seconds": round(response_timeout),
        }

        def call(o: Any) -> CommandAnswer:
            if payload is None:
                return _invoke_without_payload(o.digital_twin, device_id, component, name, limits)
            if component:
                raw = o.digital_twin.invoke_component_command(device_id, component, name, payload, raw=True, **limits)
            else:
                raw = o.digital_twin.invoke_root_level_command(device_id, name, payload, raw=True, **limits)
            return CommandAnswer(_command_status(raw.response), raw.output)

        return self._call(call)

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

        self._call(call)

    def c2d_feedback(self, message_id: str, seconds: float) -> list[str]:
        """What became of a message (Success, Expired ...): asked for once a second until told, or until `seconds`
        are over. Feedback on other messages is left for its reader.
        """
        pause = threading.Event()
        ends = time.monotonic() + seconds
        while True:
            found = self._call(lambda o: _feedback(o, message_id))
            if found or time.monotonic() >= ends:
                return found
            pause.wait(1.0)

    @functools.cached_property
    def _operations(self) -> Any:
        from azure.iot.hub import DigitalTwinClient

        operations = DigitalTwinClient.from_connection_string(self._connection_string).protocol
        operations.config.keep_alive = True  # otherwise the SDK makes a TLS connection for each call
        if self._ca_path is not None:
            operations.config.connection.verify = str(self._ca_path)
        return operations

    def _call(self, call: Callable[[Any], T]) -> T:
        from msrest.exceptions import ClientException, HttpOperationError

        try:
            return call(self._operations)
        except HttpOperationError as e:
            raise _service_error(e) from None
        except ClientException as e:
            raise ServiceError(f"the hub's service endpoint could not be reached: {e}") from None
        except (ValueError, KeyError, TypeError) as e:
            raise ServiceError(f"the hub's answer could not be read: {e}") from None


def _invoke_without_payload(
    operations: Any, device_id: str, component: str | None, name: str, limits: dict[str, int]
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
    response = client.send(client.post(url, query, {"Accept": "application/json"}), stream=False)
    if response.status_code != 200:
        raise HttpOperationError(operations._deserialize, response)
    return CommandAnswer(_command_status(response), json.loads(response.text) if response.text.strip() else None)


def _feedback(operations: Any, message_id: str) -> list[str]:
    """Take one batch; one that holds nothing of this message is given back."""
    messages = operations.cloud_to_device_messages
    response = messages.receive_feedback_notification(raw=True).response
    if response.status_code == 204:
        return []
    token = response.headers.get("ETag", "").strip('"')
    found = [r["statusCode"] for r in json.loads(response.text) if r.get("originalMessageId") == message_id]
    if found:
        messages.complete_feedback_notification(token)
    else:
        messages.abandon_feedback_notification(token)
    return found


def _refused(operations: Any, response: Any) -> Exception:
    from msrest.exceptions import HttpOperationError

    return HttpOperationError(operations._deserialize, response)


def _command_status(response: Any) -> int:
    return int(response.headers.get("x-ms-command-statuscode", response.status_code))


def _service_error(error: Any) -> ServiceError:
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
    return ServiceError(f"{code or status}: {message}" if message else f"HTTP {status}", status, code)

"""Microsoft's azure-iot-hub as it has to be taken: how its client is set up, what it cannot do, how it fails.

`operations` are those of its client. They raise what the SDK raises.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from harness.azure import words
from harness.azure.retrying import BUSY, Again, seconds_of

CONNECT, READ = 10.0, 30.0
"""Seconds for a connection, and for an answer beyond what a command may take."""
_PAGE = "1000"
"""Twins in a page of a query."""
_CODE = re.compile(r"\b([1-5]\d{5})\b")


def connect(connection_string: str, host: str, login: Any, ca_path: Path | None, *, direct: bool = False) -> Any:
    """The operations of a hub, by the login where there is one, `direct` past any proxy. Nothing is sent yet."""
    from azure.iot.hub import DigitalTwinClient

    if login is not None:
        operations = DigitalTwinClient.from_token_credential(host, login).protocol
    else:
        operations = DigitalTwinClient.from_connection_string(connection_string).protocol
    operations.config.keep_alive = True  # otherwise the SDK makes a TLS connection for each call
    operations.config.connection.timeout = (CONNECT, READ)
    operations.config.retry_policy.retries = 0  # `Patience` tries again, and reads how long the hub asks to wait
    operations.config.retry_policy.policy.status_forcelist = []
    if ca_path is not None:
        operations.config.connection.verify = str(ca_path)
    operations.config.proxies.use_env_settings = not direct
    return operations


@dataclass(frozen=True, slots=True)
class Sized:
    """An answer, and how many bytes it had."""

    value: Any
    size: int


def sized(response: Any) -> Sized:
    return Sized(response.json(), len(response.content))


@dataclass(frozen=True, slots=True)
class Page:
    """Twins that a query found; `more` asks for the next page."""

    twins: list[dict[str, Any]]
    more: str | None


def query(text: str, more: str | None, operations: Any) -> Page:
    """A page of what a query of the hub's language finds."""
    from azure.iot.hub.models import QuerySpecification

    response = operations.query.get_twins(QuerySpecification(query=text), more, _PAGE, raw=True).response
    return Page(json.loads(response.text), response.headers.get("x-ms-continuation"))


def invoke(
    operations: Any, device_id: str, component: str | None, name: str, payload: Any, limits: dict[str, Any]
) -> tuple[int, Any]:
    """The device's status and payload in answer to a command; `payload` None sends an empty request."""
    twin = operations.digital_twin
    if payload is None:
        return _invoke_without_payload(twin, device_id, component, name, limits)
    if component:
        raw = twin.invoke_component_command(device_id, component, name, payload, raw=True, **limits)
    else:
        raw = twin.invoke_root_level_command(device_id, name, payload, raw=True, **limits)
    return _command_status(raw.response), raw.output


def _invoke_without_payload(
    operations: Any, device_id: str, component: str | None, name: str, limits: dict[str, Any]
) -> tuple[int, Any]:
    """The SDK's own command calls insist on a payload, which a command without a request has not."""
    operation = operations.invoke_component_command if component else operations.invoke_root_level_command
    client = operations._client
    names = {"id": device_id, "componentPath": component, "commandName": name}
    url = client.format_url(operation.metadata["url"], **{k: quote(v, safe="") for k, v in names.items() if v})
    parameters = {
        "api-version": operations.api_version,
        "connectTimeoutInSeconds": str(limits["connect_timeout_in_seconds"]),
        "responseTimeoutInSeconds": str(limits["response_timeout_in_seconds"]),
    }
    request = client.post(url, parameters, {"Accept": "application/json"})
    response = client.send(request, stream=False, timeout=limits["timeout"])
    if response.status_code != 200:
        raise _refused(operations, response)
    return _command_status(response), json.loads(response.text) if response.text.strip() else None


def _command_status(response: Any) -> int:
    return int(response.headers.get("x-ms-command-statuscode", response.status_code))


def send_c2d(operations: Any, device_id: str, payload: bytes, message_id: str) -> None:
    """The SDK sends messages over AMQP only; this is the same hub's HTTPS call, through the SDK's own client."""
    client = operations.digital_twin._client
    url = client.format_url("/devices/{id}/messages/deviceBound", id=quote(device_id, safe=""))
    headers = {
        "iothub-messageid": message_id,
        "iothub-ack": "full",
        "Content-Type": "application/octet-stream",
    }
    request = client.post(url, {"api-version": operations.api_version}, headers, content=payload)
    response = client.send(request, stream=False)
    if response.status_code not in (200, 201, 204):
        raise _refused(operations, response)


def feedback(operations: Any, message_id: str) -> tuple[list[str], bool]:
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


def _refused(operations: Any, response: Any) -> Exception:
    from msrest.exceptions import HttpOperationError

    return HttpOperationError(operations._deserialize, response)


def passing(error: Exception, once: bool) -> Again | None:
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


def refusal(error: Any, right: str, who: str) -> tuple[str, int | None, int | None]:
    """A sentence, status and code. `Message` of Azure's body is a text with an error name, or JSON in a string."""
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
    return words.refusal(status, code, message, right=right, who=who), status, code

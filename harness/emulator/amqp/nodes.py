"""The request nodes `$cbs` and `$management`: a message in, a message out, related by message id.

Sources: AMQP Claims-Based Security 1.0 (put-token); Event Hubs' management operation READ.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from proton import timestamp

from harness.emulator.amqp.authorization import Authority, Grant, Grants, Refused
from harness.emulator.amqp.encoding import Received, encode_reply
from harness.emulator.amqp.journal import EventHub, Partition

_SAS_TYPE = "servicebus.windows.net:sastoken"
_OK, _ACCEPTED, _BAD_REQUEST, _UNAUTHORIZED, _NOT_FOUND = 200, 202, 400, 401, 404


def put_token(request: Received, authority: Authority, granted: Callable[[Grant], None]) -> bytes:
    """Answer a request on `$cbs`."""

    def answer(status: int, description: str) -> bytes:
        return encode_reply(request.message_id, status, description)

    if request.properties.get("operation") != "put-token":
        return answer(_BAD_REQUEST, "$cbs knows the operation put-token only")
    if request.properties.get("type") != _SAS_TYPE or not isinstance(request.body, str):
        return answer(_UNAUTHORIZED, f"the emulator takes tokens of the type {_SAS_TYPE} only")
    try:
        grant = authority.token(request.body)
    except Refused as error:
        return answer(_UNAUTHORIZED, str(error))
    granted(grant)
    # Event Hubs says 202; the hub's own SDK for Node takes nothing but 200.
    return answer(_ACCEPTED, "Accepted") if grant.events else answer(_OK, "OK")


def read(request: Received, event_hub: EventHub, grants: Grants) -> bytes:
    """Answer a request on `$management`."""
    properties = request.properties
    name = str(properties.get("name") or "")

    def answer(status: int, description: str, body: dict[str, Any] | None = None) -> bytes:
        return encode_reply(request.message_id, status, description, body)

    if not grants.allow(name, events=True):
        return answer(_UNAUTHORIZED, "Unauthorized access. 'Listen' claim(s) are required to perform this operation.")
    if properties.get("operation") != "READ":
        return answer(_BAD_REQUEST, "$management knows the operation READ only")
    if name.lower() != event_hub.name.lower():
        return answer(_NOT_FOUND, f"The messaging entity {name!r} could not be found.")
    if properties.get("type") == "com.microsoft:eventhub":
        return answer(_OK, "OK", _describe_hub(event_hub))
    if properties.get("type") != "com.microsoft:partition":
        return answer(_BAD_REQUEST, "READ knows com.microsoft:eventhub and com.microsoft:partition")
    partition = event_hub.partitions.get(str(properties.get("partition")))
    if partition is None:
        return answer(_NOT_FOUND, f"There is no partition {properties.get('partition')!r}.")
    return answer(_OK, "OK", _describe_partition(event_hub, partition))


def _describe_hub(event_hub: EventHub) -> dict[str, Any]:
    return {
        "name": event_hub.name,
        "type": "com.microsoft:eventhub",
        "created_at": timestamp(event_hub.created),
        "partition_count": len(event_hub.partitions),
        "partition_ids": list(event_hub.partitions),
    }


def _describe_partition(event_hub: EventHub, partition: Partition) -> dict[str, Any]:
    last = partition.last
    return {
        "name": event_hub.name,
        "type": "com.microsoft:partition",
        "partition": partition.name,
        "begin_sequence_number": partition.first_sequence,
        "last_enqueued_sequence_number": last.sequence if last else -1,
        "last_enqueued_offset": str(last.offset) if last else "-1",
        "last_enqueued_time_utc": timestamp(last.enqueued if last else event_hub.created),
        "is_partition_empty": last is None,
    }

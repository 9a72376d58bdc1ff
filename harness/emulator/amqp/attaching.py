"""Which links a peer may open, and what each becomes; refusals carry Azure's conditions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

import proton
from proton import Receiver, Sender, symbol

from harness.emulator.amqp import nodes
from harness.emulator.amqp.addresses import Address, Node, parse_address
from harness.emulator.amqp.authorization import Grant, Grants
from harness.emulator.amqp.encoding import Received
from harness.emulator.amqp.links import (
    CREDIT,
    MAX_REQUEST,
    EventReader,
    FeedbackLink,
    Inbox,
    Link,
    Rejected,
    ReplyLink,
    send_to_device,
)
from harness.emulator.amqp.peerdata import owned, reading
from harness.emulator.amqp.positions import FROM_START, SELECTOR, InvalidPosition, parse_selector

if TYPE_CHECKING:
    from harness.emulator.amqp.connection import Endpoint

_MAX_READERS = 5
"""Of one partition and consumer group, without owner level (Event Hubs quotas)."""
_EPOCH = "com.microsoft:epoch"
_REQUEST_NODES = (Node.CBS, Node.MANAGEMENT)


class Detached(Exception):
    """A link is refused or taken away, with an AMQP condition."""

    def __init__(self, condition: str, message: str, info: Mapping[Any, Any] | None = None) -> None:
        super().__init__(message)
        self.condition = condition
        # Never empty: the pure-Python client reads the third field of an error whether it is there or not.
        self.info: dict[Any, Any] = dict(info or {symbol("emulator"): "preflight"})


class Host(Protocol):
    """The connection, as far as its links need it."""

    endpoint: Endpoint
    grants: Grants
    links: dict[proton.Link, Link]

    def wake(self) -> None:
        """Have the links pumped soon."""

    def granted(self, grant: Grant) -> None:
        """Take note of a credential that holds."""

    def take_away(self, link: proton.Link, reason: Detached) -> None:
        """Close a link from this side."""

    def fail(self, condition: str, description: str) -> None:
        """Close the connection."""


class Attacher:
    """Opens the links of one connection."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._endpoint = host.endpoint

    def permitted(self, address: Address) -> bool:
        """Whether the connection's grants, as they stand now, cover a node."""
        if address.node in _REQUEST_NODES:
            return True
        return self._host.grants.allow(address.path, events=address.node is Node.EVENTS)

    def attach(self, link: Any) -> Link:
        """Open a link and return what it has become. Raises Detached, with the link not yet opened."""
        terminus = link.remote_source if link.is_sender else link.remote_target
        address = parse_address(reading(lambda: terminus.address))
        if address.node is Node.UNKNOWN and address.entity.lower() != self._endpoint.event_hub.name.lower():
            raise Detached("amqp:not-found", f"There is no entity {address.path!r} here.")
        if not self.permitted(address):
            raise Detached(
                "amqp:unauthorized-access", f"Unauthorized access to {address.path!r}: no valid token was put."
            )
        return self._sender(link, address) if link.is_sender else self._receiver(link, address)

    # --- towards the peer ----------------------------------------------------------------------------

    def _sender(self, link: Sender, address: Address) -> Link:
        if address.node in _REQUEST_NODES:
            link.open()
            return ReplyLink(link, address, reading(lambda: link.remote_target.address))
        if address.node is Node.HUB_EVENTS:
            raise self._redirect(address)
        if address.node is Node.FEEDBACK:
            link.open()
            endpoint = self._endpoint
            return FeedbackLink(link, address, endpoint.c2d.feedback, endpoint.feedback_readers, self._host.wake)
        if address.node is Node.EVENTS:
            return self._reader(link, address)
        raise Detached("amqp:not-found", f"Nothing can be received from {address.path!r}.")

    def _redirect(self, address: Address) -> Detached:
        endpoint = self._endpoint
        host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        target = f"amqps://{host}:{endpoint.port}/{endpoint.event_hub.name}/{address.rest}"
        info = {
            symbol("hostname"): endpoint.host,
            symbol("network-host"): endpoint.host,
            symbol("port"): endpoint.port,
            symbol("address"): target,
        }
        return Detached("amqp:link:redirect", "The hub's events are read from its event hub.", info)

    def _reader(self, link: Sender, address: Address) -> EventReader:
        event_hub, context = self._endpoint.event_hub, self._endpoint.context
        if address.entity.lower() != event_hub.name.lower():
            raise Detached("amqp:not-found", f"The messaging entity {address.entity!r} could not be found.")
        if not event_hub.has_group(address.group):
            raise Detached("amqp:not-found", f"The consumer group {address.group!r} could not be found.")
        partition = event_hub.partitions.get(address.partition)
        if partition is None:
            last = len(event_hub.partitions) - 1
            raise Detached(
                context.options.unknown_partition_condition,
                f"There is no partition {address.partition!r}: they are 0 to {last}.",
            )
        try:
            selector = _selector(reading(lambda: _filters(link)))
            start = (parse_selector(selector) if selector is not None else FROM_START).start_in(partition)
        except InvalidPosition as error:
            raise Detached("com.microsoft:argument-error", str(error)) from None
        properties = reading(lambda: owned(link.remote_properties))
        level = properties.get(_EPOCH) if isinstance(properties, dict) else None
        epoch = level if isinstance(level, int) else None
        self._make_way(address, partition.readers, epoch)
        link.open()

        def steal(reason: str) -> None:
            self._host.take_away(link, Detached("amqp:link:stolen", reason))

        return EventReader(link, address, partition, start, self._host.wake, steal, epoch)

    def _make_way(self, address: Address, readers: Mapping[Any, Any], epoch: int | None) -> None:
        rivals = [r for r in readers if isinstance(r, EventReader) and r.address.group.lower() == address.group.lower()]
        owners = [r.epoch for r in rivals if r.epoch is not None]
        if owners and (epoch is None or epoch < max(owners)):
            raise Detached(
                "amqp:link:stolen", f"A receiver with the owner level {max(owners)} has this partition to itself."
            )
        if epoch is None and len(rivals) >= _MAX_READERS:
            raise Detached(
                "amqp:resource-limit-exceeded",
                f"A partition has at most {_MAX_READERS} receivers of one consumer group at a time.",
            )
        if epoch is not None:
            for rival in rivals:
                rival.steal(f"A receiver with the owner level {epoch} took this partition.")

    # --- from the peer -------------------------------------------------------------------------------

    def _receiver(self, link: Receiver, address: Address) -> Link:
        c2d = self._endpoint.c2d
        if address.node in _REQUEST_NODES:
            inbox = Inbox(link, address, lambda request: self._request(address, request), self._oversized)
        elif address.node is Node.DEVICE_BOUND:
            inbox = Inbox(link, address, lambda message: send_to_device(c2d, message), self._oversized)
        else:
            raise Detached("amqp:not-found", f"Nothing can be sent to {address.path!r}.")
        link.max_message_size = MAX_REQUEST
        link.open()
        link.flow(CREDIT)
        return inbox

    def _request(self, address: Address, request: Received) -> None:
        way_back = self._way_back(address.node, request.reply_to)
        if address.node is Node.CBS:
            way_back.put(nodes.put_token(request, self._endpoint.credentials, self._host.granted))
        else:
            way_back.put(nodes.read(request, self._endpoint.event_hub, self._host.grants))

    def _way_back(self, node: Node, reply_to: str | None) -> ReplyLink:
        ways = [link for link in self._host.links.values() if isinstance(link, ReplyLink) and link.address.node is node]
        named = [way for way in ways if reply_to and way.reply_to == reply_to]
        if not ways:
            raise Rejected("amqp:precondition-failed", f"there is no receiver on {node.value} to answer to")
        return (named or ways)[-1]

    def _oversized(self) -> None:
        self._host.fail("amqp:link:message-size-exceeded", f"a message of more than {MAX_REQUEST} bytes")


def _filters(link: Sender) -> dict[Any, Any]:
    data = link.remote_source.filter
    data.rewind()
    return owned(data.get_dict()) if data.next() is not None and data.type() == proton.Data.MAP else {}


def _selector(filters: Mapping[Any, Any]) -> str | None:
    """Return the selector of a source's filter set. Raises InvalidPosition for other things under its name."""
    value = filters.get(symbol(SELECTOR))
    if value is None:
        return None
    text = value.value if isinstance(value, proton.Described) else value
    if isinstance(text, bytes):
        text = text.decode(errors="replace")
    if not isinstance(text, str):
        raise InvalidPosition("the selector filter is not a string")
    return str(text)

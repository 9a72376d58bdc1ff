"""DPS over MQTT: the topics of `$dps/registrations`, bound to the core.

subscribe  $dps/registrations/res/#
register   $dps/registrations/PUT/iotdps-register/?$rid={rid}
poll       $dps/registrations/GET/iotdps-get-operationstatus/?$rid={rid}&operationId={id}
answer     $dps/registrations/res/{status}/?$rid={rid}[&retry-after={seconds}]
"""

from __future__ import annotations

from urllib.parse import unquote

from harness.emulator import names
from harness.emulator.dps.core import ProvisioningService, Reply
from harness.emulator.dps.enrollments import Credentials
from harness.emulator.dps.exchange import Exchange, Send
from harness.emulator.dps.monitor import Caller
from harness.emulator.errors import ServiceError
from harness.emulator.faults import Operation, Point
from harness.emulator.tokens import TokenError, parse_token
from harness.mqtt import Connect, Publish, RemoteError, ServerSession, Subscribe, Unsubscribe
from harness.mqtt.packets import NOT_AUTHORIZED, SUBSCRIPTION_FAILED
from harness.record.events import ProtocolViolation, ProvisioningConnected, ProvisioningDisconnected

FILTER = "$dps/registrations/res/#"
REGISTER = "$dps/registrations/PUT/iotdps-register/?"
_MAX_REQUEST_ID = 256
POLL = "$dps/registrations/GET/iotdps-get-operationstatus/?"


def connect(service: ProvisioningService, session: ServerSession, packet: Connect) -> None:
    """Decide a CONNECT to DPS.

    Refused with 5: a user name or token that cannot be read, another id scope. Credentials that can be read
    but do not prove the registration are accepted, and the register request is answered 401, as Azure was
    seen to do (switch `dps_wrong_credential`).
    """
    try:
        name = names.parse_dps(packet.user_name or "", packet.client_id)
    except names.InvalidName as error:
        unread = names.DpsName("", packet.client_id, "", "")
        _record(service, session, packet, unread, NOT_AUTHORIZED, str(error))
        session.refuse(NOT_AUTHORIZED)
        return
    service.context.faults.run(
        Operation(
            Point.DPS_CONNECT,
            name.registration_id,
            lambda: _decide(service, session, packet, name),
            lambda answer: _refuse(service, session, packet, name, answer.status, answer.message),
            session,
        )
    )


def _decide(service: ProvisioningService, session: ServerSession, packet: Connect, name: names.DpsName) -> None:
    try:
        service.check_scope(name.id_scope)
        credentials = _credentials(session, packet)
    except (ServiceError, TokenError) as error:
        reason = error.cause if isinstance(error, ServiceError) else str(error)
        _refuse(service, session, packet, name, NOT_AUTHORIZED, reason)
        return
    caller = Caller(session.peer.address, "Mqtt", name.api_version)
    exchange = Exchange(service, name.registration_id, credentials, caller, session).attested()
    reason = exchange.refusal.cause if exchange.refusal is not None else ""
    if reason and service.context.options.dps_wrong_credential == "connack-5":
        _refuse(service, session, packet, name, NOT_AUTHORIZED, reason)
        return
    _record(service, session, packet, name, 0, reason)
    session.accept(DpsConnection(exchange), keep_alive=packet.keep_alive)


def _credentials(session: ServerSession, packet: Connect) -> Credentials:
    if not packet.password:
        return Credentials(chain=session.peer.peer_chain)
    try:
        return Credentials(token=parse_token(packet.password.decode()))
    except UnicodeDecodeError:
        raise TokenError("the password is not text") from None


def _refuse(
    service: ProvisioningService,
    session: ServerSession,
    packet: Connect,
    name: names.DpsName,
    return_code: int,
    reason: str,
) -> None:
    _record(service, session, packet, name, return_code, reason)
    session.refuse(return_code)


def _record(
    service: ProvisioningService,
    session: ServerSession,
    packet: Connect,
    name: names.DpsName,
    return_code: int,
    reason: str,
) -> None:
    service.context.emit(
        ProvisioningConnected(
            registration_id=name.registration_id,
            id_scope=name.id_scope,
            api_version=name.api_version,
            client_version=name.client_version,
            protocol=session.peer.transport,
            keep_alive=packet.keep_alive,
            return_code=return_code,
            reason=reason,
        )
    )


class DpsConnection:
    """One accepted connection (a `harness.mqtt.Handler`). Its credentials need not hold: each request tells."""

    __slots__ = ("_context", "_exchange", "_qos", "_registration_id")

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._context = exchange.service.context
        self._registration_id = exchange.registration_id
        self._qos: int | None = None

    # --- harness.mqtt.Handler ------------------------------------------------------------------------

    def publish(self, session: ServerSession, packet: Publish) -> None:
        if packet.qos == 2 and self._context.options.qos2_publish == "close":
            raise RemoteError("qos-2", "a PUBLISH with QoS 2, which the service does not support")
        session.puback(packet)
        if packet.topic.startswith(REGISTER):
            query = _query(packet.topic[len(REGISTER) :])
            self._exchange.register(query["$rid"], packet.payload, self._sender(session, query["$rid"]))
        elif packet.topic.startswith(POLL):
            query = _query(packet.topic[len(POLL) :])
            operation_id = unquote(query.get("operationId", ""))
            self._exchange.poll(query["$rid"], operation_id, self._sender(session, query["$rid"]))
        else:
            raise RemoteError("unknown-topic", f"a PUBLISH to {packet.topic}")

    def subscribe(self, session: ServerSession, packet: Subscribe) -> None:
        self._context.faults.run(
            Operation(
                Point.DPS_SUBSCRIBE,
                self._registration_id,
                lambda: self._subscribe(session, packet),
                lambda _: session.suback(packet, (SUBSCRIPTION_FAILED,) * len(packet.filters)),
                session,
            )
        )

    def unsubscribe(self, session: ServerSession, packet: Unsubscribe) -> None:
        if FILTER in packet.filters:
            self._qos = None
        session.unsuback(packet)

    def acknowledged(self, session: ServerSession, packet_id: int) -> None:
        """Nothing waits for it: the answer is not repeated."""

    def silent(self, session: ServerSession, seconds: float) -> None:
        session.close(f"nothing heard for {seconds:g} s (keep-alive)")

    def violated(self, session: ServerSession, error: RemoteError) -> None:
        self._context.emit(ProtocolViolation(self._registration_id, None, error.rule, error.detail, closed=True))

    def ended(self, session: ServerSession, by: str, reason: str, error_code: int | None) -> None:
        by = "dps" if by == "service" else by
        self._context.emit(ProvisioningDisconnected(self._registration_id, by, reason))

    # --- the operations ------------------------------------------------------------------------------

    def _subscribe(self, session: ServerSession, packet: Subscribe) -> None:
        codes = []
        for topic_filter, qos in packet.filters:
            if topic_filter == FILTER:
                self._qos = min(qos, 1)
                codes.append(self._qos)
            elif self._context.options.foreign_filter == "close":
                session.fail(RemoteError("foreign-filter", f"a SUBSCRIBE to {topic_filter}"))
                return
            else:
                codes.append(SUBSCRIPTION_FAILED)
        session.suback(packet, tuple(codes))

    def _sender(self, session: ServerSession, request_id: str) -> Send:
        def send(reply: Reply, _: int | None) -> None:
            topic = f"$dps/registrations/res/{reply.status}/?$rid={request_id}"
            if reply.retry_after is not None:
                topic += f"&retry-after={reply.retry_after}"
            if self._qos is not None:
                session.send(topic, reply.body, self._qos)

        return send


def _query(text: str) -> dict[str, str]:
    """The raw pairs after `?`: `$rid` is opaque and goes back as it came. Raises RemoteError without one."""
    pairs = dict(item.partition("=")[::2] for item in text.split("&"))
    if not 0 < len(pairs.get("$rid", "")) <= _MAX_REQUEST_ID:
        raise RemoteError(
            "no-request-id", f"a request topic without $rid, or with one over {_MAX_REQUEST_ID} characters"
        )
    return pairs

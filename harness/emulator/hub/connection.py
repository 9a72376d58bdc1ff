"""One device's MQTT connection to the hub: IoT Hub's topics, and what Azure does when a device breaks a rule.

    devices/{d}[/modules/{m}]/messages/events/{bag}          telemetry
    $iothub/twin/GET/?$rid=…                                 → $iothub/twin/res/200/?$rid=…
    $iothub/twin/PATCH/properties/reported/?$rid=…           → $iothub/twin/res/204/?$rid=…&$version=…
    $iothub/methods/res/{status}/?$rid=…                     the answer to $iothub/methods/POST/{name}/?$rid=…

Only documented topics and filters are allowed; anything else closes the connection
(iot-mqtt-connect-to-iot-hub).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.emulator import jsontext
from harness.emulator.context import Context
from harness.emulator.errors import ServiceError, device_body
from harness.emulator.faults import Answer, Operation, Point
from harness.emulator.hub.bags import Bag, parse_bag
from harness.emulator.hub.devicebound import DeviceBound
from harness.emulator.hub.filters import DESIRED, METHODS, TWIN_ANSWERS, fits_a_topic, is_device_bound, is_documented
from harness.emulator.names import HubName
from harness.mqtt import Connect, Publish, RemoteError, ServerSession, Subscribe, Timer, Unsubscribe, Will
from harness.mqtt.packets import SUBSCRIPTION_FAILED
from harness.record.events import (
    HubDisconnected,
    ProtocolViolation,
    ReportedPatched,
    Subscribed,
    TelemetryReceived,
    TwinRequested,
    Unsubscribed,
)

if TYPE_CHECKING:
    from harness.emulator.hub.core import IotHub
    from harness.emulator.hub.registry import Identity

_TWIN_GET = "$iothub/twin/GET/?"
_TWIN_PATCH = "$iothub/twin/PATCH/properties/reported/?"
_METHOD_ANSWER = re.compile(r"\$iothub/methods/res/(-?[0-9]{1,9})/\?(.*)")
_MAX_REQUEST_ID = 256


class HubConnection:
    """A `harness.mqtt.Handler` for an identity that has proved itself."""

    __slots__ = (
        "_context",
        "_device_bound",
        "_events",
        "_filters",
        "_hub",
        "_identity",
        "_last_bag",
        "_last_topic",
        "_name",
        "_persistent",
        "_throttled",
        "_token_timer",
        "_will",
        "session",
    )

    def __init__(self, hub: IotHub, session: ServerSession, identity: Identity, name: HubName, packet: Connect) -> None:
        self.session = session
        self._hub = hub
        self._context: Context = hub.context
        self._identity = identity
        self._name = name
        module = "" if name.module_id is None else f"/modules/{name.module_id}"
        self._events = f"devices/{name.device_id}{module}/messages/events"
        self._filters: dict[str, int] = {}
        self._persistent = not packet.clean_session
        self._will: Will | None = packet.will
        self._last_topic: str | None = None
        """Of the latest telemetry: a device repeats itself, and the codec gives equal topics as one object."""
        self._last_bag: Bag | None = None
        self._token_timer: Timer | None = None
        self._throttled = self._context.options.telemetry_rate is not None
        self._device_bound = DeviceBound(hub.c2d, identity, session, persistent=self._persistent)

    def check_will(self) -> str:
        """Check the will of CONNECT. Returns what to do about it: nothing, `close` or `refuse`."""
        will, options = self._will, self._context.options
        if will is None:
            return ""
        if will.qos == 2 and options.qos2_publish == "close":
            self._violation("qos-2", "a will with QoS 2, which IoT Hub does not support", closed=True)
            return "close"
        if self._bag_of(will.topic) is not None:
            return ""
        reaction = options.foreign_will
        detail = f"a will for {will.topic}; it must be for {self._events}/"
        self._violation("foreign-will", detail, closed=reaction != "ignore")
        self._will = None
        return "" if reaction == "ignore" else reaction

    @property
    def takes_methods(self) -> bool:
        return METHODS in self._filters

    def open(self) -> bool:
        """Become the identity's connection and take up its persistent session. Returns whether there was one."""
        identity = self._identity
        present = self._persistent and identity.subscriptions is not None
        if not self._persistent:
            identity.subscriptions = None
            self._device_bound.forget()
        elif identity.subscriptions is None:
            identity.subscriptions = self._filters
        else:
            self._filters = identity.subscriptions
        self._look_for_device_bound()
        identity.connection = self
        identity.connection_state_updated = identity.last_activity = self._context.timestamp()
        return present

    def watch_token(self, expiry: int) -> None:
        """Close the connection when its token has been over for `token_grace`."""
        seconds = expiry + self._context.options.token_grace - self._context.wall()
        self._token_timer = self._context.timers.later(
            max(seconds, 0), lambda: self.session.close("the token has expired", 401003)
        )

    # --- to the device -------------------------------------------------------------------------------

    def send_method(self, name: str, request_id: str, payload: bytes) -> None:
        """Deliver a method request, at QoS 0 as the hub does."""
        self.session.send(f"$iothub/methods/POST/{name}/?$rid={request_id}", payload)

    def deliver_c2d(self) -> None:
        """Send the device what waits for it, if it has subscribed."""
        self._device_bound.deliver()

    def send_desired(self, patch: dict[str, Any], version: int) -> bool:
        """Notify of changed desired properties. Returns False when the device has not subscribed."""
        qos = self._filters.get(DESIRED)
        if qos is None:
            return False
        topic = f"$iothub/twin/PATCH/properties/desired/?$version={version}"
        self.session.send(topic, jsontext.dump({**patch, "$version": version}), qos)
        return True

    def _send_twin(self, status: int, request_id: str, payload: bytes, version: int | None = None) -> None:
        # Also without a subscription: the Python SDK asks before it subscribes, and waits for ever.
        topic = f"$iothub/twin/res/{status}/?$rid={request_id}"
        if version is not None:
            topic += f"&$version={version}"
        self.session.send(topic, payload, self._filters.get(TWIN_ANSWERS, 0))

    # --- harness.mqtt.Handler ------------------------------------------------------------------------

    def publish(self, session: ServerSession, packet: Publish, *, gated: bool = True) -> None:
        if packet.qos == 2 and self._context.options.qos2_publish == "close":
            raise RemoteError("qos-2", "a PUBLISH with QoS 2, which IoT Hub does not support")
        if gated and self._context.faults.active:
            self._run(Point.HUB_PUBLISH, lambda: self.publish(session, packet, gated=False), None)
            return
        topic = packet.topic
        bag = self._last_bag if topic is self._last_topic else self._bag_of(topic)
        if bag is None:
            self.session.puback(packet)
            self._request(topic, packet.payload)
            return
        if self._throttled and not self._hub.throttles.telemetry(self._identity):
            raise RemoteError("throttled", "more telemetry a second than the device's limit")
        self._telemetry(packet, bag)
        session.puback(packet)

    def subscribe(self, session: ServerSession, packet: Subscribe) -> None:
        self._run(
            Point.HUB_SUBSCRIBE,
            lambda: self._subscribe(packet),
            lambda _: session.suback(packet, (SUBSCRIPTION_FAILED,) * len(packet.filters)),
        )

    def unsubscribe(self, session: ServerSession, packet: Unsubscribe) -> None:
        for topic_filter in packet.filters:
            self._filters.pop(topic_filter, None)
        self._look_for_device_bound()
        session.unsuback(packet)
        self._context.emit(Unsubscribed(self._name.device_id, self._name.module_id, packet.filters))

    def acknowledged(self, session: ServerSession, packet_id: int) -> None:
        self._device_bound.acknowledged(packet_id)

    def silent(self, session: ServerSession, seconds: float) -> None:
        session.close(f"nothing heard for {seconds:g} s (keep-alive)", 404104)

    def violated(self, session: ServerSession, error: RemoteError) -> None:
        self._violation(error.rule, error.detail, closed=True)

    def ended(self, session: ServerSession, by: str, reason: str, error_code: int | None) -> None:
        if self._token_timer is not None:
            self._token_timer.cancel()
        identity = self._identity
        if identity.connection is self:
            self._device_bound.ended()
            identity.connection = None
            identity.connection_state_updated = identity.last_activity = self._context.timestamp()
        by = "hub" if by == "service" else by
        self._context.emit(HubDisconnected(self._name.device_id, self._name.module_id, by, reason, error_code))
        if self._will is not None and by != "device":
            self._send_will(self._will)

    # --- the operations ------------------------------------------------------------------------------

    def _request(self, topic: str, payload: bytes) -> None:
        if topic.startswith(_TWIN_PATCH):
            self._twin_patch(_request_id(topic[len(_TWIN_PATCH) :]), payload)
        elif topic.startswith(_TWIN_GET):
            self._twin_get(_request_id(topic[len(_TWIN_GET) :]))
        elif answer := _METHOD_ANSWER.fullmatch(topic):
            self._method_answer(_request_id(answer[2]), int(answer[1]), payload)
        else:
            raise RemoteError("unknown-topic", f"a PUBLISH to {topic}")

    def _telemetry(self, packet: Publish, bag: Bag, marks: Mapping[str, str] | None = None) -> None:
        size = len(packet.payload) + bag.size
        if size > self._context.options.max_telemetry:
            raise RemoteError("message-too-large", f"telemetry of {size} bytes, properties included")
        if bag.problem:
            self._bad_properties(bag.problem)
        properties = bag.properties
        if packet.retain:
            properties = {**properties, "mqtt-retain": "true"}
        if marks:
            properties = {**properties, **marks}
        self._hub.telemetry(
            TelemetryReceived(
                self._name.device_id,
                self._name.module_id,
                bag.component,
                packet.payload,
                bag.content_type,
                bag.content_encoding,
                self._name.model_id,
                bag.system,
                properties,
                packet.qos,
            )
        )

    def _bag_of(self, topic: str) -> Bag | None:
        """The property bag of a telemetry topic; None when the topic is not for this identity's telemetry."""
        if topic.startswith(self._events):
            text = topic[len(self._events) :]
            if not text or text[0] == "/":
                self._last_topic, self._last_bag = topic, parse_bag(text[1:])
                return self._last_bag
        return None

    def _bad_properties(self, problem: str) -> None:
        if self._context.options.bad_properties == "close":
            raise RemoteError("bad-properties", problem)
        self._violation("bad-properties", problem, closed=False)

    def _send_will(self, will: Will) -> None:
        bag = self._bag_of(will.topic)
        if bag is None:
            return
        packet = Publish(will.topic, will.payload, will.qos, retain=will.retain)
        try:
            self._telemetry(packet, bag, {"iothub-MessageType": "Will"})
        except RemoteError as error:
            self._violation(error.rule, error.detail, closed=False)

    def _twin_get(self, request_id: str) -> None:
        def proceed() -> None:
            if not self._hub.throttles.twin(self._identity):
                answer(_THROTTLED)
                return
            self._send_twin(200, request_id, jsontext.dump(self._identity.twin.for_device()))
            self._context.emit(TwinRequested(self._name.device_id, self._name.module_id, request_id, 200))

        def answer(fault: Answer) -> None:
            self._send_twin(fault.status, request_id, self._error_body(_as_error(fault)))
            self._context.emit(TwinRequested(self._name.device_id, self._name.module_id, request_id, fault.status))

        self._run(Point.TWIN_GET, proceed, answer)

    def _twin_patch(self, request_id: str, payload: bytes) -> None:
        def proceed() -> None:
            try:
                version = self._report(payload)
            except ServiceError as error:
                refuse(error)
                return
            self._send_twin(204, request_id, b"", version)
            self._context.emit(
                ReportedPatched(self._name.device_id, self._name.module_id, request_id, payload, 204, version)
            )

        def refuse(error: ServiceError) -> None:
            self._send_twin(error.status, request_id, self._error_body(error))
            self._context.emit(
                ReportedPatched(
                    self._name.device_id,
                    self._name.module_id,
                    request_id,
                    payload,
                    error.status,
                    error_code=error.code,
                    message=error.message,
                )
            )

        self._run(Point.TWIN_PATCH, proceed, lambda fault: refuse(_as_error(fault)))

    def _report(self, payload: bytes) -> int:
        if not self._hub.throttles.twin(self._identity):
            raise _as_error(_THROTTLED)
        if not self._name.api_version:
            raise ServiceError(400001, "the connection's user name has no api-version")
        try:
            patch = jsontext.load(payload)
        except jsontext.InvalidJson as error:
            raise ServiceError(400004, f"the patch is not JSON: {error}") from None
        return self._identity.twin.report(patch, self._context.timestamp())

    def _method_answer(self, request_id: str, status: int, payload: bytes) -> None:
        limit = self._context.options.max_method_payload
        if len(payload) > limit:
            error = RemoteError("message-too-large", f"a method's answer of {len(payload)} bytes; {limit} are allowed")
            if self._context.options.long_method_answer == "close":
                raise error
            self._violation(error.rule, error.detail, closed=False)
            return
        self._run(
            Point.METHOD_ANSWER,
            lambda: self._hub.methods.answered(self._identity, request_id, status, payload),
            None,
        )

    def _subscribe(self, packet: Subscribe) -> None:
        device_id, module_id = self._name.device_id, self._name.module_id
        granted = tuple(
            (wanted, qos, min(qos, 1) if is_documented(wanted, device_id, module_id) else SUBSCRIPTION_FAILED)
            for wanted, qos in packet.filters
        )
        self._context.emit(Subscribed(device_id, module_id, granted))
        foreign = [wanted for wanted, _, code in granted if code == SUBSCRIPTION_FAILED]
        if foreign:
            closes = self._context.options.foreign_filter == "close"
            error = RemoteError("foreign-filter", f"a SUBSCRIBE to {foreign[0]}")
            if closes:
                self.session.fail(error)
                return
            self._violation(error.rule, error.detail, closed=False)
        added = {wanted: code for wanted, _, code in granted if code != SUBSCRIPTION_FAILED}
        if len(self._filters | added) > self._context.options.max_filters:
            count = len(self._filters | added)
            self.session.fail(RemoteError("too-many-filters", f"{count} topic filters at once"))
            return
        self._filters.update(added)
        self._look_for_device_bound()
        self.session.suback(packet, tuple(code for _, _, code in granted))
        if METHODS in added:
            self._hub.methods.ready(self._identity)
        self.deliver_c2d()

    def _look_for_device_bound(self) -> None:
        granted = [qos for name, qos in self._filters.items() if is_device_bound(name, self._name.device_id)]
        name = self._name
        reachable = name.module_id is None and fits_a_topic(name.device_id)
        self._device_bound.qos = max(granted) if granted and reachable else None

    # --- helpers -------------------------------------------------------------------------------------

    def _run(self, point: Point, proceed: Any, answer: Any) -> None:
        self._context.faults.run(Operation(point, self._identity.name, proceed, answer, self.session))

    def _violation(self, rule: str, detail: str, *, closed: bool) -> None:
        self._context.emit(ProtocolViolation(self._name.device_id, self._name.module_id, rule, detail, closed))

    def _error_body(self, error: ServiceError) -> bytes:
        return device_body(error, self._context.wall())


_THROTTLED = Answer(429, 429001, message="the device's limit of twin operations a second is exceeded")


def _as_error(fault: Answer) -> ServiceError:
    return ServiceError(fault.error_code or fault.status * 1000, fault.message, status=fault.status)


def _request_id(query: str) -> str:
    """The raw `$rid` of a topic's query; it goes back as it came. Raises RemoteError without one."""
    for item in query.split("&"):
        name, _, value = item.partition("=")
        if name == "$rid" and value and len(value) <= _MAX_REQUEST_ID:
            return value
    raise RemoteError("no-request-id", f"a request topic without $rid, or with one over {_MAX_REQUEST_ID} characters")

"""The simulator on Microsoft's device SDK: registers with DPS, connects to the hub, serves until stopped.

The SDK calls back on threads of its own; every callback only puts a piece of work into one inbox, which the
main thread takes out. So the behavior is never entered twice at a time and needs no lock. The two seconds
that the SDK waits before it asks DPS for its assignment are used to read the model.
"""

from __future__ import annotations

import json
import logging
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from queue import Empty, SimpleQueue
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from .plan import Plan, Reach, announcing
from .settings import ENDPOINT, ID_SCOPE, KEY, REGISTRATION_ID, Settings

if TYPE_CHECKING:
    from .behavior import Behavior, Message, Patch
    from .faults import Chosen

FAILED, UNUSABLE, ENDED_EARLY = 1, 2, 3
"""Exit codes: the services refused or were not there; the settings or the model; the fault `exit-early`."""

SHUTDOWN_SECONDS = 1.0
"""A stopped simulator says goodbye to the hub for this long at most."""

SHOWN = 300
"""Characters of a payload that a log line shows."""

Say = Callable[[str], None]


class SessionError(Exception):
    """The simulator cannot go on. The text says why and what to do; `code` is the exit code."""

    def __init__(self, text: str, code: int = FAILED) -> None:
        super().__init__(text)
        self.code = code


class Stopped(BaseException):
    """A signal asked the program to end. No `except Exception` of the SDK may swallow it."""


def run(settings: Settings, chosen: Sequence[Chosen], say: Say) -> int:
    """Play the device until a signal stops it; the exit code. Call it on the main thread."""
    plan = announcing(settings.model_id)
    for choice in chosen:
        plan = choice.change(plan)
    say(f"simulating {settings.model_id} as {settings.registration_id}")
    try:
        with _stopping_on_signals():
            return _play(settings, chosen, plan, say)
    except Stopped:
        say("stopped")
        return 0
    except SessionError as e:
        say(str(e))
        return e.code


def _play(settings: Settings, chosen: Sequence[Chosen], plan: Plan, say: Say) -> int:
    """Returns only where the plan is to end; everything else ends in an exception."""
    if plan.ends:
        say("fault: ends early")
        return ENDED_EARLY
    if plan.reach is Reach.NOWHERE:
        say("fault: connects to nothing")
        _idle()
    registration = _register(settings, plan)
    device = _device(settings, chosen, say)
    hub, device_id = _assignment(registration, settings)
    say(f"registered: device {device_id} on {hub}")
    if plan.reach is Reach.PROVISIONED:
        say("fault: does not connect to the hub")
        _idle()
    client = _client(settings, plan, hub, device_id)
    try:
        return Connection(client, device, settings.interval, say).serve()
    finally:
        _shut_down(client)


def _device(settings: Settings, chosen: Sequence[Chosen], say: Say) -> Behavior:
    # Imported this late to let the registration go first.
    from harness.dtdl import ModelError, ModelNotFound, Repository, ResolutionError

    from .behavior import ModelDevice
    from .faults import FaultError, misbehaving

    try:
        with Repository(settings.models) as repository:
            resolved = repository.resolve(settings.model_id)
        capabilities = resolved.model.capabilities(settings.model_id)
    except (ModelNotFound, ModelError, ResolutionError, ValueError) as e:
        raise SessionError(str(e), UNUSABLE) from None
    except KeyError as e:  # not an Interface
        raise SessionError(f"{settings.model_id} cannot be played: {e.args[0]}.", UNUSABLE) from None
    say(f"model read from {resolved.location}: {len(capabilities)} telemetries, properties and commands")
    try:
        return misbehaving(ModelDevice(capabilities, say), chosen, capabilities)
    except FaultError as e:
        raise SessionError(str(e), UNUSABLE) from None


def _register(settings: Settings, plan: Plan) -> Future[Any]:
    """Start the registration; the future's result is the SDK's RegistrationResult."""
    from azure.iot.device import ProvisioningDeviceClient

    logging.getLogger("azure.iot.device").setLevel(logging.CRITICAL)
    registration: Future[Any] = Future()

    def register() -> None:
        try:
            client: Any = ProvisioningDeviceClient.create_from_symmetric_key(
                provisioning_host=settings.endpoint,
                registration_id=settings.registration_id,
                id_scope=settings.id_scope,
                symmetric_key=settings.key,
            )
            client.provisioning_payload = plan.dps_payload
            registration.set_result(client.register())
        except Exception as e:
            registration.set_exception(e)

    threading.Thread(target=register, name="registration", daemon=True).start()
    return registration


def _assignment(registration: Future[Any], settings: Settings) -> tuple[str, str]:
    """Hub and device id that DPS assigned."""
    who = f"registration id {settings.registration_id} in ID scope {settings.id_scope}"
    try:
        result = registration.result()
    except Exception as e:
        raise SessionError(
            f"Registering {who} with {settings.endpoint}:8883 failed: {_reasons(e)}. "
            f"Check {ENDPOINT}, {ID_SCOPE}, {REGISTRATION_ID} and {KEY}; "
            "the certificate authority of a local target belongs into SSL_CERT_FILE."
        ) from None
    if result.status != "assigned":
        raise SessionError(f"DPS answered {result.status!r} for {who}: look at its enrollment.")
    return result.registration_state.assigned_hub, result.registration_state.device_id


def _client(settings: Settings, plan: Plan, hub: str, device_id: str) -> Any:
    from azure.iot.device import IoTHubDeviceClient

    options = {} if plan.hub_model_id is None else {"product_info": plan.hub_model_id}
    client = IoTHubDeviceClient.create_from_symmetric_key(settings.key, hub, device_id, **options)
    try:
        client.connect()
    except Exception as e:
        raise SessionError(f"Connecting {device_id} to {hub}:8883 failed: {_reasons(e)}.") from None
    return client


class Connection:
    """A connected client and the behavior behind it."""

    def __init__(self, client: Any, device: Behavior, interval: float, say: Say) -> None:
        self._client = client
        self._device = device
        self._interval = interval
        self._say = say
        self._inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()

    def serve(self) -> NoReturn:
        """Send, report and answer until something raises: a signal, usually."""
        self._say("connected")
        self._subscribe()
        for message in self._device.telemetry():
            self._send(message)
        self._report_initially()
        outgoing: deque[Message] = deque()
        due = time.monotonic() + self._interval
        while True:
            self._work(wait=0.0 if outgoing else max(0.0, due - time.monotonic()))
            if outgoing:
                self._send(outgoing.popleft())
            elif time.monotonic() >= due:
                due = time.monotonic() + self._interval
                outgoing.extend(self._device.telemetry())

    def _work(self, wait: float) -> None:
        """Do the next piece of work, waiting at most `wait` seconds for one."""
        try:
            work = self._inbox.get(timeout=wait)
        except Empty:
            return
        work()

    def _subscribe(self) -> None:
        client, put = self._client, self._inbox.put
        client.on_method_request_received = lambda request: put(partial(self._answer, request))
        client.on_twin_desired_properties_patch_received = lambda patch: put(partial(self._desired, patch))
        client.on_connection_state_change = lambda: put(self._connection_changed)
        client.on_background_exception = lambda e: put(partial(self._say, f"the SDK says: {_reasons(e)}"))

    def _report_initially(self) -> None:
        try:
            desired = self._client.get_twin().get("desired", {})
        except Exception as e:
            self._say(f"reading the twin failed: {_reasons(e)}")
            desired = {}
        self._report(self._device.initial_report(desired))

    def _desired(self, patch: object) -> None:
        self._say(f"desired {_shown(patch)}")
        self._report(self._device.on_desired(patch))

    def _answer(self, request: Any) -> None:
        from azure.iot.device import MethodResponse

        reply = self._device.on_command(request.name, request.payload)
        self._say(f"command {request.name} {_shown(request.payload)} -> {reply.status} {_shown(reply.payload)}")
        response = MethodResponse(request.request_id, reply.status, reply.payload)
        self._try("answering the command", lambda: self._client.send_method_response(response))

    def _report(self, patch: Patch) -> None:
        if patch:
            self._say(f"reported {_shown(patch)}")
            self._try("reporting", lambda: self._client.patch_twin_reported_properties(patch))

    def _send(self, message: Message) -> None:
        from azure.iot.device import Message as SdkMessage

        sdk_message = SdkMessage(message.payload, None, message.content_encoding, message.content_type)  # type: ignore[no-untyped-call]
        if message.component is not None:
            sdk_message.custom_properties["$.sub"] = message.component
        self._say(f"sent {message.component or 'root'} {_shown(message.values)}")
        self._try("sending telemetry", lambda: self._client.send_message(sdk_message))

    def _connection_changed(self) -> None:
        self._say("connected again" if self._client.connected else "connection lost")

    def _try(self, what: str, action: Callable[[], None]) -> None:
        """The device lives on when the hub refuses something or is away; the SDK reconnects by itself."""
        try:
            action()
        except Exception as e:
            self._say(f"{what} failed: {_reasons(e)}")


def _idle() -> NoReturn:
    while True:
        # Bounded, because Windows runs signal handlers between two waits only.
        threading.Event().wait(1.0)


@contextmanager
def _stopping_on_signals() -> Iterator[None]:
    def stop(number: int, frame: FrameType | None) -> None:
        for each in signals:
            signal.signal(each, signal.SIG_DFL)
        raise Stopped

    names = ("SIGTERM", "SIGINT", "SIGBREAK")
    signals = [getattr(signal, name) for name in names if hasattr(signal, name)]
    before = {each: signal.signal(each, stop) for each in signals}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _shut_down(client: Any) -> None:
    """Disconnect, within SHUTDOWN_SECONDS: the SDK waits for ever on a dead connection."""

    def shut_down() -> None:
        with suppress(Exception):
            client.shutdown()

    goodbye = threading.Thread(target=shut_down, daemon=True)
    goodbye.start()
    goodbye.join(SHUTDOWN_SECONDS)


def _reasons(error: BaseException) -> str:
    """An error of the SDK with its causes; the outer ones alone say little."""
    texts: dict[str, None] = {}
    cause: BaseException | None = error
    while cause is not None:
        texts[str(cause)] = None
        cause = cause.__cause__
    return "; ".join(filter(None, texts)) or type(error).__name__


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}… ({len(text)} characters)"

"""Custom allocation by a webhook: the rules without sockets, and calls over HTTP and HTTPS."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.emulator import EmulatorError, EmulatorOptions, certificates
from harness.emulator.dps.assignment import Failed
from harness.emulator.dps.enrollments import Enrolled, GroupSymmetricKey, Policy
from harness.emulator.dps.webhook import MAX_ANSWER, Answered, objection, read_answer
from harness.emulator.tokens import derive_key
from harness.record.events import AllocationAnswered, DeviceAssigned
from tests.emulator.dps.test_https import Device
from tests.emulator.dps.world import HOST, SECOND, DpsWorld
from tests.emulator.watching import Watcher

URL = "https://app.example.net/api/allocate?code=hunter2"
DEFINITION = {"customAllocationDefinition": {"webhookUrl": URL, "apiVersion": "2021-10-01"}}
GOOD = {"iotHubHostName": SECOND}
PAYLOAD = {"modelId": "dtmi:com:example:Thermostat;1"}


@dataclass
class Caller:
    """A `Post` whose answers the test gives."""

    calls: list[tuple[str, Any]] = field(default_factory=list)
    waiting: list[Callable[[Answered], None]] = field(default_factory=list)
    ended: int = 0

    def __call__(self, url: str, body: bytes, done: Callable[[Answered], None]) -> Callable[[], None]:
        self.calls.append((url, json.loads(body)))
        self.waiting.append(done)
        return self._end

    def _end(self) -> None:
        self.ended += 1

    def answer(self, status: int | None, document: Any = None) -> None:
        self.waiting.pop(0)(Answered(status, b"" if document is None else json.dumps(document).encode()))


class Asked(DpsWorld):
    """reg-1 is enrolled for custom allocation; `caller` is what the webhook gets."""

    def __init__(self, options: EmulatorOptions | None = None, **terms: Any) -> None:
        super().__init__(options)
        self.caller = Caller()
        self.dps.webhooks.post = self.caller
        self.enrolled, self.credentials = self.add(allocation="custom", other=dict(DEFINITION), **terms)
        self.operation = ""

    def register(self, payload: Any = None) -> None:
        body = json.dumps({"registrationId": "reg-1", "payload": payload}).encode()
        self.operation = json.loads(self.dps.register("reg-1", self.credentials, body).body)["operationId"]

    def poll(self) -> Any:
        """The registration's state, or the status of the poll while there is none."""
        reply = self.dps.poll("reg-1", self.credentials, self.operation)
        return json.loads(reply.body)["registrationState"] if reply.status == 200 else reply.status

    def again(self, answer: dict[str, Any]) -> Any:
        self.register()
        self.caller.answer(200, answer)
        return self.poll()


def test_the_request() -> None:
    asked = Asked(initial_twin={"tags": {"t": 1}}, device_id="dev-9")
    asked.register(PAYLOAD)
    url, body = asked.caller.calls[0]
    assert url == URL
    assert body["deviceRuntimeContext"] == {"registrationId": "reg-1", "symmetricKey": {}, "payload": PAYLOAD}
    assert body["linkedHubs"] == [HOST, SECOND]
    enrollment = body["individualEnrollment"]
    assert (enrollment["registrationId"], enrollment["allocationPolicy"]) == ("reg-1", "custom")
    assert enrollment["initialTwin"]["tags"] == {"t": 1}
    assert "hunter2" not in json.dumps(body)
    assert asked.enrolled.attestation.primary not in json.dumps(body)  # type: ignore[attr-defined]

    asked.caller.answer(200, GOOD)
    asked.poll()
    asked.register()
    context = asked.caller.calls[1][1]["deviceRuntimeContext"]
    assert (context["currentIotHubHostName"], context["currentDeviceId"]) == (SECOND, "dev-9")
    assert "payload" not in context


def test_the_request_for_a_device_of_a_group() -> None:
    asked = Asked()
    group = GroupSymmetricKey()
    asked.enrollments.add(
        Enrolled(group, group_id="fleet", hubs=(SECOND,), allocation="custom", other=dict(DEFINITION))
    )
    credentials = asked.token(derive_key(group.primary, "any-1"), "any-1")
    asked.dps.register("any-1", credentials, b"")
    body = asked.caller.calls[0][1]
    assert body["enrollmentGroup"]["enrollmentGroupId"] == "fleet"
    assert (body["linkedHubs"], "individualEnrollment" in body) == ([SECOND], False)


def test_the_device_waits_for_the_answer() -> None:
    asked = Asked()
    asked.register()
    assert [asked.poll(), asked.poll()] == [202, 202]
    twin = {"tags": {"a": 1}, "properties": {"desired": {"b": 2}}}
    asked.caller.answer(200, {"iotHubHostName": SECOND.upper(), "initialTwin": twin, "payload": {"p": [1]}})
    state = asked.poll()
    assert (state["status"], state["assignedHub"], state["payload"]) == ("assigned", SECOND, {"p": [1]})
    document = asked.second.registry.get("reg-1").twin_document()
    assert (document["tags"], document["properties"]["desired"]["b"]) == ({"a": 1}, 2)
    assert asked.poll() == state
    event = asked.last(AllocationAnswered)
    assert (event.webhook, event.status, event.hub) == ("https://app.example.net/api/allocate", 200, SECOND.upper())
    assert "hunter2" not in repr(asked.events)


def test_without_a_twin_of_its_own_the_enrollments_counts() -> None:
    asked = Asked(initial_twin={"tags": {"t": 1}}, payload={"e": 1})
    assert asked.again(GOOD)["payload"] == {"e": 1}
    assert asked.second.registry.get("reg-1").twin_document()["tags"] == {"t": 1}


@pytest.mark.parametrize(
    ("status", "document", "code", "words"),
    [
        (400, None, 400207, "status code: 400"),
        (404, None, 400207, "status code: 404"),
        (302, None, 400207, "status code: 302"),
        (202, GOOD, 400207, "status code: 202"),
        (401, None, 400209, "status code: 401"),
        (None, None, 400207, "status code: 408"),
        (200, {"iotHubHostName": ""}, 400208, "no IoT hub"),
        (200, {"iotHubHostName": None}, 400208, "no IoT hub"),
        (200, {}, 400208, "no IoT hub"),
        (200, {"iotHubHostName": "gone.example.net"}, 400208, "gone.example.net"),
        (200, {"iotHubHostName": 5}, 400207, "cannot be read"),
        (200, [], 400207, "cannot be read"),
        (200, None, 400207, "cannot be read"),
        (200, {**GOOD, "initialTwin": 5}, 400207, "cannot be read"),
        (200, {**GOOD, "initialTwin": {"tags": []}}, 400207, "cannot be read"),
        (200, {**GOOD, "initialTwin": {"tags": {"a.b": 1}}}, 400004, "a.b"),
        (200, {**GOOD, "initialTwin": {"tags": {f"t{n}": "x" * 4000 for n in range(3)}}}, 403100, "8192"),
    ],
)
def test_what_becomes_of_an_answer(status: int | None, document: Any, code: int, words: str) -> None:
    asked = Asked()
    asked.register()
    asked.caller.answer(status, document)
    state = asked.poll()
    assert (state["status"], state["errorCode"]) == ("failed", code)
    assert words in state["errorMessage"]
    assert not list(asked.hub.registry.devices()) + list(asked.second.registry.devices())
    assert not asked.seen(DeviceAssigned)
    asked.register()  # and a further try is a new one
    asked.caller.answer(200, GOOD)
    assert asked.poll()["status"] == "assigned"


def test_from_429_on_it_is_called_again() -> None:
    asked = Asked()
    asked.register()
    for seconds in (1, 10):
        asked.caller.answer(503)
        asked.advance(seconds - 0.5)
        assert (asked.caller.waiting, asked.poll()) == ([], 202)
        asked.advance(0.5)
        assert len(asked.caller.waiting) == 1
    asked.caller.answer(200, GOOD)
    assert asked.poll()["assignedHub"] == SECOND
    assert [event.status for event in asked.seen(AllocationAnswered)] == [503, 503, 200]


def test_but_not_for_ever() -> None:
    asked = Asked(EmulatorOptions(webhook_retries=2, webhook_unanswered_status=504))
    asked.register()
    for status in (429, 500, None):
        asked.caller.answer(status)
        asked.advance(60)
    state = asked.poll()
    assert (state["errorCode"], state["errorMessage"]) == (400207, "Custom allocation failed with status code: 504")


def test_switch_unknown_hub() -> None:
    asked = Asked(EmulatorOptions(webhook_unknown_hub_code=400207), hubs=(HOST,))
    assert asked.again(GOOD)["errorCode"] == 400207


def test_a_new_register_request_ends_the_call_of_the_last() -> None:
    asked = Asked()
    asked.register()
    asked.register()
    assert asked.caller.ended == 1
    asked.caller.answer(401)  # too late
    assert (asked.poll(), asked.seen(AllocationAnswered)) == (202, [])
    asked.caller.answer(200, GOOD)
    assert asked.poll()["status"] == "assigned"


def test_a_reset_ends_what_waits() -> None:
    asked = Asked()
    asked.register()
    asked.caller.answer(503)
    asked.dps.reset()
    asked.advance(60)
    assert len(asked.caller.calls) == 1


def test_after_a_restart_it_is_asked_once_more() -> None:
    """A registration is kept, a call is not."""
    asked = Asked()
    asked.register()
    asked.dps.webhooks.clear()
    assert asked.poll() == 202
    assert len(asked.caller.calls) == 2


def test_a_disabled_enrollment_asks_nobody() -> None:
    asked = Asked(enabled=False)
    asked.register()
    assert (asked.caller.calls, asked.poll()["status"]) == ([], "disabled")


def reported(asked: Asked) -> Any:
    return asked.second.registry.get("reg-1").twin_document()["properties"]["reported"].get("r")


def test_registering_again() -> None:
    """An initial twin goes before any migration; without one the device keeps its own."""
    asked = Asked()
    asked.again(GOOD)
    asked.second.registry.get("reg-1").twin.report({"r": 1}, "2024-01-01T00:00:00Z")
    assert asked.again(GOOD)["substatus"] == "initialAssignment"
    assert reported(asked) == 1
    assert asked.again({**GOOD, "initialTwin": {"tags": {"n": 1}}})["substatus"] == "deviceDataReset"
    assert reported(asked) is None


def test_who_never_moves_is_asked_all_the_same() -> None:
    asked = Asked(policy=Policy.NEVER)
    asked.again(GOOD)
    state = asked.again({"iotHubHostName": HOST, "payload": {"news": 1}, "initialTwin": {"tags": {"n": 1}}})
    assert (state["assignedHub"], state["payload"]) == (SECOND, {"news": 1})
    assert asked.second.registry.get("reg-1").twin_document()["tags"] == {}


@pytest.mark.parametrize(
    ("url", "loopback", "fine"),
    [
        (URL, False, True),
        ("http://app.example.net/x", True, False),
        ("http://127.0.0.1:7071/x", True, True),
        ("https://localhost/x", True, True),
        ("http://[::1]/x", True, True),
        ("https://127.9.9.9/x", False, False),
        ("https://LOCALHOST./x", False, False),
        ("https://0.0.0.0/x", False, False),
        ("https://user:word@app.example.net/x", False, False),
        ("ftp://app.example.net/x", True, False),
        ("https:///x", True, False),
        ("https://[::1/x", True, False),
        ("https://app.example.net:99999/x", True, False),
        ("https://app.example.net/" + "x" * 3000, True, False),
        ("", True, False),
    ],
)
def test_what_may_be_called(url: str, loopback: bool, fine: bool) -> None:
    assert (objection(url, loopback=loopback) is None) is fine


def test_what_may_not_be_called_is_not() -> None:
    asked = Asked()
    asked.enrolled.other = {"customAllocationDefinition": {"webhookUrl": "http://127.0.0.1/x", "apiVersion": "1"}}
    asked.register()
    assert (asked.caller.calls, asked.poll()["errorCode"]) == ([], 400207)
    assert "webhook_loopback" in asked.last(AllocationAnswered).detail


@settings(max_examples=60)
@given(st.integers(100, 599), st.binary(max_size=60) | st.just(b"[" * 5000) | st.just(b" " * (MAX_ANSWER + 1)))
def test_no_answer_does_harm(status: int, body: bytes) -> None:
    with pytest.raises(Failed):
        read_answer(Answered(status, body), (HOST,), EmulatorOptions())


# --- over the network --------------------------------------------------------------------------------


class Hook:
    """A webhook on loopback: it answers with `status`, `headers` and `body`, at once or, with `hold`, never."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.status, self.body, self.headers = 200, b"{}", {"Content-Type": "application/json"}
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.hold: threading.Event | None = None
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                read = self.rfile.read(int(self.headers["Content-Length"]))
                hook.asked.append((self.path, dict(self.headers), json.loads(read)))
                if hook.hold is not None:
                    hook.hold.wait(30)
                self.send_response(hook.status)
                for name, value in {**hook.headers, "Content-Length": str(len(hook.body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(hook.body)

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        scheme = "https" if certificate is not None else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_address[1]}/api/allocate?code=hunter2&x=a%2Fb"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        if self.hold is not None:
            self.hold.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def hook() -> Iterator[Hook]:
    hook = Hook()
    yield hook
    hook.close()


@pytest.fixture
def running(start: Callable[..., Watcher]) -> Watcher:
    return start(EmulatorOptions(https_port=0, webhook_loopback=True, webhook_retry_seconds=(0.0, 0.0)))


def provision(running: Watcher, hook: Hook) -> Any:
    """Register a device and return its state when the webhook has decided."""
    key = running.emulator.enroll("reg-1", allocation="custom", webhook=hook.url).primary_key
    device = Device(running)
    token = device.token("reg-1", key)
    body = {"registrationId": "reg-1", "payload": PAYLOAD}
    operation = device("PUT", "/reg-1/register", body, token=token).json["operationId"]
    running.wait(AllocationAnswered, lambda event: not event.detail.startswith("called again"))
    done = device("GET", f"/reg-1/operations/{operation}", token=token)
    device.connection.close()
    assert done.status == 200
    assert "hunter2" not in repr(running.events)
    return done.json["registrationState"]


def test_over_http(running: Watcher, hook: Hook) -> None:
    hub = running.endpoints.hub_host
    hook.body = json.dumps({"iotHubHostName": hub, "payload": {"p": 1}}).encode()
    state = provision(running, hook)
    assert (state["status"], state["assignedHub"], state["payload"]) == ("assigned", hub, {"p": 1})
    path, headers, body = hook.asked[0]
    assert path == "/api/allocate?code=hunter2&x=a%2Fb"
    assert headers["Content-Type"].startswith("application/json")
    assert body["deviceRuntimeContext"]["payload"] == PAYLOAD


def test_over_https_with_a_ca_of_its_own(start: Callable[..., Watcher], state_dir: Path, tmp_path: Path) -> None:
    own = certificates.ensure(state_dir, ["127.0.0.1"])
    foreign = certificates.ensure(tmp_path, ["127.0.0.1"])
    for made, ca, status in ((own, None, 200), (foreign, None, None), (foreign, str(foreign.ca), 200)):
        running = start(EmulatorOptions(https_port=0, webhook_loopback=True, webhook_ca=ca))
        hook = Hook(made.server)
        hook.body = json.dumps({"iotHubHostName": running.endpoints.hub_host}).encode()
        try:
            state = provision(running, hook)
        finally:
            hook.close()
        assert running.wait(AllocationAnswered).status == status
        assert state["status"] == ("assigned" if status else "failed")


def test_a_webhook_that_never_answers(start: Callable[..., Watcher], hook: Hook) -> None:
    running = start(EmulatorOptions(https_port=0, webhook_loopback=True, webhook_seconds=0.2))
    hook.hold = threading.Event()
    state = provision(running, hook)
    assert (state["errorCode"], state["errorMessage"]) == (400207, "Custom allocation failed with status code: 408")
    assert "no answer within 0.2 s" in running.wait(AllocationAnswered).detail


def test_a_webhook_that_is_not_there(running: Watcher, hook: Hook) -> None:
    hook.close()
    assert provision(running, hook)["errorCode"] == 400207
    assert "not reached" in running.wait(AllocationAnswered).detail


def test_a_webhook_that_is_busy(start: Callable[..., Watcher], hook: Hook) -> None:
    options = EmulatorOptions(https_port=0, webhook_loopback=True, webhook_retry_seconds=(0.0, 0.0), webhook_retries=2)
    hook.status = 503
    assert provision(start(options), hook)["errorMessage"] == "Custom allocation failed with status code: 503"
    assert len(hook.asked) == 3


@pytest.mark.parametrize("body", [b"x" * (MAX_ANSWER + 5000), b"\xff", b"[" * 60_000])
def test_a_webhook_that_talks_nonsense(running: Watcher, hook: Hook, body: bytes) -> None:
    hook.body = body
    assert provision(running, hook)["errorCode"] == 400207


def test_a_redirection_is_not_followed(running: Watcher, hook: Hook) -> None:
    hook.status, hook.headers = 307, {"Location": hook.url}
    assert "status code: 307" in provision(running, hook)["errorMessage"]
    assert len(hook.asked) == 1


def test_a_ca_that_is_none(start: Callable[..., Watcher], hook: Hook) -> None:
    running = start(EmulatorOptions(https_port=0, webhook_loopback=True, webhook_ca="/nowhere.pem"))
    assert provision(running, hook)["errorCode"] == 400207
    assert "webhook_ca" in running.wait(AllocationAnswered).detail


def test_an_emulator_that_stops_waits_for_no_webhook(running: Watcher, hook: Hook) -> None:
    hook.hold = threading.Event()
    key = running.emulator.enroll("reg-1", allocation="custom", webhook=hook.url).primary_key
    device = Device(running)
    device("PUT", "/reg-1/register", {"registrationId": "reg-1"}, token=device.token("reg-1", key))
    running.emulator.stop()
    assert not running.errors
    assert not running.seen(AllocationAnswered)


def test_a_webhook_without_custom_allocation(running: Watcher) -> None:
    with pytest.raises(EmulatorError, match="custom"):
        running.emulator.enroll("reg-1", webhook=URL)


# --- the service API ---------------------------------------------------------------------------------


def test_the_service_api_keeps_the_definition(running: Watcher) -> None:
    deviceprovisioning = pytest.importorskip("azure.iot.deviceprovisioning", reason="the extra `azure` is missing")
    exceptions = pytest.importorskip("azure.core.exceptions")
    client = deviceprovisioning.DeviceProvisioningClient.from_connection_string(
        running.endpoints.dps_connection_string, connection_verify=str(running.endpoints.ca_path), retry_total=0
    )
    terms = {"allocationPolicy": "custom", "attestation": {"type": "symmetricKey"}, **DEFINITION}
    for store, named in ((client.enrollment, "registrationId"), (client.enrollment_group, "enrollmentGroupId")):
        store.create_or_update("one", {named: "one", **terms})
        read = store.get("one")
        assert read["customAllocationDefinition"] == DEFINITION["customAllocationDefinition"]
        assert read["allocationPolicy"] == "custom"
        for broken in (5, {}, {"webhookUrl": URL}, {"webhookUrl": "http://example.net/", "apiVersion": "1"}):
            with pytest.raises(exceptions.HttpResponseError) as caught:
                store.create_or_update("two", {named: "two", **terms, "customAllocationDefinition": broken})
            assert caught.value.status_code == 400

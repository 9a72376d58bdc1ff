"""The control endpoint over real sockets."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from harness.emulator import Emulator, EmulatorOptions
from harness.emulator.shell.control import is_loopback
from harness.record.events import Event, ProtocolViolation
from tests.emulator.watching import DEADLINE, Watcher


class Control:
    """Talks to a control endpoint."""

    def __init__(self, running: Watcher) -> None:
        self.running = running
        self.port = urlsplit(running.endpoints.control).port

    def __call__(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        data = body if isinstance(body, bytes) or body is None else json.dumps(body)
        connection.request(method, path, data, headers or {})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if text else None

    def follow(self, path: str = "/events") -> Iterator[dict[str, Any]]:
        """The lines of the stream; it is listening when this returns."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE)
        connection.request("GET", path)
        answer = connection.getresponse()
        assert answer.status == 200
        return (json.loads(line) for line in answer)


@pytest.fixture
def control(start: Callable[..., Watcher]) -> Control:
    return Control(start(EmulatorOptions(control_port=0)))


def add_device(emulator: Emulator, device_id: str) -> None:
    emulator.call(lambda services: services.hub.put_device(device_id, {}, None))


def test_status(control: Control) -> None:
    add_device(control.running.emulator, "dev-1")
    control("POST", "/faults", {"fault": [{"at": "register", "do": "silence"}]})
    status, document = control("GET", "/status")
    assert status == 200
    assert document["idScope"] == control.running.endpoints.id_scope
    assert document["hubConnectionString"] == control.running.endpoints.hub_connection_string
    assert (document["devices"], document["connected"]) == (1, 0)
    assert document["faults"] == [{"at": "register", "do": "silence", "played": 0}]


def test_faults_in_toml_and_json(control: Control) -> None:
    toml = b'[[fault]]\nat = "register"\ndo = "error"\ncode = 429\nretry-after = 3\n'
    first = {"at": "register", "do": "error", "code": 429, "retry-after": 3}
    second = {"device": "dev-1", "at": "tls", "do": "bad-certificate", "kind": "expired"}
    assert control("PUT", "/faults", toml) == (200, {"fault": [first]})
    del second["device"]
    assert control("POST", "/faults", {"fault": [second]}) == (200, {"fault": [first, second]})
    assert control("GET", "/faults") == (200, {"fault": [first, second]})
    assert control("DELETE", "/faults") == (204, None)
    assert control("GET", "/faults") == (200, {"fault": []})


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'[[fault]]\nat = "registr"\ndo = "cut"\n', "line 1: fault 1: unknown value of `at` 'registr'; did you mean"),
        (b"{", "not JSON"),
        (b"\xff", "not UTF-8"),
        (b"x = [", "not TOML"),
    ],
)
def test_a_wrong_plan_changes_nothing(control: Control, body: bytes, sentence: str) -> None:
    control("PUT", "/faults", {"fault": [{"at": "poll", "do": "cut"}]})
    status, document = control("PUT", "/faults", body)
    assert status == 400
    assert sentence in document["error"]
    assert control("GET", "/faults")[1] == {"fault": [{"at": "poll", "do": "cut"}]}


def test_enrollments(control: Control) -> None:
    status, first = control("POST", "/enrollments", {"registrationId": "reg-1", "deviceId": "dev-1"})
    assert (status, first["registrationId"], first["deviceId"]) == (201, "reg-1", "dev-1")
    assert control("POST", "/enrollments", {"registrationId": "reg-1"}) == (201, first)
    bodies: tuple[Any, ...] = (
        {},
        [],
        {"registrationId": 7},
        {"registrationId": "a b"},
        {"registrationId": "x", "deviceId": 1},
    )
    for body in bodies:
        status, document = control("POST", "/enrollments", body)
        assert status == 400
        assert document["error"]


def test_the_live_stream_and_what_is_held(control: Control) -> None:
    emulator = control.running.emulator
    lines = control.follow()
    add_device(emulator, "dev-1")
    desire(emulator, 1)
    line = next(lines)
    assert (line["kind"], line["patch"]) == ("desired_changed", {"x": 1})
    desire(emulator, 2)
    assert next(lines)["n"] == line["n"] + 1
    held = control.follow("/events?after=0")
    assert [next(held)["n"] for _ in range(2)] == [1, 2]
    assert next(control.follow("/events?after=1"))["n"] == 2
    assert control("GET", "/events?after=x")[0] == 400


def test_no_event_ends_the_stream(control: Control) -> None:
    """A stranger's bytes come to be in an event; here as an event brings them that nobody has cleaned."""
    lines = control.follow()
    for detail in ("\udcff", "after"):
        emit(control.running.emulator, ProtocolViolation("", None, "rule", detail, closed=True))
    assert [next(lines)["detail"] for _ in range(2)] == ["?", "after"]


def emit(emulator: Emulator, event: Event) -> None:
    emulator.call(lambda services: services.context.emit(event))


def test_nor_does_a_subprotocol_that_is_no_text(start: Callable[..., Watcher]) -> None:
    running = start(EmulatorOptions(control_port=0, https_port=0))
    lines = Control(running).follow()
    ends = running.endpoints
    assert ends.https_port
    head = (
        f"GET /$iothub/websocket HTTP/1.1\r\nHost: {ends.hub_host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: "
    )
    for asked in (b"\xff", b"other"):
        with (
            socket.create_connection((ends.hub_host, ends.https_port), timeout=DEADLINE) as raw,
            running.tls().wrap_socket(raw, server_hostname=ends.hub_host) as tls,
        ):
            tls.sendall(head.encode() + asked + b"\r\n\r\n")
            assert tls.recv(12) == b"HTTP/1.1 400"
        assert (
            next(lines)["detail"]
            == f"a WebSocket with the subprotocol {asked.decode(errors='replace')} in place of mqtt"
        )


def desire(emulator: Emulator, value: int) -> None:
    def update(services: Any) -> None:
        services.hub.update_twin(services.hub.registry.get("dev-1"), {"properties": {"desired": {"x": value}}})

    emulator.call(update)


def test_the_stream_gives_no_key_away(control: Control) -> None:
    emulator = control.running.emulator
    lines = control.follow()
    add_device(emulator, "dev-1")
    keys = emulator.call(
        lambda services: (*services.hub.registry.get("dev-1").keys, services.hub.access.policies["device"].primary_key)
    )

    def leak(services: Any) -> None:
        services.hub.update_twin(services.hub.registry.get("dev-1"), {"properties": {"desired": {"x": " ".join(keys)}}})

    emulator.call(leak)
    assert next(lines)["patch"] == {"x": "*** *** ***"}


def test_a_stream_ends_with_the_emulator(control: Control) -> None:
    lines = control.follow()
    ended = threading.Event()

    def read() -> None:
        try:
            for _ in lines:
                continue
        except (OSError, http.client.HTTPException):
            pass
        ended.set()

    threading.Thread(target=read, daemon=True).start()
    control.running.emulator.stop()
    assert ended.wait(DEADLINE)


@pytest.mark.parametrize(("limit", "most"), [("_WAITING", 3), ("_WAITING_BYTES", 2000)])
def test_a_reader_that_does_not_read_is_dropped(
    control: Control, monkeypatch: pytest.MonkeyPatch, limit: str, most: int
) -> None:
    monkeypatch.setattr(f"harness.emulator.shell.control.{limit}", most)
    emulator = control.running.emulator
    lines = control.follow()
    add_device(emulator, "dev-1")

    def burst(services: Any) -> None:
        for value in range(10):
            services.hub.update_twin(services.hub.registry.get("dev-1"), {"properties": {"desired": {"x": value}}})

    emulator.call(burst)
    kinds = [line["kind"] for line in lines]
    assert kinds == ["desired_changed"] * 3 + ["too_slow"]


def test_reset_forgets_all_but_certificates_and_keys(control: Control) -> None:
    emulator = control.running.emulator
    before = control.running.endpoints
    emulator.enroll("reg-1")
    add_device(emulator, "dev-1")
    control("PUT", "/faults", {"fault": [{"at": "poll", "do": "cut"}]})
    assert control("POST", "/reset") == (204, None)
    _, status = control("GET", "/status")
    assert (status["devices"], status["faults"]) == (0, [])
    assert emulator.call(lambda services: services.enrollments.get("reg-1")) is None
    assert emulator.endpoints == before


def test_metrics_and_logs(control: Control) -> None:
    assert control("GET", "/metrics") == (200, [])
    assert control("GET", "/logs") == (200, [])


@pytest.mark.parametrize(
    ("headers", "sentence"),
    [
        ({"Host": "evil.example"}, "Host header"),
        ({"Host": "evil.example:80"}, "Host header"),
        ({"Host": "127.0.0.1.evil.example"}, "Host header"),
        ({"Origin": "https://evil.example"}, "other origins"),
        ({"Origin": "null"}, "other origins"),
    ],
)
def test_what_comes_from_the_web_is_refused(control: Control, headers: dict[str, str], sentence: str) -> None:
    status, document = control("POST", "/reset", headers=headers)
    assert status == 403
    assert sentence in document["error"]


def test_what_comes_from_this_machine_is_served(control: Control) -> None:
    for headers in ({"Host": "localhost"}, {"Host": f"[::1]:{control.port}"}, {"Origin": "http://localhost:3000"}):
        assert control("GET", "/status", headers=headers)[0] == 200
    assert control("GET", "/nothing")[0] == 404
    assert control("POST", "/status")[0] == 405


def test_loopback() -> None:
    assert is_loopback("127.8.9.1")
    assert is_loopback("::1")
    assert not is_loopback("192.168.1.1")
    assert not is_loopback("localhost.example")
    assert not is_loopback("")

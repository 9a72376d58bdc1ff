"""What is tried again, when, and how long."""

from __future__ import annotations

import base64
import threading
from typing import Any

import pytest
from msrest.exceptions import ClientRequestError, HttpOperationError

from harness.azure.cost import COMMANDS, TWINS, Tally
from harness.azure.retrying import Again, Patience, seconds_of
from harness.target.service import HubService, ServiceError

KEY = base64.b64encode(bytes(32)).decode()
STRING = f"HostName=h.azure-devices.net;SharedAccessKeyName=service;SharedAccessKey={KEY}"


class Busy(Exception):
    pass


def patience(waits: list[float], seconds: float = 60.0) -> Patience:
    """One whose clock moves by waiting only."""

    def wait(delay: float) -> bool:
        waits.append(delay)
        return False

    return Patience(seconds, clock=lambda: sum(waits), chance=lambda: 0.5, wait=wait)


def failing(times: int) -> Any:
    left = [Busy()] * times

    def call() -> str:
        if left:
            raise left.pop()
        return "done"

    return call


def test_it_waits_longer_each_time_and_no_longer_than_is_bearable() -> None:
    waits: list[float] = []
    assert patience(waits).carry_out(failing(7), lambda _: Again()) == "done"
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]


def test_it_waits_as_the_service_asks() -> None:
    waits: list[float] = []
    assert patience(waits).carry_out(failing(2), lambda _: Again(7.0)) == "done"
    assert waits == [7.5, 7.5]


def test_it_gives_up_in_time_and_at_once_when_told() -> None:
    waits: list[float] = []
    with pytest.raises(Busy):
        patience(waits, seconds=10).carry_out(failing(99), lambda _: Again())
    assert sum(waits) <= 10
    with pytest.raises(Busy):
        patience(waits).carry_out(failing(1), lambda _: None)
    stopped = Patience(stop=threading.Event())
    stopped.stop.set()
    with pytest.raises(Busy):
        stopped.carry_out(failing(1), lambda _: Again(30.0))


@pytest.mark.parametrize(
    ("text", "seconds"), [("3", 3.0), (" 12 ", 12.0), ("", None), (None, None), ("Wed, 01 Jan", None), ("9" * 9, None)]
)
def test_retry_after(text: str | None, seconds: float | None) -> None:
    assert seconds_of(text) == seconds


class _Response:
    def __init__(self, status: int, text: str = "", **headers: str) -> None:
        self.status_code, self.text, self.headers = status, text, headers
        self.content = text.encode()

    def json(self) -> Any:
        return {}


class _Operations:
    """The SDK's operations, of which each call fails so or so before it answers."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.calls = 0
        self.devices = self.digital_twin = self

    def _answer(self, *_: Any, **__: Any) -> Any:
        self.calls += 1
        if self.failures:
            raise self.failures.pop(0)
        raw = type("Raw", (), {})()
        raw.response, raw.output = _Response(200, "{}"), None
        return raw

    get_twin = invoke_root_level_command = _answer

    def close(self) -> None:
        pass


def _refusal(status: int, text: str = "", **headers: str) -> HttpOperationError:
    error = HttpOperationError.__new__(HttpOperationError)
    Exception.__init__(error, "refused")
    error.response = _Response(status, text, **{k.replace("_", "-"): v for k, v in headers.items()})
    return error


def _service(operations: _Operations, waits: list[float], tally: Tally | None = None) -> HubService:
    service = HubService(STRING, None, patience=patience(waits), tally=tally)
    service.__dict__["_operations"] = operations
    return service


def _invoke(service: HubService) -> Any:
    return service.invoke_command("d", None, "c", 1, connect_timeout=1, response_timeout=5)


def test_a_throttled_call_is_made_again_when_the_hub_says() -> None:
    waits: list[float] = []
    tally = Tally()
    operations = _Operations(_refusal(429, Retry_After="4"), _refusal(503))
    assert _service(operations, waits, tally).device_twin("d") == {}
    assert waits == [4.5, 1.0]
    assert tally.throttled == 2
    assert tally.operations[TWINS] == 1


def test_a_command_that_may_have_gone_out_is_not_invoked_twice() -> None:
    waits: list[float] = []
    lost = ClientRequestError("lost", ConnectionResetError("reset"))
    operations = _Operations(lost)
    with pytest.raises(ServiceError, match="could not be reached"):
        _invoke(_service(operations, waits))
    assert (operations.calls, waits) == (1, [])
    never = ClientRequestError("refused", ConnectionRefusedError("refused"))
    operations = _Operations(never, _refusal(429))
    assert _invoke(_service(operations, waits)).status == 200
    assert operations.calls == 3


@pytest.mark.parametrize(
    ("status", "text", "says", "code"),
    [
        (404, '{"Message":"{\\"errorCode\\":404103,\\"message\\":\\"Timed out\\"}"}', "DeviceNotConnected", 404103),
        (403, '{"Message":"ErrorCode:IotHubQuotaExceeded;403002"}', "after 00:00 UTC", 403002),
        (401, '{"Message":"ErrorCode:IotHubUnauthorizedAccess;Unauthorized"}', "right ServiceConnect", None),
        (403, '{"Message":"ErrorCode:DeviceDisabled;403012"}', "disabled in the hub", 403012),
        (500, "<html>", "500: <html>", None),
    ],
)
def test_refusals_are_said_in_plain_words(status: int, text: str, says: str, code: int | None) -> None:
    with pytest.raises(ServiceError) as caught:
        _service(_Operations(_refusal(status, text)), []).device_twin("d")
    assert says in str(caught.value)
    assert (caught.value.status, caught.value.code) == (status, code)


def test_a_throttle_that_lasts_is_said_after_a_while() -> None:
    waits: list[float] = []
    with pytest.raises(ServiceError, match="throttled"):
        _service(_Operations(*[_refusal(429, '{"Message":"429001"}')] * 99), waits).device_twin("d")
    assert 45 <= sum(waits) <= 60


def test_a_command_to_an_absent_device_counts_twice() -> None:
    tally = Tally()
    with pytest.raises(ServiceError):
        _invoke(_service(_Operations(_refusal(404, '{"Message":"404103"}')), [], tally))
    assert tally.units[COMMANDS] == 2

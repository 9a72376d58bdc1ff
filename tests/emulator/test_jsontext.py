"""JSON of strangers: what is refused, so that nothing after it has to fear what it holds."""

from __future__ import annotations

import pytest

from harness.emulator import jsontext
from harness.emulator.hub.twins import Twin
from harness.record.events import ReportedPatched
from tests.emulator.fakes import World, publish

PATCH = "$iothub/twin/PATCH/properties/reported/?$rid=1"


@pytest.mark.parametrize(
    "text",
    ["1e999", "[-1e400]", "NaN", "Infinity", '"\\ud800"', "1 2", "", '{"a"', "\ufeff{}", "[" * 200 + "]" * 200],
)
def test_what_no_sdk_could_read_again_is_refused(text: str) -> None:
    with pytest.raises(jsontext.InvalidJson):
        jsontext.load(text.encode())


@pytest.mark.parametrize("depth", [100, 129, 450, 900, 100_000])
def test_nesting_has_one_limit_whatever_the_interpreter_allows(depth: int) -> None:
    for opening, closing in (("[", "]"), ('{"a":', "}")):
        text = (opening * depth + "1" + closing * depth).encode()
        if depth > jsontext.MAX_NESTING:
            with pytest.raises(jsontext.InvalidJson):
                jsontext.load(text)
        else:
            jsontext.load(text)
    assert jsontext.load(b"[" + b"[]," * 1000 + b"{}]")  # many beside one another are no nesting


@pytest.mark.parametrize("payload", [b'{"a":' + b"[" * 600 + b"]" * 600 + b"}", b'{"a":1e999}', b"{}\0\0"])
def test_a_device_that_reports_such_a_thing_gets_400_and_stays_connected(payload: bytes) -> None:
    world = World()
    client = world.at_hub(world.add_device(), "$iothub/twin/res/#")
    (answer,) = publish(client, PATCH, payload, 1)
    assert answer.topic == "$iothub/twin/res/400/?$rid=1"
    assert (world.last(ReportedPatched).error_code, client.closed) == (400004, False)


def test_the_deepest_value_that_is_read_can_be_kept_and_written() -> None:
    twin = Twin()
    lists = b"[" * (jsontext.MAX_NESTING - 1) + b"]" * (jsontext.MAX_NESTING - 1)
    twin.report(jsontext.load(b'{"a":' + lists + b"}"), "now")
    assert jsontext.dump(twin.for_service()["properties"]["reported"])

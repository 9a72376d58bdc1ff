"""What a twin takes, by the limits of IoT Hub's developer guide."""

from __future__ import annotations

import pytest

from harness.device.simulator.limits import fits_twin


def nested(levels: int) -> object:
    return {"n": nested(levels - 1)} if levels else 1


@pytest.mark.parametrize(
    "value",
    [True, 2**52 - 1, -(2**52), 1e300, "x" * 4096, {"a-b_c": 1}, {"k" * 1024: 1}, nested(7), [1, "a"], {}],
)
def test_fits(value: object) -> None:
    assert fits_twin(value)


@pytest.mark.parametrize(
    "value",
    [
        2**52,
        -(2**52) - 1,
        "x" * 4097,
        "é" * 2049,
        {"a.b": 1},
        {"$a": 1},
        {"a b": 1},
        {"a\u0007": 1},
        {"": 1},
        {"k" * 1025: 1},
        {"deep": {"er": 2**60}},
        [2**60],
        nested(8),
    ],
)
def test_does_not_fit(value: object) -> None:
    assert not fits_twin(value)

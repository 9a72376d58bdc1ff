"""The switches by name, and the pages that tell of them."""

from __future__ import annotations

from dataclasses import fields

import pytest

from harness.emulator import EmulatorOptions
from harness.emulator.faults import Point
from harness.emulator.faults.plan import ACTS
from harness.emulator.switches import read, switches
from tests.emulator.faults import limits
from tests.paths import REPO

GUIDE = REPO / "docs" / "emulator.md"


def test_every_switch_has_a_default_and_the_unsure_ones_a_word_of_help() -> None:
    assert list(switches()) == [field.name for field in fields(EmulatorOptions)]
    assert all(switch.help for switch in switches().values() if switch.unsure)
    assert switches()["dps_wrong_credential"].unsure
    assert not switches()["retry_after"].unsure


def test_the_page_lists_every_switch_as_it_is() -> None:
    wanted = [limits.rows(unsure=True), limits.rows(unsure=False)]
    assert limits.tables() == wanted, "run `python -m tests.emulator.faults.limits`"


def test_the_guide_names_every_moment_and_fault() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    assert [point.value for point in Point if f"`{point.value}`" not in text] == []
    assert [act for act in ACTS if f"`{act}`" not in text] == []


def test_values_from_texts() -> None:
    texts = ["retry_after=3", "uvloop=false", "method_timeout_range=5,3600", "names=a, b", "amqp-port=none"]
    assert read([*texts, "qos2-publish=puback", "keep_alive_cap=60"]) == {
        "retry_after": 3,
        "uvloop": False,
        "method_timeout_range": (5.0, 3600.0),
        "names": ("a", "b"),
        "amqp_port": None,
        "qos2_publish": "puback",
        "keep_alive_cap": 60.0,
    }


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("retry_afte=3", "did you mean retry_after?"),
        ("zzz=3", "emulator-limits.md lists them"),
        ("retry_after=x", "a whole number is expected"),
        ("retry_after=1.5", "a whole number is expected"),
        ("uvloop=3", "true or false is expected"),
        ("retry_after", "write NAME=VALUE"),
        ("method_timeout_range=5", "commas"),
        ("amqp_port=true", "a whole number or none is expected"),
    ],
)
def test_a_wrong_value_says_what_is_expected(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="--set") as caught:
        read([text])
    assert sentence in str(caught.value)

"""A hub with an AMQP endpoint, for the tests that need Proton and no socket."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.emulator.amqp.fakes import AmqpWorld


@pytest.fixture
def world() -> AmqpWorld:
    from tests.emulator.amqp.fakes import AmqpWorld

    return AmqpWorld()

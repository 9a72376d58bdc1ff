"""The fixtures: the run, its model, its hub, and the case a test of the suite is about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from harness.plugin.cases import judgement_of
from harness.plugin.reports import EVIDENCE
from harness.plugin.state import STATE

if TYPE_CHECKING:
    from harness.checks import Judgement
    from harness.dtdl import Model
    from harness.run import Run
    from harness.target.service import HubService


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def preflight(request: pytest.FixtureRequest) -> AsyncIterator[Run]:
    """The run, conducted: the device was provisioned, watched and exercised; the record holds what was seen."""
    subject = request.config.stash[STATE].subject(getattr(request, "param", None))
    subject.take_address()
    try:
        await subject.run.conduct(subject.chosen)
    except Exception:
        subject.end()
        raise
    yield subject.run
    subject.end()


@pytest.fixture(scope="session")
def model(preflight: Run) -> Model | None:
    """The device's DTDL model; None when it could not be resolved."""
    return preflight.model


@pytest.fixture(scope="session")
def device_id(preflight: Run) -> str | None:
    """The id of the device in the hub; None when it never got there."""
    return preflight.evidence.device_id


@pytest.fixture(scope="session")
def hub(preflight: Run) -> HubService:
    """The service side of the hub: twins, properties, commands of the device under test."""
    return preflight.service()


@dataclass(frozen=True, slots=True)
class Case:
    """One case of the suite, as a test sees it."""

    run: Run
    judgement: Judgement
    item: pytest.Item

    def holds(self) -> None:
        """Pass, fail, or skip with the cause, as the record says."""
        from harness.report.evidence import output, properties
        from harness.report.text import case_text
        from harness.verdict import Outcome

        result = self.run.judge(self.judgement)
        self.item.user_properties += properties(result)
        self.item.stash[EVIDENCE] = output(self.run, result)
        text = self.run.redactor.clean(case_text(result))
        if result.outcome in (Outcome.BLOCKED, Outcome.NOT_OBSERVABLE, Outcome.NOT_CHOSEN):
            pytest.skip(text)
        strict = self.run.settings.strict
        if result.outcome in (Outcome.FAILED, Outcome.ERROR) or (result.outcome is Outcome.WARNING and strict):
            pytest.fail(text, pytrace=False)


@pytest.fixture
def case(preflight: Run, request: pytest.FixtureRequest) -> Case:
    """The case that a test of the suite is about, by the test's name and parameter."""
    judgement = judgement_of(request.node)
    if judgement is None:
        raise pytest.UsageError(
            f"{request.node.nodeid} asks for the fixture `case`, which belongs to the suite's own tests. "
            "Use `preflight`, `hub`, `model` or `device_id` in tests of your own."
        )
    return Case(preflight, judgement, request.node)

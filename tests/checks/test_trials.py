"""What the checks make of trials: bounds, and what no device in the other tests is slow or odd enough for."""

from __future__ import annotations

from typing import Any

import pytest

from harness.checks import CHECKS, Judgement, bounds, judge
from harness.checks import trials as t
from harness.record import events as ev
from harness.record.recorder import Recorder
from harness.verdict import CaseResult, Outcome
from tests.checks.story import DEVICE, Story
from tests.checks.words import codes


class Trial:
    """A trial told event by event, each at a moment of its own."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.time = 0.0
        self.story = Story().opened("wire", "telemetry", "twin", "faults").registered().connected()
        recorder = Recorder(clock=lambda: self.time)
        for entry in self.story.recorder.entries:
            recorder.emit(entry.event)
        recorder.follow(self.story.evidence.add)
        self.story.recorder = recorder
        self.tell(ev.TrialBegan(name))

    def tell(self, event: ev.Event, after: float = 0.0) -> Trial:
        self.time += after
        self.story.recorder.emit(event)
        return self

    def dropped(self, after: float = 0.0) -> Trial:
        return self.tell(ev.HubDisconnected(DEVICE, None, "hub", "a trial cut the connection"), after)

    def connects(self, code: int = 0, after: float = 0.0, times: int = 1, **more: Any) -> Trial:
        fields: dict[str, Any] = {
            "model_id": "dtmi:test:Pump;1",
            "api_version": "2021-04-12",
            "client_type": "test",
            "keep_alive": 60,
            "clean_session": False,
            "session_present": True,
            "transport": "mqtt",
            "authentication": "sas",
            "raw_user_name": "",
        }
        for _ in range(times):
            self.tell(ev.HubConnected(DEVICE, None, code, **{**fields, **more}), after)
        return self

    def registers(self, after: float = 0.0) -> Trial:
        return self.tell(ev.RegistrationRequested(DEVICE, "1", b"{}"), after)

    def answered(self, status: int, retry_after: int | None = None) -> Trial:
        return self.tell(ev.RegistrationAnswered(DEVICE, "1", status, b"{}", retry_after))

    def ended(self, saw: str = "nothing in time", after: float = 0.0) -> Trial:
        self.time += after
        return self.tell(ev.TrialEnded(self.name, saw, self.time))

    def judge(self, check: str) -> CaseResult:
        return judge(Judgement(CHECKS[check]), self.story.evidence)


# --- the hub -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("waits", "found"), [(10.0, []), (bounds.FIRST_RECONNECT + 1, ["error reconnects-late"])])
def test_how_soon_it_reconnects(waits: float, found: list[str]) -> None:
    told = Trial(t.HUB_CUT).dropped().connects(after=waits).ended()
    assert codes(told.judge("reconnects_after_cut")) == found


@pytest.mark.parametrize(
    ("times", "gap", "found"),
    [
        (13, 0.5, []),
        (41, 0.2, ["info many-connects"]),  # as many as Microsoft's SDK for Node makes
        (61, 0.1, ["error connect-hammering"]),
        (300, 0.5, []),
    ],
)
def test_how_often_it_connects_evenly(times: int, gap: float, found: list[str]) -> None:
    told = Trial(t.HUB_BUSY).dropped().connects(3, after=gap, times=times).ended()
    result = told.judge("no_hammering")
    assert codes(result) == found
    assert all("hub-busy" in f.message for f in result.findings)


def test_one_that_connects_often_at_first_and_slows_down_does_not_hammer() -> None:
    told = Trial(t.HUB_MOVED).dropped().connects(5, after=0.1, times=45).connects(5, after=0.25, times=20)
    trial = told.ended()
    trial.tell(ev.TrialBegan(t.HUB_BUSY)).tell(ev.TrialEnded(t.HUB_BUSY, "", 0.0))
    assert codes(trial.judge("no_hammering")) == ["info many-connects"]


@pytest.mark.parametrize(
    ("failures", "found"),
    [(1, ["error reregisters-too-soon"]), (4, ["info reregisters-too-soon"]), (10, [])],
)
def test_how_many_failures_lead_back_to_dps(failures: int, found: list[str]) -> None:
    told = Trial(t.HUB_BUSY).dropped().connects(3, after=1, times=failures).registers().ended()
    assert codes(told.judge("stays_with_hub_when_busy")) == found
    assert codes(told.judge("reregisters_after_ten_failures")) == []


@pytest.mark.parametrize(
    ("failures", "found"), [(3, ["info ten-failures-not-reached"]), (11, ["warning keeps-lost-hub"])]
)
def test_a_device_that_stays_with_a_hub_that_is_busy_for_ever(failures: int, found: list[str]) -> None:
    told = Trial(t.HUB_BUSY).dropped().connects(3, after=1, times=failures).ended()
    assert codes(told.judge("reregisters_after_ten_failures")) == found


@pytest.mark.parametrize(
    ("failures", "silent", "saw", "found"),
    [
        (1, 35.0, "nothing in time", "error never-reregisters"),
        (12, 1.0, "nothing in time", "error never-reregisters"),
        (2, 5.0, "nothing in time", "warning reregistration-not-seen"),
        (2, 5.0, t.SILENT, "error never-reregisters"),
    ],
)
def test_a_device_whose_hub_forgets_it(failures: int, silent: float, saw: str, found: str) -> None:
    told = Trial(t.HUB_MOVED).dropped().connects(5, after=1, times=failures)
    told.tell(ev.TelemetryReceived(DEVICE, None, None, b"{}"), silent).ended(saw)
    assert codes(told.judge("reregisters_when_moved")) == [found]


def test_a_device_that_registers_and_does_not_come_back() -> None:
    told = Trial(t.HUB_MOVED).dropped().connects(5).registers().ended()
    assert codes(told.judge("reregisters_when_moved")) == ["error not-back-after-reregistration"]


def test_a_device_that_gives_up_when_it_is_disabled() -> None:
    told = Trial(t.HUB_DISABLED).dropped().connects(5, times=2).ended(after=35)
    assert codes(told.judge("returns_after_disabled")) == ["error gives-up-when-refused"]


@pytest.mark.parametrize(
    ("same", "gap", "other", "found"),
    [
        (0, 0.0, True, []),
        (9, 0.1, True, []),  # tokens of one second are the same
        (3, 2.0, True, ["warning expired-token-reused"]),
        (3, 2.0, False, ["error expired-token-reused"]),
        (0, 0.0, False, ["error token-not-renewed"]),
    ],
)
def test_what_token_it_shows_next(same: int, gap: float, other: bool, found: list[str]) -> None:
    told = Trial(t.TOKEN_EXPIRED).dropped().connects(5, token_mark="one")
    told.connects(5, after=gap, times=same, token_mark="one")
    if other:
        told.connects(token_mark="two", after=1)
    assert codes(told.ended().judge("renews_token")) == found


def test_a_device_without_a_token() -> None:
    told = Trial(t.TOKEN_EXPIRED).dropped().connects(5).connects().ended()
    assert told.judge("renews_token").outcome is Outcome.NOT_OBSERVABLE


@pytest.mark.parametrize(
    ("order", "answered", "found"),
    [
        ((4, 3), (4,), []),
        ((4, 3), (4, 3), ["warning old-patch-applied"]),
        ((3, 4), (3, 4), None),  # on a busy machine the older one may come first after all
    ],
)
def test_a_patch_that_is_overtaken(order: tuple[int, ...], answered: tuple[int, ...], found: list[str] | None) -> None:
    told = Trial(t.OLD_PATCH)
    for version in (3, 4):
        told.story.wrote("speed", version, version, "trial")
    for version in order:
        told.tell(ev.DesiredChanged(DEVICE, None, version, {"speed": version}, True))
        if version in answered:
            told.story.acked("speed", version, version)
    result = told.ended("what was awaited").judge("ignores_old_patches")
    assert result.outcome is Outcome.BLOCKED if found is None else codes(result) == found


# --- DPS -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("waits", "found"),
    [
        (2.0, ["error register-retry-after-ignored"]),
        (2.6, []),
        (40.0, []),
        (64.0, ["warning register-retried-late"]),
    ],
)
def test_how_long_it_heeds_retry_after(waits: float, found: list[str]) -> None:
    told = Trial(t.DPS_THROTTLED).registers().answered(429, 3).registers(after=waits).ended()
    assert codes(told.judge("honours_retry_after_on_register")) == found


def test_a_request_that_is_never_repeated() -> None:
    told = Trial(t.DPS_THROTTLED).registers().answered(429, 3).ended(after=70)
    assert codes(told.judge("honours_retry_after_on_register")) == ["error register-not-retried"]


@pytest.mark.parametrize(
    ("waits", "found"),
    [
        ((0.2, 3.0), ["error register-hammering"]),
        ((2.0, 2.1), ["info back-off-fixed"]),
        ((1.0, 2.0), ["info back-off-without-jitter"]),
        ((1.13, 2.41), []),
    ],
)
def test_how_it_spaces_its_requests(waits: tuple[float, ...], found: list[str]) -> None:
    told = Trial(t.DPS_FAILING).registers().answered(503)
    for wait in waits:
        told.registers(after=wait).answered(503 if wait != waits[-1] else 202)
    assert codes(told.ended().judge("backs_off_registering")) == found


# --- what every trial may meet -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("saw", "reason"),
    [
        (f"{t.NOT_BEGUN}The device was not connected any more.", "The device was not connected any more."),
        (f"{t.FAILED}ValueError: x", "The harness failed while this was tried: ValueError: x"),
        (t.INTERRUPTED, "The run was interrupted while this was tried."),
    ],
)
def test_a_trial_that_came_to_nothing_blocks_with_the_reason(saw: str, reason: str) -> None:
    result = Trial(t.HUB_CUT).ended(saw).judge("reconnects_after_cut")
    assert (result.outcome, result.reason) == (Outcome.BLOCKED, reason)


def test_a_trial_that_was_not_reached_is_blocked() -> None:
    assert Trial(t.HUB_CUT).judge("renews_token").outcome is Outcome.BLOCKED


def test_a_target_without_faults_cannot_show_it() -> None:
    story = Story().opened("wire").registered().connected()
    assert judge(Judgement(CHECKS["renews_token"]), story.evidence).outcome is Outcome.NOT_OBSERVABLE

"""What the checks make of trials: bounds, and what no device in the other tests is slow or odd enough for."""

from __future__ import annotations

from collections.abc import Sequence
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
    """A trial told event by event, each at a moment of its own. `waits` are the seconds before each message that the
    device sent in the ordinary run, after it had connected."""

    def __init__(self, name: str, *waits: float, keep_alive: int = 60) -> None:
        self.name = name
        self.time = 0.0
        self.story = Story().opened("wire", "telemetry", "twin", "faults").registered()
        self.story.connected(keep_alive=keep_alive)
        recorder = Recorder(clock=lambda: self.time)
        for entry in self.story.recorder.entries:
            recorder.emit(entry.event)
        recorder.follow(self.story.evidence.add)
        self.story.recorder = recorder
        for wait in waits:
            self.sends(wait)
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

    def sends(self, after: float = 0.0) -> Trial:
        return self.tell(ev.TelemetryReceived(DEVICE, None, None, b"{}"), after)

    def registers(self, after: float = 0.0) -> Trial:
        return self.tell(ev.RegistrationRequested(DEVICE, "1", b"{}"), after)

    def answered(self, status: int, retry_after: int | None = None, body: bytes = b"{}") -> Trial:
        return self.tell(ev.RegistrationAnswered(DEVICE, "1", status, body, retry_after))

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
    told.tell(ev.TrialBegan(t.HUB_MOVED)).tell(ev.TrialEnded(t.HUB_MOVED, "", 0.0))
    result = told.judge("no_hammering")
    assert result.outcome in (Outcome.PASSED, Outcome.FAILED)
    assert codes(result) == found
    assert all("hub-busy" in f.message for f in result.findings)


def test_one_that_never_tries_again_is_not_said_to_hammer_nor_not_to() -> None:
    told = Trial(t.HUB_BUSY).dropped().ended(after=35)
    told.tell(ev.TrialBegan(t.HUB_MOVED)).tell(ev.TrialEnded(t.HUB_MOVED, "", 0.0))
    assert told.judge("no_hammering").outcome is Outcome.BLOCKED


def test_both_trials_are_needed_to_say_that_it_does_not_hammer() -> None:
    told = Trial(t.HUB_BUSY).dropped().connects(3, after=1, times=4).ended()
    assert told.judge("no_hammering").outcome is Outcome.BLOCKED


def test_one_that_connects_often_at_first_and_slows_down_does_not_hammer() -> None:
    told = Trial(t.HUB_MOVED).dropped().connects(5, after=0.1, times=45).connects(5, after=0.25, times=20)
    trial = told.ended()
    trial.tell(ev.TrialBegan(t.HUB_BUSY)).tell(ev.TrialEnded(t.HUB_BUSY, "", 0.0))
    assert codes(trial.judge("no_hammering")) == ["info many-connects"]


def test_one_that_hammers_while_it_slows_down_hammers() -> None:
    told = Trial(t.HUB_BUSY).dropped().connects(3, after=0.02, times=125).connects(3, after=0.033, times=75).ended()
    assert codes(told.judge("no_hammering")) == ["error connect-hammering"]


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
        (2, 60.0, "nothing in time", "warning reregistration-not-seen"),  # its next wait may be 100 s
        (2, 105.0, "nothing in time", "error never-reregisters"),
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
    assert "enabled" not in told.judge("returns_after_disabled").findings[0].message, "it never was"


def test_a_device_that_gives_up_before_it_is_enabled_again() -> None:
    told = Trial(t.HUB_DISABLED).dropped().connects(5).tell(ev.WaitEnded(t.ENABLED, False, 70, 70)).ended()
    (found,) = told.judge("returns_after_disabled").findings
    assert (found.code, "after it was enabled again" in found.message) == ("gives-up-when-refused", True)


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


@pytest.mark.parametrize(
    ("saw", "exit_code", "outcome"),
    [
        ("what was awaited", None, Outcome.PASSED),
        ("nothing in time", None, Outcome.BLOCKED),
        ("nothing in time", 1, Outcome.FAILED),
    ],
)
def test_a_device_that_answers_nothing_after_an_old_patch(saw: str, exit_code: int | None, outcome: Outcome) -> None:
    told = Trial(t.OLD_PATCH)
    for version in (3, 4):
        told.story.wrote("speed", version, version, "trial")
    for version in (4, 3):
        told.tell(ev.DesiredChanged(DEVICE, None, version, {"speed": version}, True))
    told.story.acked("speed", 4, 4)
    if exit_code is not None:
        told.tell(ev.DeviceExited(exit_code, False, ()))
    assert told.ended(saw).judge("ignores_old_patches").outcome is outcome


@pytest.mark.parametrize(
    ("report", "outcome"),
    [
        ({"speed": {"value": 7, "ac": 200, "av": 5}}, Outcome.PASSED),
        ({"speed": {"value": 7, "ac": 200, "av": 1}}, Outcome.PASSED),  # what its versions are worth is found elsewhere
        ({"speed": {"value": 3, "ac": 203, "av": 0}}, Outcome.FAILED),
        ({"speed": {"value": 3, "ac": 200, "av": 2}}, Outcome.FAILED),
        ({"speed": 3}, Outcome.FAILED),
    ],
)
def test_what_a_device_tells_when_it_is_back_is_no_answer_by_itself(report: Any, outcome: Outcome) -> None:
    told = Trial(t.HUB_BUSY).dropped().connects(3)
    told.story.wrote("speed", 7, 5, "trial")
    told.connects(after=5)
    told.story.reported(report)
    assert told.ended().judge("restores_desired_state").outcome is outcome


@pytest.mark.parametrize(
    ("delivered", "outcome"), [(True, Outcome.PASSED), (False, Outcome.FAILED), (None, Outcome.PASSED)]
)
def test_a_device_that_takes_commands_again_takes_desired_properties_too(
    delivered: bool | None, outcome: Outcome
) -> None:
    told = Trial(t.HUB_BUSY).dropped().connects(3)
    told.tell(ev.DesiredChanged(DEVICE, None, 5, {"speed": 5}, False)).connects(after=5)
    told.story.asked("stop", "trial", 200)
    if delivered is not None:
        told.tell(ev.DesiredChanged(DEVICE, None, 6, {"speed": 6}, delivered))
    assert told.ended().judge("restores_subscriptions").outcome is outcome


def test_a_keep_alive_that_was_not_watched_is_not_said_to_be_kept() -> None:
    assert judge_keep_alive(Trial(t.HUB_CUT, keep_alive=5).ended()) is Outcome.BLOCKED
    assert judge_keep_alive(Trial(t.HUB_CUT, keep_alive=60).ended()) is Outcome.PASSED
    assert judge_keep_alive(Trial(t.KEEP_ALIVE, keep_alive=5).ended()) is Outcome.PASSED
    assert judge_keep_alive(Trial(t.KEEP_ALIVE, keep_alive=5).dropped().ended()) is Outcome.BLOCKED
    assert judge_keep_alive(Trial(t.KEEP_ALIVE, keep_alive=5).dropped().connects().ended()) is Outcome.PASSED


def judge_keep_alive(told: Trial) -> Outcome:
    return told.judge("keeps_alive").outcome


def test_messages_that_come_all_at_once_tell_no_interval() -> None:
    told = Trial(t.HUB_CUT, 0.1, 0.01, 0.01).dropped(after=4).connects(after=1).ended(after=10)
    assert codes(told.judge("reconnects_after_cut")) == ["info telemetry-not-resumed"]


def test_silence_across_a_lost_connection_in_another_trial_is_no_interval() -> None:
    told = Trial(t.HUB_CUT, 1.0, 1.0, 1.0).dropped(after=0.5).connects(after=1).ended(after=10)
    told.tell(ev.TrialBegan(t.HUB_BUSY)).sends().dropped().connects(3, after=1).connects(after=30).sends().tell(
        ev.TrialEnded(t.HUB_BUSY, "", 0.0)
    )
    assert codes(told.judge("reconnects_after_cut")) == ["error telemetry-not-resumed"]


@pytest.mark.parametrize(
    ("messages", "silent", "found"),
    [
        (1, 10.0, ["error telemetry-not-resumed"]),
        (1, 5.0, []),
        (2, 10.0, []),
        (0, 10.0, ["error telemetry-not-resumed"]),
    ],
)
def test_one_message_that_was_under_way_is_no_telemetry_as_before(
    messages: int, silent: float, found: list[str]
) -> None:
    told = Trial(t.HUB_CUT, 1.0, 1.0, 1.0).dropped(after=0.5).connects(after=1)
    for _ in range(messages):
        told.sends()
    assert codes(told.ended(after=silent).judge("reconnects_after_cut")) == found


def test_telemetry_that_is_rarer_than_it_was_waited_for_after_the_reconnect() -> None:
    told = Trial(t.HUB_CUT, 45.0, 45.0).dropped().connects(after=10).ended(after=40)
    assert codes(told.judge("reconnects_after_cut")) == ["info telemetry-not-resumed"]


STRUCK = ev.FaultPlayed(DEVICE, "twin-get", "error", 1)


@pytest.mark.parametrize(
    ("waits", "silent", "outcome"),
    [
        ((), 60.0, Outcome.NOT_OBSERVABLE),
        ((5.0,), 60.0, Outcome.NOT_OBSERVABLE),
        ((300.0, 300.0), 60.0, Outcome.NOT_OBSERVABLE),
        ((30.0, 30.0), 60.0, Outcome.NOT_OBSERVABLE),  # in service after 40 s, and a message 30 s later
        ((30.0, 5.0), 60.0, Outcome.NOT_OBSERVABLE),  # it warms up
        ((5.0, 5.0), 44.0, Outcome.NOT_OBSERVABLE),
        ((5.0, 5.0), 45.5, Outcome.FAILED),
    ],
)
def test_a_device_that_is_silent_after_twin_errors(waits: Sequence[float], silent: float, outcome: Outcome) -> None:
    told = Trial(t.TWIN_ERRORS, *waits).connects().tell(STRUCK)
    assert told.ended(after=silent).judge("survives_twin_errors").outcome is outcome


def test_a_message_shows_that_twin_errors_were_survived() -> None:
    told = Trial(t.TWIN_ERRORS, 5.0, 5.0).connects().tell(STRUCK).sends(after=50).ended()
    assert told.judge("survives_twin_errors").outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("status", "sends", "found"),
    [
        (200, False, []),
        (500, False, []),  # an answer is a sign of life
        (None, True, []),
        (None, False, ["error twin-error-not-survived"]),
    ],
)
def test_a_command_shows_whether_twin_errors_were_survived(status: int | None, sends: bool, found: list[str]) -> None:
    told = Trial(t.TWIN_ERRORS, 300.0, 300.0).connects().tell(STRUCK)
    told.story.asked("stop", "trial", status)
    if sends:
        told.sends()
    assert codes(told.ended().judge("survives_twin_errors")) == found


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


CHALLENGE = b'{"authenticationKey": "a2V5"}'


@pytest.mark.parametrize(("waits", "found"), [((2.0, 4.3), []), ((0.2, 4.3), ["error register-hammering"])])
def test_the_challenge_of_a_tpm_is_no_failure(waits: tuple[float, float], found: list[str]) -> None:
    told = Trial(t.DPS_FAILING)
    for wait, status in zip((0.0, *waits), (503, 503, 202), strict=True):
        told.registers(after=wait).answered(401, body=CHALLENGE).registers(after=0.01).answered(status)
    assert codes(told.ended().judge("backs_off_registering")) == found


def test_a_registration_anew_after_a_poll_is_no_repetition() -> None:
    told = Trial(t.DPS_FAILING).registers().answered(503).registers(after=2.2).answered(503).registers(after=5.7)
    told.answered(202).tell(ev.RegistrationPolled(DEVICE, "2", "op"), 0.1).answered(202).registers(after=0.1)
    assert codes(told.ended().judge("backs_off_registering")) == []


# --- security ------------------------------------------------------------------------------------------------

PROBE = ev.HandshakeFailed("a", "the client closed the connection without a word, before TLS was agreed")
NO_TLS = ev.HandshakeFailed("a", "what came is not TLS")
REFUSAL = ev.HandshakeFailed("a", "the client does not trust the server (TLSV1_ALERT_UNKNOWN_CA)")
TRUST = ev.ProvisioningConnected(DEVICE, "0ne1", "2019-03-31", "", "mqtt", 60, 0)


@pytest.mark.parametrize("name", [t.UNKNOWN_CA, t.WRONG_NAME, t.EXPIRED])
@pytest.mark.parametrize(
    ("events", "outcome"),
    [
        ((REFUSAL,), Outcome.PASSED),
        ((PROBE, REFUSAL), Outcome.PASSED),
        ((PROBE, TRUST), Outcome.FAILED),
        ((PROBE,), Outcome.BLOCKED),
        ((PROBE, NO_TLS), Outcome.BLOCKED),
        ((), Outcome.BLOCKED),
    ],
)
def test_a_probe_of_the_port_refuses_no_certificate(name: str, events: tuple[ev.Event, ...], outcome: Outcome) -> None:
    told = Trial(name)
    for event in events:
        told.tell(event)
    check = next(check for check, trials in t.TRIALS_OF.items() if trials == (name,))
    assert told.ended().judge(check).outcome is outcome


LET_IN = ev.WaitEnded(t.LET_IN, True, 1.0, 20.0)


@pytest.mark.parametrize(
    ("comes_back", "found"),
    [
        ((REFUSAL,), []),
        ((PROBE, REFUSAL), []),
        ((TRUST,), ["error bad-certificate-accepted"]),
        ((), ["info hub-certificate-not-tried"]),
        (None, ["info hub-certificate-not-tried"]),
    ],
)
def test_the_certificate_of_the_hub_is_one_more(comes_back: tuple[ev.Event, ...] | None, found: list[str]) -> None:
    told = Trial(t.UNKNOWN_CA).tell(REFUSAL)
    if comes_back is not None:
        told.tell(TRUST).connects().tell(LET_IN).dropped()
    for event in comes_back or ():
        told.tell(event)
    assert codes(told.ended().judge("refuses_unknown_ca")) == found


def test_it_is_said_what_came_in_place_of_tls() -> None:
    reason = Trial(t.UNKNOWN_CA).tell(PROBE).ended().judge("refuses_unknown_ca").reason
    assert "did not connect by TLS" in reason
    assert "opened a TCP connection" in reason


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

"""Services cut the device off, are busy, refuse it, answer with errors; it bears that and comes back."""

from __future__ import annotations

from harness.plugin.fixtures import Case


def test_reconnects_after_cut(case: Case) -> None:
    """The hub drops the connection: the device is back soon and goes on."""
    case.holds()


def test_stays_with_hub_when_busy(case: Case) -> None:
    """A hub that is busy is tried again; DPS is not asked at once."""
    case.holds()


def test_reregisters_after_ten_failures(case: Case) -> None:
    """A hub that fails ten times in a row may be the wrong one: DPS is asked."""
    case.holds()


def test_restores_subscriptions(case: Case) -> None:
    """Back after an outage, the device takes commands and desired properties as before."""
    case.holds()


def test_no_hammering(case: Case) -> None:
    """However services fail, the device waits between two tries."""
    case.holds()


def test_keeps_alive(case: Case) -> None:
    """The device keeps the keep-alive that it promised."""
    case.holds()


def test_reregisters_when_moved(case: Case) -> None:
    """The hub does not know the device any more: DPS tells it its new hub."""
    case.holds()


def test_returns_after_disabled(case: Case) -> None:
    """Disabled and enabled again, the device comes back without a hand."""
    case.holds()


def test_renews_token(case: Case) -> None:
    """A token that the hub takes for expired is not shown again."""
    case.holds()


def test_restores_desired_state(case: Case) -> None:
    """What was desired while the device was away is acknowledged when it is back."""
    case.holds()


def test_survives_twin_errors(case: Case) -> None:
    """Twin operations that fail do not end the device."""
    case.holds()


def test_ignores_old_patches(case: Case) -> None:
    """A desired patch that a newer one has overtaken is not applied."""
    case.holds()


def test_honours_retry_after_on_register(case: Case) -> None:
    """DPS says how long to wait before the next register request."""
    case.holds()


def test_honours_retry_after_on_poll(case: Case) -> None:
    """DPS says how long to wait before the next poll."""
    case.holds()


def test_backs_off_registering(case: Case) -> None:
    """DPS fails and does not say for how long: the device asks again, not at once."""
    case.holds()


def test_survives_poll_without_operation_id(case: Case) -> None:
    """A reply of DPS that lacks operationId does not stop the device."""
    case.holds()


def test_survives_dps_cut(case: Case) -> None:
    """The connection to DPS is cut in the middle: the device begins anew."""
    case.holds()


def test_provisions_into_another_scope(case: Case) -> None:
    """Given another ID scope, the same program provisions there."""
    case.holds()


def test_connects_again_after_restart(case: Case) -> None:
    """Stopped and started again, the device connects again."""
    case.holds()

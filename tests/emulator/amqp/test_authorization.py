"""Tokens of both kinds and passwords: what they open, and why others do not hold."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.emulator.amqp.authorization import Authority, Grants, Refused
from harness.emulator.hub.access import Access
from harness.emulator.options import EmulatorOptions
from harness.emulator.tokens import sign
from tests.emulator.amqp import tokens

HOST = "hub.example.net"
NOW = 1_700_000_000
EXPIRY = NOW + 3600
ACCESS = Access({HOST}, lambda: NOW, EmulatorOptions())
AUTHORITY = Authority(ACCESS, HOST, lambda: NOW, 300)


def key(policy: str = "service") -> str:
    return ACCESS.policies[policy].primary_key


def events_token(resource: str = f"sb://{HOST}:5671/ehub", *, policy: str = "service", expiry: int = EXPIRY) -> str:
    return tokens.events_token(resource, key(policy), policy, expiry)


def test_an_event_hubs_token_opens_its_entity() -> None:
    grants = Grants(lambda: NOW)
    grants.add(AUTHORITY.token(events_token()))
    assert grants.allow("EHUB/ConsumerGroups/$Default/Partitions/0", events=True)
    assert not grants.allow("ehub2/ConsumerGroups/$Default/Partitions/0", events=True)
    assert not grants.allow("messages/devicebound", events=False)


@pytest.mark.parametrize("resource", [HOST, f"{HOST}:5671", f"{HOST}/messages"])
def test_a_hub_token_opens_the_hub(resource: str) -> None:
    grants = Grants(lambda: NOW)
    grants.add(AUTHORITY.token(sign(resource, key(), EXPIRY, "service")))
    assert grants.allow("messages/devicebound", events=False)
    assert not grants.allow("ehub", events=True)


def test_grants_end() -> None:
    now = float(NOW)
    grants = Grants(lambda: now)
    assert grants.next_expiry() is None
    grants.add(AUTHORITY.token(events_token()))
    assert grants.next_expiry() == EXPIRY + 300
    grants.add(AUTHORITY.token(events_token(expiry=EXPIRY + 60)))
    assert grants.next_expiry() == EXPIRY + 360
    now = EXPIRY + 360
    assert not grants.allow("ehub", events=True)
    assert grants.next_expiry() is None


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (lambda: "Bearer x", "InvalidToken"),
        (lambda: events_token(f"sb://other.net/{HOST}"), "InvalidAudience"),
        (lambda: events_token(expiry=NOW - 301), "ExpiredToken"),
        (lambda: events_token(policy="registryRead"), "lacks ServiceConnect"),
        (lambda: events_token().replace("skn=service", "skn=nobody"), "no such policy"),
        (lambda: events_token().replace("se=1700003600", "se=1700003601"), "InvalidSignature"),
        # the other kind's key
        (lambda: sign(f"sb://{HOST}/ehub", key(), EXPIRY, "service"), "InvalidSignature"),
        (lambda: events_token(HOST), "signature"),
        (lambda: sign(HOST, key("device"), EXPIRY, "device"), "lacks ServiceConnect"),
        (lambda: sign("other.net", key(), EXPIRY, "service"), "not this hub"),
    ],
)
def test_tokens_that_do_not_hold(token: Callable[[], str], reason: str) -> None:
    with pytest.raises(Refused, match=reason) as error:
        AUTHORITY.token(token())
    assert "sig=" not in str(error.value)


@pytest.mark.parametrize("hub", ["hub", HOST])
def test_a_password_that_is_a_hub_token(hub: str) -> None:
    assert AUTHORITY.plain(f"service@sas.root.{hub}", sign(HOST, key(), EXPIRY, "service")).events is False


def test_a_password_that_is_a_key() -> None:
    grant = AUTHORITY.plain("service", key())
    assert (grant.events, grant.expiry) == (True, None)


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("service", "x"),
        ("nobody", "x"),
        ("registryRead", key("registryRead")),
        ("service@sas.root.other", sign(HOST, key(), EXPIRY, "service")),
        ("iothubowner@sas.root.hub", sign(HOST, key(), EXPIRY, "service")),
        ("service@sas.root.hub", events_token()),
        ("service@sas.root.hub", "x"),
    ],
    # Tokens differ from process to process; tests must not be named after them.
    ids=["no-key", "no-policy", "no-right", "other-hub", "other-policy", "events-token", "no-token"],
)
def test_passwords_that_do_not_hold(user: str, password: str) -> None:
    with pytest.raises(Refused):
        AUTHORITY.plain(user, password)

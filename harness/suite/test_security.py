"""The device does not talk to a server that it cannot trust."""

from __future__ import annotations

from harness.plugin.fixtures import Case


def test_refuses_unknown_ca(case: Case) -> None:
    """The server's certificate is of a CA that the device does not know."""
    case.holds()


def test_refuses_wrong_name(case: Case) -> None:
    """The server's certificate is for another host."""
    case.holds()


def test_refuses_expired_certificate(case: Case) -> None:
    """The server's certificate is over."""
    case.holds()

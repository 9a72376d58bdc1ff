"""The device's model is found, and is a valid Interface."""

from __future__ import annotations

from harness.plugin.fixtures import Case


def test_model_is_found(case: Case) -> None:
    """The model and what it depends on are in a repository."""
    case.holds()


def test_model_is_valid(case: Case) -> None:
    """The model is valid DTDL."""
    case.holds()


def test_model_is_dtdl_v2(case: Case) -> None:
    """The model is written in DTDL version 2."""
    case.holds()

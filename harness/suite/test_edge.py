"""What shows of Edge Managed and Edge Secured-core on the wire; the rest is for a person to look at."""

from __future__ import annotations

from harness.plugin.fixtures import Case


def test_edge_tls(case: Case) -> None:
    """TLS 1.2 or newer, and the suites that are named."""
    case.holds()


def test_edge_runtime(case: Case) -> None:
    """The IoT Edge runtime connects."""
    case.holds()


def test_edge_identity(case: Case) -> None:
    """The device registered with its TPM."""
    case.holds()

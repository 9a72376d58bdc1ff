"""Says what to do when the harness is not installed, instead of letting pytest stumble over its options."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    if not config.pluginmanager.has_plugin("preflight"):
        raise pytest.UsageError("The harness is not installed here. Run `python -m pip install -e .` first.")

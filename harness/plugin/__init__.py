"""The pytest plugin: options, fixtures, hooks. It translates between pytest and a `Run`; it decides nothing.

It is loaded in every pytest run of its environment, so everything heavy is imported on first use, and
nothing happens unless a test asks for a fixture of ours.
"""

from __future__ import annotations

import warnings
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.plugin import rootdir
from harness.plugin.cases import check_name
from harness.plugin.fixtures import case, device_id, hub, model, preflight
from harness.plugin.options import add_options, refuse_misspelt, settings_of
from harness.plugin.state import STATE, State

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

__all__ = ["case", "device_id", "hub", "model", "preflight"]

OURS = {"preflight", "case"}
"""A test that asks for one of these takes part in the run."""
SUITE = Path(__file__).parents[1] / "suite"
KINDS = ("telemetry", "read_only_property", "writable_property", "command")


def pytest_addoption(parser: pytest.Parser) -> None:
    add_options(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, parser: pytest.Parser, args: list[str]) -> None:
    rootdir.mend(early_config, args)
    refuse_misspelt(parser, args)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    settings = settings_of(config)
    config.stash[STATE] = State(config, settings)
    if "the command line" not in settings.origins.values():
        return
    # pytest-asyncio warns of a setting that the suite, which names its loop's scope, does not need.
    warnings.filterwarnings("ignore", message=".*asyncio_default_fixture_loop_scope")
    if config.args_source is pytest.Config.ArgsSource.INVOCATION_DIR:
        # `pytest --dut ...` in a folder whose pytest settings name no tests is meant for the suite.
        config.args = [str(SUITE)]


def pytest_report_header(config: pytest.Config) -> list[str]:
    return config.stash[STATE].header()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    item.config.stash[STATE].terminal.nodeid = item.nodeid


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each thing that the model declares."""
    kinds = [k for k in KINDS if k in metafunc.fixturenames]
    if not kinds or not OURS & set(metafunc.fixturenames):
        return
    from harness.checks.registry import kind_of

    declared = metafunc.config.stash[STATE].capabilities()
    for kind in kinds:
        of_kind = [c for c in declared if kind_of(c) == kind]
        metafunc.parametrize(kind, of_kind, ids=[c.path for c in of_kind])


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Drop the placeholders that pytest makes where a model declares nothing of a kind; keep the suite's order."""
    items[:] = [item for item in items if not _is_placeholder(item)]
    if any("case" in getattr(item, "fixturenames", ()) for item in items):
        from harness.checks import CHECKS

        profile = config.stash[STATE].run.profile
        beyond = [i for i in items if _is_ours(i) and not CHECKS[check_name(i)].belongs_to(profile)]
        if beyond:
            config.hook.pytest_deselected(items=beyond)
            items[:] = [item for item in items if item not in beyond]

        order = {name: position for position, name in enumerate(CHECKS)}
        items.sort(key=lambda i: order.get(check_name(i), len(order)))


def pytest_collection_finish(session: pytest.Session) -> None:
    session.config.stash[STATE].choose(session.items)


def pytest_report_teststatus(
    report: pytest.TestReport | pytest.CollectReport,
) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """A pass with warnings and a blocked case have words of their own."""
    outcome = dict(getattr(report, "user_properties", ())).get("outcome")
    if report.when == "call" and report.passed and outcome == "warning":
        return "with warnings", "w", ("WARNING", {"yellow": True})
    if report.skipped and outcome == "blocked":
        return "blocked", "b", ("BLOCKED", {"yellow": True})
    if report.skipped and outcome == "not observable":
        return "not observable", "n", ("NOT OBSERVABLE", {"yellow": True})
    if report.skipped and outcome == "not chosen":
        return "not chosen", "-", ("NOT CHOSEN", {"yellow": True})
    return None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> Generator[None, Any, Any]:
    """Judge the whole record and write the reports, let pytest sum up, and say the verdict last."""
    state = session.config.stash[STATE]
    state.finish(session)
    result = yield
    terminal: TerminalReporter | None = session.config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None:
        state.say_verdict(terminal)
    return result


def pytest_unconfigure(config: pytest.Config) -> None:
    state = config.stash.get(STATE, None)
    if state is not None:
        state.close()


def _is_ours(item: pytest.Item) -> bool:
    from harness.checks import CHECKS

    return "case" in getattr(item, "fixturenames", ()) and check_name(item) in CHECKS


def _is_placeholder(item: pytest.Item) -> bool:
    params = getattr(getattr(item, "callspec", None), "params", {})
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(OURS & fixtures) and any(k in params and not hasattr(params[k], "path") for k in KINDS)

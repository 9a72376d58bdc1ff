"""The pytest plugin: options, fixtures, hooks. It translates between pytest and a `Run`; it decides nothing.

It is loaded in every pytest run of its environment, so everything heavy is imported on first use, and
nothing happens unless a test asks for a fixture of ours.
"""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.plugin import distributed, rootdir
from harness.plugin.cases import check_name, device_of
from harness.plugin.fixtures import case, device_id, hub, model, preflight
from harness.plugin.masking import mask
from harness.plugin.options import add_options, refuse_misspelt, settings_of
from harness.plugin.reports import Reports
from harness.plugin.state import STATE, State
from harness.plugin.terminal import Words

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

    from harness.dtdl import Capability
    from harness.plugin.subject import Subject

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
    devices, fleet = settings_of(config)
    settings = devices[0]
    config.stash[STATE] = State(config, devices, fleet)
    config.pluginmanager.register(Reports(config), "preflight-reports")
    given = "the command line" in settings.origins.values()
    if not given and fleet is None:
        return
    # pytest-asyncio warns of a setting that the suite, which names its loop's scope, does not need.
    warnings.filterwarnings("ignore", message=".*asyncio_default_fixture_loop_scope")
    if given and config.args_source is pytest.Config.ArgsSource.INVOCATION_DIR:
        # `pytest --dut ...` in a folder whose pytest settings name no tests is meant for the suite.
        config.args = [str(SUITE)]


def pytest_report_header(config: pytest.Config) -> list[str]:
    return config.stash[STATE].header()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> None:
    state = item.config.stash[STATE]
    state.terminal.nodeid = item.nodeid
    if _takes_part(item):
        state.subject_of(item).took_part = True


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each thing that the model declares."""
    kinds = [k for k in KINDS if k in metafunc.fixturenames]
    state = metafunc.config.stash[STATE]
    if not OURS & set(metafunc.fixturenames) or not (kinds or state.fleet):
        return
    if state.fleet:
        found = [(name, row) for name, subject in state.subjects.items() for row in _rows(subject, kinds)]
        rows = [(name, *row) for name, row in found]
        ids = ["-".join([str(name), *(c.path for c in row)]) for name, row in found]
        metafunc.parametrize(("preflight", *kinds), rows, indirect=["preflight"], ids=ids, scope="session")
        return
    for kind in kinds:
        of_kind = [capability for (capability,) in _rows(state.subject(None), [kind])]
        metafunc.parametrize(kind, of_kind, ids=[c.path for c in of_kind])


def _rows(subject: Subject, kinds: list[str]) -> list[tuple[Capability, ...]]:
    """All combinations of what a device's model declares of these kinds."""
    if not kinds:
        return [()]
    from harness.checks.registry import kind_of

    declared = subject.capabilities()
    return list(itertools.product(*([c for c in declared if kind_of(c) == kind] for kind in kinds)))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Drop the placeholders that pytest makes where a model declares nothing of a kind; keep the suite's order."""
    items[:] = [item for item in items if not _is_placeholder(item)]
    state = config.stash[STATE]
    if any("case" in getattr(item, "fixturenames", ()) for item in items):
        from harness.checks import CHECKS

        beyond = [i for i in items if _is_ours(i) and not CHECKS[check_name(i)].belongs_to(state.subject_of(i).profile)]
        if beyond:
            config.hook.pytest_deselected(items=beyond)
            items[:] = [item for item in items if item not in beyond]

        order = {name: position for position, name in enumerate(CHECKS)}
        items.sort(key=lambda i: order.get(check_name(i), len(order)))
    if state.fleet:
        turn = {name: position for position, name in enumerate(state.subjects)}
        items.sort(key=lambda i: turn.get(device_of(i), len(turn)))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    state = session.config.stash[STATE]
    state.choose(session.items)
    ours = filter(_takes_part, session.items)
    distributed.keep_together(session.config, {item.nodeid: state.group_of(item) for item in ours})


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    controller = node.config.stash[STATE].controller
    if controller is not None:
        controller.brief(node)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    controller = config.stash[STATE].controller
    return controller.scheduler(config, log) if controller is not None else None


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[STATE].hear(getattr(node, "workeroutput", None) or {})


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    state = item.config.stash[STATE]
    mask(report, state.clean)
    if report.failed and report.when == "call" and _is_ours(item):
        report.longrepr = Words(state.clean(report.longreprtext), getattr(report.longrepr, "reprcrash", None))
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    mask(report, collector.config.stash[STATE].clean)
    return report


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
    if terminal is not None and not distributed.is_worker(session.config):
        state.say_verdict(terminal)
    return result


def pytest_unconfigure(config: pytest.Config) -> None:
    state = config.stash.get(STATE, None)
    if state is not None:
        state.close()


def _takes_part(item: pytest.Item) -> bool:
    return bool(OURS & set(getattr(item, "fixturenames", ())))


def _is_ours(item: pytest.Item) -> bool:
    from harness.checks import CHECKS

    return "case" in getattr(item, "fixturenames", ()) and check_name(item) in CHECKS


def _is_placeholder(item: pytest.Item) -> bool:
    params = getattr(getattr(item, "callspec", None), "params", {})
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(OURS & fixtures) and any(k in params and not hasattr(params[k], "path") for k in KINDS)

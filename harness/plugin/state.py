"""The one run of a pytest session, made when the first test asks for it."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest

from harness.plugin.cases import judgement_of
from harness.plugin.terminal import Terminal, TerminalProgress
from harness.settings import Settings

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

    from harness.checks import Judgement
    from harness.dtdl import Capability
    from harness.run import Run
    from harness.verdict import Verdict


class State:
    """What the plugin keeps between hooks."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self.settings = settings
        self.chosen: list[Judgement] = []
        self.verdict: Verdict | None = None
        self.terminal = Terminal(config)
        self._run: Run | None = None

    @property
    def run(self) -> Run:
        """The run, begun on first use."""
        if self._run is None:
            from harness.run import Run

            self._run = Run(self.settings, TerminalProgress(self.terminal), self.terminal.say)
            _end_on_sigterm()
        return self._run

    def header(self) -> list[str]:
        """Lines for pytest's header where a device is named."""
        if self.settings.replay:
            return [f"preflight: judging {self.settings.replay.name} again, without a device"]
        if self.settings.dut is None:
            return []
        settings = self.settings
        model = settings.model_id or "announced by the device"
        profile = f"profile {settings.profile}" + (f" (window {settings.window:g} s)" if settings.is_smoke else "")
        lines = [f"preflight: device `{settings.dut}`, target {settings.target}, {profile}, model {model}"]
        if settings.test_cases:
            lines.append(f"preflight: test cases {settings.test_cases}")
        return lines + [f"preflight: note: {note}" for note in settings.notes]

    def capabilities(self) -> tuple[Capability, ...]:
        """What the model declares: needs no device when the model id is set, else the device is started."""
        run = self.run
        if self.settings.replay or self.settings.model_id is None:
            return run.capabilities()
        return run.declared()

    def choose(self, items: list[pytest.Item]) -> None:
        """Note which cases the collected items are about."""
        self.chosen = [j for j in map(judgement_of, items) if j is not None]

    def finish(self, session: pytest.Session) -> None:
        """Judge everything that was chosen by the whole record and write the reports."""
        run = self._run
        if run is None or not run.begun:
            return
        if session.exitstatus == pytest.ExitCode.INTERRUPTED:
            run.interrupt("The run was interrupted from the keyboard or by a signal.")
        from harness.checks import cases
        from harness.report import write_reports
        from harness.verdict import Verdict

        if not self.chosen and session.exitstatus != pytest.ExitCode.INTERRUPTED:
            return  # only tests of somebody's own used the device: there is nothing to certify
        # A run that was interrupted while tests were collected has chosen none: all that can be said is said.
        self.verdict = run.finish(self.chosen or cases(run.evidence, run.profile))
        if not self.settings.replay or "reports" in self.settings.origins:
            write_reports(run)
            self._bundle(run)
        failed = self.verdict is Verdict.FAILED or (self.verdict is Verdict.WARNINGS and self.settings.strict)
        if failed and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _bundle(self, run: Run) -> None:
        if self.settings.bundle is None:
            return
        from harness.bundle import BundleError, make

        try:
            make(run.folder.path, self.settings.bundle, self.settings.sign)
        except BundleError as e:
            run.folder.faults.append(f"no bundle was made: {e}")

    def say_verdict(self, reporter: TerminalReporter) -> None:
        """The last words on the terminal."""
        if self.verdict is not None and self._run is not None:
            from harness.report import ci
            from harness.report.terminal import summary

            for line in ci.lines(self._run, self.verdict, os.environ):
                reporter.write_line(self._run.redactor.clean(line))
            ci.summarize(self._run, self.verdict, os.environ)
            summary(self._run, self.verdict, reporter)

    def close(self) -> None:
        """Stop everything."""
        if self._run is not None:
            self._run.close()


STATE = pytest.StashKey[State]()


def _end_on_sigterm() -> None:
    """A CI system ends a run with SIGTERM: treat it like Ctrl-C, so that device and reports are not lost."""

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt("SIGTERM")

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, interrupt)

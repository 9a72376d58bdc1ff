"""One device of a pytest session: its run, made when the first test asks for it, and what is said of it at the end."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from harness.plugin import distributed
from harness.plugin.terminal import Terminal, TerminalProgress
from harness.settings import EXTERNAL, Settings

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

    from harness.checks import Judgement
    from harness.dtdl import Capability
    from harness.record.redact import Redactor
    from harness.run import Run
    from harness.verdict import Verdict


class Subject:
    """A device under test, as the plugin's hooks see it. `name` is None where there is no fleet."""

    def __init__(self, config: pytest.Config, settings: Settings, terminal: Terminal) -> None:
        self.settings = settings
        self.name = settings.device
        self.took_part = False
        """Whether a test about the device ran here; under xdist, one worker's do."""
        self.chosen: list[Judgement] = []
        self.verdict: Verdict | None = None
        self.terminal = terminal
        self._config = config
        self._run: Run | None = None

    @property
    def run(self) -> Run:
        """The run, begun on first use."""
        if self._run is None:
            from harness.run import Run

            self._run = Run(self.settings, TerminalProgress(self.terminal), self._say)
            end_on_sigterm()
        return self._run

    @property
    def profile(self) -> str:
        """The profile in force; a recorded run is asked for its own."""
        return self.run.profile if self.settings.replay else self.settings.profile

    @property
    def failed(self) -> bool:
        """Whether the verdict is one that fails the session."""
        from harness.verdict import Verdict

        return self.verdict is Verdict.FAILED or (self.verdict is Verdict.WARNINGS and self.settings.strict)

    def clean(self, text: str) -> str:
        """The text as it may be shown."""
        if self._run is not None:
            return self._run.redactor.clean(text)
        return self._redactor.clean(text)

    @functools.cached_property
    def _redactor(self) -> Redactor:
        """Of what the user listed, as long as there is no run."""
        from harness.record.redact import Redactor

        redactor = Redactor(self.settings.redact)
        redactor.add(*self.settings.secrets())
        return redactor

    def _say(self, text: str) -> None:
        self.terminal.say(text if self.name is None else f"{self.name}: {text}")

    def header(self) -> list[str]:
        """Lines for pytest's header where a device is named."""
        if self.settings.replay:
            return [f"preflight: judging {self.settings.replay.name} again, without a device"]
        if self.settings.dut is None:
            return []
        settings = self.settings
        model = settings.model_id or "announced by the device"
        profile = f"profile {settings.profile}" + (f" (window {settings.window:g} s)" if settings.is_smoke else "")
        device = "device" if self.name is None else self.name
        lines = [f"preflight: {device} `{settings.dut}`, target {settings.target}, {profile}, model {model}"]
        if settings.test_cases:
            lines.append(f"preflight: test cases {settings.test_cases}")
        return lines + [f"preflight: note: {note}" for note in settings.notes]

    def capabilities(self) -> tuple[Capability, ...]:
        """What the model declares: needs no device when the model id is set, else the device is started."""
        run = self.run
        if self.settings.replay or self.settings.model_id is None:
            return run.capabilities()
        return run.declared()

    def take_address(self) -> None:
        """In a worker of xdist, let the emulator of a device of a fleet have an address of its own.

        The port is fixed in Microsoft's SDKs, so the devices of other workers need other addresses.
        """
        settings = self.settings
        fixed = settings.target != "local" or settings.dut == EXTERNAL or "listen" in settings.origins
        if self.name is None or fixed or not distributed.is_worker(self._config) or self.run.begun:
            return
        from harness.emulator.options import MQTT_PORT
        from harness.emulator.ports import loopback_addresses

        address = next(loopback_addresses(MQTT_PORT), settings.listen)
        self.settings = self.run.settings = replace(settings, listen=address)

    def end(self) -> None:
        """The last test about the device is over: in a fleet its emulator goes before that of the next one comes."""
        if self.name is not None:
            self.finish(interrupted=False)

    def finish(self, interrupted: bool) -> None:
        """Judge everything that was chosen by the whole record and write the reports; once."""
        run = self._run
        if run is None or not run.begun or self.verdict is not None:
            return
        if distributed.is_worker(self._config) and not self.took_part:
            return
        if interrupted:
            run.interrupt("The run was interrupted from the keyboard or by a signal.")
        from harness.checks import cases
        from harness.report import write_reports

        if not self.chosen and not interrupted:
            return  # only tests of somebody's own used the device: there is nothing to certify
        # A run that was interrupted while tests were collected has chosen none: all that can be said is said.
        self.verdict = run.finish(self.chosen or cases(run.evidence, run.profile))
        if not self.settings.replay or "reports" in self.settings.origins:
            write_reports(run)
            self._bundle(run)

    def _bundle(self, run: Run) -> None:
        if self.settings.bundle is None:
            return
        from harness.bundle import BundleError, make

        with contextlib.suppress(OSError):
            self.settings.bundle.unlink(missing_ok=True)  # an earlier run's would be taken for this one's
        lacking = run.folder.unwritten
        if {"result.json", "journal.jsonl"} & set(lacking):
            run.folder.faults.append("No bundle was made, for it is made of reports that could not be written.")
            return
        try:
            make(run.folder.path, self.settings.bundle, self.settings.sign)
        except BundleError as e:
            run.folder.faults.append(f"No bundle was made: {e}")
            return
        if lacking:
            run.folder.faults.append(f"The bundle lacks {' and '.join(lacking)}.")

    def say_verdict(self, reporter: TerminalReporter) -> None:
        """The last words about this device."""
        if self.verdict is None or self._run is None:
            return
        from harness.report import ci
        from harness.report.terminal import summary

        for line in ci.lines(self._run, self.verdict, os.environ):
            reporter.write_line(self._run.redactor.clean_rendered(line))
        ci.summarize(self._run, self.verdict, os.environ)
        summary(self._run, self.verdict, reporter)

    def close(self) -> None:
        """Stop everything."""
        if self._run is not None:
            self._run.close()


def end_on_sigterm() -> None:
    """A CI system ends a run with SIGTERM: treat it like Ctrl-C, so that device and reports are not lost."""

    def interrupt(_: int, frame: Any) -> None:
        # While a coroutine runs, SIGINT's handler cancels it; an exception out of the blue would also end its loop.
        on_interrupt = signal.getsignal(signal.SIGINT)
        if not callable(on_interrupt):
            raise KeyboardInterrupt("SIGTERM")
        on_interrupt(signal.SIGINT, frame)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, interrupt)

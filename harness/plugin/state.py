"""What the plugin keeps between hooks: the devices of the session, nearly always one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from harness.plugin import distributed
from harness.plugin.cases import device_of, judgement_of
from harness.plugin.subject import Subject, end_on_sigterm
from harness.plugin.terminal import Terminal
from harness.settings import Settings

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter

    from harness.fleet import Conclusion, Fleet


class State:
    """The devices under test, by name. Without a fleet it is one, whose name is None."""

    def __init__(self, config: pytest.Config, settings: Sequence[Settings], fleet: Fleet | None) -> None:
        self.settings = settings[0]
        self.fleet = fleet
        self.terminal = Terminal(config, self.clean)
        self.subjects = {each.device: Subject(config, each, self.terminal) for each in settings}
        self.controller = distributed.controller(config, self.settings)
        if self.controller is not None:
            end_on_sigterm()
        self._config = config
        self._groups = fleet.groups() if fleet else {}
        self._heard: list[Mapping[str, Any]] = []
        self._conclusion: Conclusion | None = None

    def subject(self, name: str | None) -> Subject:
        """The device of this name."""
        if name not in self.subjects:
            raise pytest.UsageError(
                "preflight.toml has a fleet, and this test does not say which device it is about: let it name the "
                "fixture among its arguments, in place of getfixturevalue."
            )
        return self.subjects[name]

    def subject_of(self, item: pytest.Item) -> Subject:
        """The device that a test is about."""
        return self.subject(device_of(item))

    def group_of(self, item: pytest.Item) -> str:
        """What a test has in common with those that must run in the same worker of xdist."""
        return self._groups.get(device_of(item) or "", "")

    def clean(self, text: str) -> str:
        """The text as it may be shown."""
        for subject in self.subjects.values():
            text = subject.clean(text)
        return text

    def header(self) -> list[str]:
        """Lines for pytest's header where a device is named."""
        lines = [line for subject in self.subjects.values() for line in subject.header()]
        if len(self.subjects) > 1 and self._config.getoption("numprocesses", None) is None:
            lines.append("preflight: the devices are tested one after the other; `pytest -n auto` does it side by side")
        return [self.clean(line) for line in lines]

    def choose(self, items: list[pytest.Item]) -> None:
        """Note which cases the collected items are about."""
        for item in items:
            judgement = judgement_of(item)
            if judgement is not None:
                self.subject_of(item).chosen.append(judgement)

    def finish(self, session: pytest.Session) -> None:
        """Judge what is not judged yet, and let the session fail where a device did."""
        interrupted = session.exitstatus == pytest.ExitCode.INTERRUPTED
        for subject in self.subjects.values():
            subject.finish(interrupted)
        failed = any(subject.failed for subject in self.subjects.values())
        if distributed.is_worker(self._config):
            self._hand_over(failed)
        elif self.fleet is not None and self.fleet.whole:
            failed |= self._sum_up(self.fleet)
        if (failed or any(said["failed"] for said in self._heard)) and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _hand_over(self, failed: bool) -> None:
        said: Any = distributed.Heard()
        self.say_verdict(said)
        distributed.hand_over(self._config, failed, said, self._judged(), self._chosen())

    def _judged(self) -> list[str | None]:
        """The devices that came to a verdict, here or in a worker."""
        here = [subject.name for subject in self.subjects.values() if subject.verdict is not None]
        return here + [name for said in self._heard for name in said["judged"]]

    def _chosen(self) -> list[str | None]:
        """The devices of which tests were chosen."""
        here = [subject.name for subject in self.subjects.values() if subject.chosen]
        return here + [name for said in self._heard for name in said["chosen"]]

    def hear(self, output: Mapping[str, Any]) -> None:
        """Take what a worker of xdist hands over as it ends."""
        if distributed.KEY in output:
            self._heard.append(output[distributed.KEY])

    def _sum_up(self, fleet: Fleet) -> bool:
        """Write what the devices say together, once a device was judged; whether one left no result."""
        judged, chosen = self._judged(), self._chosen()
        if not judged:
            return False
        from harness.fleet import conclude

        self._conclusion = conclude(fleet, [s for s in fleet.devices if s.device in chosen], judged)
        return not all(device["judged"] for device in self._conclusion.content["devices"])

    def say_verdict(self, reporter: TerminalReporter) -> None:
        """The last words on the terminal."""
        for said in self._heard:
            distributed.repeat(said["said"], reporter)
        for subject in self.subjects.values():
            subject.say_verdict(reporter)
        if self._conclusion is not None:
            from harness.fleet import say

            say(self._conclusion, reporter)

    def close(self) -> None:
        """Stop everything."""
        for subject in self.subjects.values():
            subject.close()


STATE = pytest.StashKey[State]()

"""Under pytest-xdist: a device has one worker, and the devices of a fleet have one each.

A device, its target's ports and its reports are there once, so all tests about it go to one worker, which conducts the
run and writes the reports; other tests go where xdist sends them. What that worker says at the end is said by the
controller, which also takes over its verdict.

Only a worker, which collects, knows which tests these are, and xdist has no road for it to tell: it writes their node
ids to a file, whose folder the controller names.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from harness.settings import Settings

KEY = "preflight"
"""Of what controller and worker hand each other in xdist's dictionaries."""


class Controller:
    """What the controller keeps: where the workers write, and what they have said."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="preflight-", ignore_cleanup_errors=True)

    @property
    def together(self) -> dict[str, str]:
        """By node id, as the workers collected them, what the tests of one worker have in common."""
        files = Path(self._folder.name).iterdir()
        return {nodeid: group for f in files for nodeid, group in json.loads(f.read_text(encoding="utf-8")).items()}

    def brief(self, node: Any) -> None:
        """Tell a worker, before it starts, where to write."""
        node.workerinput[KEY] = self._folder.name

    def scheduler(self, config: pytest.Config, log: Any) -> Any:
        """xdist's scheduler for its mode, but for what belongs together."""
        from xdist.scheduler import LoadFileScheduling, LoadGroupScheduling, LoadScopeScheduling

        modes = {"loadfile": LoadFileScheduling, "loadscope": LoadScopeScheduling}
        base: Any = modes.get(config.getoption("dist"), LoadGroupScheduling)
        controller = self

        class OneWorker(base):  # type: ignore[misc]
            _together: dict[str, str] | None = None

            def _split_scope(self, nodeid: str) -> str:
                if self._together is None:
                    self._together = controller.together
                group = self._together.get(nodeid)
                return str(super()._split_scope(nodeid)) if group is None else f"{KEY} {group}"

        return OneWorker(config, log)


def controller(config: pytest.Config, settings: Settings) -> Controller | None:
    """None where nothing is distributed, or no device is to be tested.

    One worker is left where the model has to be asked of the device, for collecting needs it. Raises pytest's
    UsageError where every worker was to run everything.
    """
    mode = config.getoption("dist", "no")
    if is_worker(config) or mode == "no" or (settings.dut is None and settings.replay is None):
        return None
    if mode == "each":
        raise pytest.UsageError("--dist each runs every test on every worker, and there is one device: leave it out.")
    if settings.replay is None and settings.model_id is None:
        config.option.tx = [spec.rpartition("*")[2] for spec in config.option.tx[:1]]
    return Controller()


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is one of xdist's workers."""
    return hasattr(config, "workerinput")


def keep_together(config: pytest.Config, groups: Mapping[str, str]) -> None:
    """Tell the controller, where this is a worker of its, which tests belong to one worker, by their node ids."""
    handed: Any = getattr(config, "workerinput", {})
    if KEY in handed:
        file = Path(handed[KEY]) / f"{handed['workerid']}.json"
        file.write_text(json.dumps(groups), encoding="utf-8")


def hand_over(
    config: Any, failed: bool, said: Heard, judged: Collection[str | None], chosen: Collection[str | None]
) -> None:
    """Leave a worker's verdict and last words for the controller, and the devices judged and chosen."""
    config.workeroutput[KEY] = {"failed": failed, "said": said.calls, "judged": [*judged], "chosen": [*chosen]}


class Heard:
    """Stands for a terminal in a worker: what is written is kept, for `repeat`."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **kwargs: self.calls.append((name, args, kwargs))


def repeat(calls: Iterable[tuple[str, tuple[Any, ...], dict[str, Any]]], terminal: Any) -> None:
    """Write on a terminal what a worker would have written."""
    for name, args, kwargs in calls:
        getattr(terminal, name)(*args, **kwargs)

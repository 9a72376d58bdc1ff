"""Runs a seed in this process, against an emulator of its own, and compares what is found with what is expected.

Every finding that is an error or a warning must be expected, and everything expected be found: so a false alarm is as
much a failure as a fault that goes by.
"""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
import socket
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from harness.checks import Judgement, cases
from harness.checks.trials import TRIALS_OF
from harness.device.credentials import Credentials
from harness.dtdl.defaults import is_public
from harness.emulator import managing
from harness.record import events as ev
from harness.run import Run, models
from harness.run import run as run_module
from harness.settings import Settings, load
from harness.target import make_target as usual_target
from harness.target.local import LocalTarget
from harness.verdict import CaseResult, Outcome
from tests.addresses import free_address
from tests.paths import REPO
from tests.seeded.seed import Seed

HERE = Path(__file__).parent
MODELS = (HERE / "models", REPO / "dtdl_models", REPO / "tests" / "plugin" / "models")
PREFIX = "seed-"
AT_A_TIME = 1 if sys.platform == "darwin" else 8
"""Seeds at a time: each needs an address of its own, and macOS has one."""

PATIENT: dict[str, Any] = {
    "window": 6.0,
    "connect_timeout": 60.0,
    "ack_timeout": 12.0,
    "command_timeout": 12.0,
    "trial_timeout": 90.0,
}
"""Seconds: long where a good device is waited for, on a machine however busy; seeds that let the harness wait in vain
shorten what they wait for."""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How a seed went. `found` has the cases with errors or warnings; `problems` is empty when all is as expected."""

    seed: Seed
    found: dict[str, str]
    missed: tuple[str, ...]
    alarms: tuple[str, ...]
    other: tuple[str, ...]
    seconds: float

    @property
    def problems(self) -> tuple[str, ...]:
        return (*self.missed, *self.alarms, *self.other)

    @property
    def problems_shown(self) -> list[str]:
        """A line for each, for a terminal."""
        kinds = (("missed", self.missed), ("false alarm", self.alarms), ("wrong", self.other))
        return [f"{kind}: {self.seed.name}: {line}" for kind, lines in kinds for line in lines]


def run(seeds: Sequence[Seed], jobs: int, folder: Path) -> list[Outcomes]:
    """Run these, so many at a time, each in a folder of its own in `folder`; the long ones first."""
    with ThreadPoolExecutor(jobs) as pool:
        order = sorted(seeds, key=lambda seed: not seed.slow)
        futures = {seed.name: pool.submit(try_out, seed, folder / seed.name) for seed in order}
        return [futures[seed.name].result() for seed in seeds]


def try_out(seed: Seed, folder: Path) -> Outcomes:
    """Run the pre-flight of a seed in `folder`."""
    began = time.monotonic()
    try:
        return _tried(seed, folder)
    except Exception as e:
        failed = f"{type(e).__name__}: {e}"
        return Outcomes(seed, {}, (failed,), (), (), time.monotonic() - began)


def _tried(seed: Seed, folder: Path) -> Outcomes:
    began = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "preflight.toml").write_text(seed.stated, encoding="utf-8")
    settings = _settings(seed, folder)
    _seeds[settings.registration_id] = seed
    run = Run(settings, say=lambda _: None)
    try:
        run.discover()
        chosen = [case for case in cases(run.evidence, "full") if _belongs(case, seed)]
        asyncio.run(run.conduct(chosen))
        verdict = run.finish(chosen)
    finally:
        run.close()
    other = []
    if verdict is not seed.verdict:
        other.append(f"the verdict is {verdict.value}, not {seed.verdict.value}")
        other += {f"blocked: {r.reason}": None for r in run.results.values() if r.outcome is Outcome.BLOCKED}
    other += [f"harness: {e.where}: {e.message}" for _, e in run.evidence.of(ev.HarnessFailed)]
    other += [f"{r.case}: {r.reason}" for r in run.results.values() if r.outcome is Outcome.ERROR]
    return Outcomes(seed, *compare(seed, run.results), tuple(other), time.monotonic() - began)


def compare(seed: Seed, results: dict[str, CaseResult]) -> tuple[dict[str, str], tuple[str, ...], tuple[str, ...]]:
    """What was found by case, what is missed of it, and what is too much."""
    serious = {name: [f for f in r.findings if f.severity != "info"] for name, r in results.items()}
    found = {
        name: f"{results[name].outcome.value}: {', '.join(f.code for f in each)}"
        for name, each in serious.items()
        if each
    }
    missed, alarms = [], []
    for name, expected in seed.cases.items():
        result = results.get(name)
        if result is None:
            missed.append(f"{name}: there is no such case")
            continue
        codes = {f.code for f in serious[name]}
        if result.outcome is not expected.outcome or not set(expected.codes) <= codes:
            missed.append(
                f"{name}: {expected} expected, {found.get(name) or result.outcome.value} found {result.reason}"
            )
        wrong = {f.requirement for f in serious[name]} - {expected.requirement}
        if wrong:
            missed.append(f"{name}: of {expected.requirement} expected, of {', '.join(sorted(wrong))} found")
    for name, each in serious.items():
        allowed = seed.cases[name].codes if name in seed.cases else ()
        alarms += [f"{name}: {f.code} is not expected: {f.message}" for f in each if f.code not in allowed]
    return found, tuple(missed), tuple(alarms)


def _belongs(case: Judgement, seed: Seed) -> bool:
    return case.check.name not in TRIALS_OF or case.check.name in seed.trials


def _settings(seed: Seed, folder: Path) -> Settings:
    given = {
        "dut": _command(seed.device),
        "model-id": None if seed.discovers else seed.model,
        "models": [str(place) for place in MODELS],
        "listen": free_address(),
        # Another one each time: some faults lie in what a device remembers of its last start.
        "registration-id": f"{PREFIX}{seed.name}-{secrets.token_hex(3)}",
        "profile": "full",
        "reports": str(folder / "reports"),
        "state": str(folder.parent / "state"),
    }
    loaded = load(given, {}, folder)
    return dataclasses.replace(loaded, **{**PATIENT, **seed.settings})


def _command(device: str) -> str:
    if device.startswith("!"):
        return f'"{sys.executable}" "{HERE / "devices" / device[1:]}"'
    return f'"{sys.executable}" -m harness simulate {device}'


# --- the services of a seed --------------------------------------------------------------------------

_seeds: dict[str, Seed] = {}


class _SeededTarget(LocalTarget):
    """The local target, in which the seed's faults are ordered before the device starts."""

    def __init__(self, settings: Settings, emit: Callable[[Any], None]) -> None:
        super().__init__(settings, emit)
        self._seed = _seeds[settings.registration_id]

    def enroll(self) -> Any:
        found = super().enroll()
        if self._seed.services:
            self.faults.order(self._seed.services)
        if self._seed.known_device:
            self._emulator.call(lambda services: _known(services, found))
        return found


def _known(services: Any, credentials: Credentials) -> None:
    managing.add_device(services, credentials.registration_id)
    services.hub.registry.find(credentials.registration_id).primary_key = credentials.primary_key


def _dispatching() -> None:
    """Give the runs of seeds, and no others, their target; and leave the public repository out of them."""
    usual_places = models.locations

    def make_target(settings: Settings, emit: Callable[[Any], None], *rest: Any) -> Any:
        if settings.registration_id in _seeds:
            return _SeededTarget(settings, emit)
        return usual_target(settings, emit, *rest)

    def locations(settings: Settings) -> list[str]:
        found = usual_places(settings)
        if settings.registration_id in _seeds:
            return [place for place in found if not is_public(place)]
        return found

    mock.patch.object(run_module, "make_target", make_target).start()
    mock.patch.object(models, "locations", locations).start()


_dispatching()


def https_is_free() -> bool:
    """Whether this user may have port 443, which devices on HTTPS need."""
    try:
        with socket.socket() as probe:
            probe.bind((free_address(443), 443))
    except OSError:
        return False
    return True

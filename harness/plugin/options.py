"""The pytest options, from the table of settings."""

from __future__ import annotations

import difflib
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.settings import FLEET, OPTIONS, VARIABLES, Settings, SettingsError, load, toml

if TYPE_CHECKING:
    from harness.fleet import Fleet

_PREFIX = "preflight_"


def add_options(parser: pytest.Parser) -> None:
    """Register every option of the table."""
    group = parser.getgroup("preflight", "pre-flight of an IoT Plug and Play device")
    for option in OPTIONS:
        if option.name == "strict":  # pytest has a --strict of its own, which we read as ours too (`_strict`)
            continue
        kwargs: dict[str, Any] = {"dest": _PREFIX + option.attribute, "default": None, "help": option.help}
        if option.flag:
            kwargs["action"] = "store_true"
        elif option.repeat:
            kwargs |= {"action": "append", "metavar": option.metavar}
        elif option.choices:
            kwargs["metavar"] = "|".join(option.choices)
        else:
            kwargs["metavar"] = option.metavar
        group.addoption(f"--{option.name}", **kwargs)


def refuse_misspelt(parser: pytest.Parser, args: list[str]) -> None:
    """Raise a usage error for an unknown option that is nearly one of ours; pytest names no near ones."""
    _, unknown = parser.parse_known_and_unknown_args(args)
    names = [option.name for option in OPTIONS]
    for word in unknown:
        name = word.partition("=")[0].removeprefix("--").replace("_", "-")
        close = difflib.get_close_matches(name, names, n=1, cutoff=0.7)
        if word.startswith("--") and close:
            raise pytest.UsageError(f"There is no option {word.partition('=')[0]}: did you mean --{close[0]}?")


def settings_of(config: pytest.Config) -> tuple[tuple[Settings, ...], Fleet | None]:
    """The settings in force for each device, and the fleet where there is one.

    A wrong one is a usage error of pytest (exit 4), without a traceback.
    """
    given = {o.name: config.getoption(_PREFIX + o.attribute, None) for o in OPTIONS}
    if _strict(config):
        given["strict"] = True
    try:
        fleet = _fleet(config, given)
        settings = fleet.devices if fleet else (_only(config, given),)
    except SettingsError as e:
        raise pytest.UsageError(str(e)) from None
    for replay in {s.replay for s in settings if s.replay}:
        _check_journal(replay)
    stated = (s if s.test_cases is None or s.replay else _with_test_cases(s, s.test_cases) for s in settings)
    return tuple(stated), fleet


def _check_journal(path: Path) -> None:
    """A file of another kind would be judged as a run in which nothing happened. Raises pytest's UsageError."""
    from harness.record.reading import is_journal

    try:
        readable = is_journal(path)
    except OSError as e:
        raise pytest.UsageError(f"--replay: {path} cannot be read: {e.strerror or e}.") from None
    if not readable:
        raise pytest.UsageError(
            f"--replay: {path} is no journal of the pre-flight, or damaged from its beginning: no entry can be read."
        )


def _only(config: pytest.Config, given: dict[str, Any]) -> Settings:
    """The settings without a fleet, where no device has a name. Raises SettingsError."""
    return replace(load(given, os.environ, _root(config), config.invocation_params.dir), device=None)


def _fleet(config: pytest.Config, given: dict[str, Any]) -> Fleet | None:
    """The fleet of preflight.toml. Raises SettingsError."""
    root = _root(config)
    chosen = given["device"] or os.environ.get(VARIABLES["device"])
    if not chosen and FLEET not in toml(root / "preflight.toml"):
        return None
    from harness.fleet import load_fleet

    return load_fleet(given, os.environ, root, config.invocation_params.dir)


def _with_test_cases(settings: Settings, path: Path) -> Settings:
    """The settings with what an AICS test-case file states over what preflight.toml states."""
    from harness.aics import TestCasesError, read_file

    try:
        cases = read_file(path)
        expectations = cases.over(settings.expectations)
    except TestCasesError as e:
        raise pytest.UsageError(f"--test-cases: {e}") from None
    return replace(settings, expectations=expectations, notes=(*settings.notes, *cases.notes))


def _root(config: pytest.Config) -> Path:
    """Where preflight.toml lies and reports go: the current folder, or pytest's root above it if the file is there.

    pytest's root alone would not do: with `--pyargs harness.suite` it is where the harness is installed.
    """
    here, root = config.invocation_params.dir, config.rootpath
    above = root in here.parents and (root / "preflight.toml").exists() and not (here / "preflight.toml").exists()
    return root if above else here


def _strict(config: pytest.Config) -> bool:
    """`--strict` as given on the command line: its own option in pytest 8, an ini override from pytest 9."""
    overrides = config.getoption("override_ini", None) or []
    return bool(config.getoption("strict", False)) or "strict=true" in overrides

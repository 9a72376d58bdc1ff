"""Reading the settings: command line over environment over preflight.toml over defaults."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.expectations import TABLES, Expectations, nearest, stacked
from harness.expectations import read as read_expectations
from harness.settings import redactions
from harness.settings.checking import checked as check
from harness.settings.options import OPTIONS, Option
from harness.settings.settings import EXTERNAL, EXTERNAL_CONNECT_TIMEOUT, FLEET, SMOKE_WINDOW, Settings, SettingsError
from harness.settings.values import Location, tpm_registration_id

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def load(
    command_line: Mapping[str, Any],
    environment: Mapping[str, str],
    root: Path,
    cwd: Path | None = None,
    own: Mapping[str, Any] | None = None,
    *,
    checked: bool = True,
) -> Settings:
    """The settings in force for a run in `root`, where preflight.toml may lie.

    `command_line` holds what was given, by option name. Relative paths of preflight.toml start at `root`,
    others at `cwd` (where the user is; `root` when not given). `own` is what preflight.toml says of one device of
    a fleet: keys and tables that win over the file's common ones. What runs no suite needs no whole set of settings
    and leaves them un`checked`. Raises SettingsError.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    common, expectations = _read_tables(toml(root / "preflight.toml"))
    ours, expectations = _read_tables(own or {}, expectations)
    for origin, layer in (
        ("preflight.toml", common),
        ("preflight.toml", ours),
        ("the environment", _environment(environment)),
        ("the command line", command_line),
    ):
        for option in OPTIONS:
            if layer.get(option.name) is None:
                continue
            if option.name == "dut" and "model_id" in values:
                # The model id of a lower layer describes the device of that layer, not this one.
                del values["model_id"], origins["model-id"]
            base = root if origin == "preflight.toml" else cwd or root
            read = _placed(_read(option, layer[option.name], origin), base)
            if option.name == "redact":  # what one layer wants masked, another cannot show
                read = (*values.get("redact", ()), *read)
            values[option.attribute] = read
            origins[option.name] = origin
    folders: dict[str, Any] = {"reports": root / "reports", "state": root / ".preflight"}
    if values.get("dut") == EXTERNAL:
        values.setdefault("connect_timeout", EXTERNAL_CONNECT_TIMEOUT)
    if values.get("profile") == "smoke":
        values.setdefault("window", SMOKE_WINDOW)
    if values.get("attestation") == "tpm" and "endorsement_key" in values:
        values.setdefault("registration_id", tpm_registration_id(values["endorsement_key"]))
    values["redact"], notes = redactions.resolved(values.get("redact", ()), environment)
    notes = (*notes, *_indiscreet(origins, command_line))
    settings = Settings(**{**folders, **values}, root=root, origins=origins, expectations=expectations, notes=notes)
    return check(settings) if checked else settings


def _indiscreet(origins: Mapping[str, str], command_line: Mapping[str, Any]) -> tuple[str, ...]:
    """A note where secrets were given on the command line."""
    given = [o for o in OPTIONS if o.secret and origins.get(o.name) == "the command line"]
    given = [o for o in given if o.name != "redact" or redactions.holds_text(command_line["redact"])]
    if not given:
        return ()
    names = " and ".join(f"--{o.name}" for o in given)
    variables = " and ".join(o.environment for o in given)
    return (
        f"{names}: what stands on a command line stays in the shell's history and shows in the list of processes. "
        f"Put it into the environment ({variables}).",
    )


def _placed(value: Any, base: Path) -> Any:
    """Paths made absolute from where they were written down."""
    if isinstance(value, tuple):
        return tuple(_placed(v, base) for v in value)
    if isinstance(value, Location):
        return value if "://" in value else Location(os.path.normpath(base / value))
    return base / value if isinstance(value, Path) else value


def _read(option: Option, value: Any, origin: str) -> Any:
    name = f"--{option.name}" if origin == "the command line" else option.name
    if origin == "the environment":
        name = option.environment
    try:
        read = option.read(value)
    except (TypeError, ValueError) as e:
        shown = "***" if option.secret else repr(value)
        raise SettingsError(f"{name} = {shown} ({origin}) cannot be used: {e}.") from None
    if option.choices and read not in option.choices:
        raise SettingsError(
            f"{name} = {value!r} ({origin}) is not known: choose {' or '.join(option.choices)}"
            f"{nearest(str(read), option.choices)}."
        )
    return read


def _environment(environment: Mapping[str, str]) -> dict[str, Any]:
    layer: dict[str, Any] = {}
    for option in OPTIONS:
        text = next((t for n in (option.environment, *option.also) if (t := environment.get(n))), None)
        if text:
            layer[option.name] = text.splitlines() if option.repeat else text
    return layer


def toml(path: Path) -> dict[str, Any]:
    """What the file holds; nothing where there is none. Raises SettingsError."""
    try:
        found: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        return found
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise SettingsError(f"{path.name} is not valid TOML: {e}.") from None
    except RecursionError:
        raise SettingsError(f"{path.name} is nested too deeply to be read.") from None
    except OSError as e:
        raise SettingsError(f"{path.name} cannot be read: {e.strerror or e}.") from None


def _read_tables(data: Mapping[str, Any], under: Expectations | None = None) -> tuple[dict[str, Any], Expectations]:
    """The settings among the keys of preflight.toml, and the expectations its tables state, laid over `under`."""
    names = tuple(o.name for o in OPTIONS if o.filed)
    tables = (*TABLES, FLEET)
    stated = read_expectations(data)
    problems = [
        f"preflight.toml has an unknown key `{key}`{nearest(key, (*names, *tables))}. Known keys: {', '.join(names)}; "
        f"tables: {', '.join(tables)}."
        for key in data
        if key not in names and key not in tables
    ]
    problems += [f"preflight.toml: {problem}" for problem in stated.problems]
    if problems:
        raise SettingsError("\n".join(problems))
    expectations = stated.expectations if under is None else stacked(under, stated.expectations)
    return {key: value for key, value in data.items() if key in names}, expectations

"""The settings of a run: command line over environment over preflight.toml over defaults.

One table describes every setting; the pytest options, the environment names (`PREFLIGHT_` and the name in
upper case), the keys of preflight.toml and the messages about wrong ones all come from it.
"""

from __future__ import annotations

import base64
import binascii
import difflib
import hashlib
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from harness.expectations import TABLES, Expectations
from harness.expectations import read as read_expectations

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

EXTERNAL = "external"
"""The `dut` of a physical device, which its owner starts."""


EXTERNAL_CONNECT_TIMEOUT = 600.0
"""Seconds: a person has to configure a physical device and start it."""

SMOKE_WINDOW = 10.0
"""Seconds: `--profile smoke` is done in under 15."""


class SettingsError(Exception):
    """A setting is unknown or has an impossible value. The text says which, where, and what is possible."""


def _seconds(value: Any) -> float:
    number = float(value)
    if isinstance(value, bool) or not 0 < number < 1e6:
        raise ValueError("a number of seconds above 0 is expected")
    return number


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("a text is expected")
    return value.strip()


class Location(str):
    """A directory or a URL."""

    __slots__ = ()


def _locations(value: Any) -> tuple[Location, ...]:
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, (list, tuple)):
        raise ValueError("a text or a list of texts is expected")
    return tuple(Location(Path(_text(v)).expanduser() if "://" not in _text(v) else _text(v)) for v in values)


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    if str(value).lower() not in words:
        raise ValueError("true or false is expected")
    return words[str(value).lower()]


def _path(value: Any) -> Path:
    return Path(_text(value)).expanduser()


def _base64(value: Any) -> str:
    text = "".join(_text(value).split())
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("base64 is expected") from None
    return text


def tpm_registration_id(endorsement_key: str) -> str:
    """The registration id that Microsoft's SDKs give a device with a TPM that was told none.

    It is the SHA-256 of the public endorsement key (TPM2B_PUBLIC, here in base64), in base32, lower case, unpadded.
    """
    digest = hashlib.sha256(base64.b64decode(endorsement_key)).digest()
    return base64.b32encode(digest).decode("ascii").rstrip("=").lower()


def _check_attestation(settings: Settings) -> Settings:
    tpm = settings.attestation == "tpm"
    if tpm and settings.endorsement_key is None and settings.replay is None:
        raise SettingsError(
            "--attestation tpm: DPS has to know the public endorsement key of the device's TPM. Read it from the TPM "
            "(`tpm2_createek -c ek.ctx -u ek.pub`, then `base64 -w0 ek.pub`) and give it with --endorsement-key BASE64."
        )
    if not tpm and settings.origins.get("endorsement-key") == "the command line":
        raise SettingsError(
            f"--endorsement-key is for --attestation tpm, and the attestation is {settings.attestation}: "
            "add that option or leave this one out."
        )
    return settings


def _check_files(settings: Settings) -> Settings:
    if settings.sign is not None and settings.bundle is None:
        raise SettingsError("--sign signs a bundle: name its file with --bundle FILE too.")
    if settings.replay is not None and not settings.replay.is_file():
        raise SettingsError(f"--replay: there is no file {settings.replay}.")
    if settings.test_cases is not None and not settings.test_cases.is_file():
        raise SettingsError(f"--test-cases: there is no file {settings.test_cases}.")
    if settings.replay is not None and settings.origins.get("test-cases") == "the command line":
        raise SettingsError(
            "--test-cases does not go with --replay: a recorded run is judged by what was stated when it ran."
        )
    return settings


@dataclass(frozen=True, slots=True)
class Option:
    """One setting. `name` is as on the command line and in preflight.toml."""

    name: str
    help: str
    read: Callable[[Any], Any] = _text
    metavar: str | None = None
    choices: tuple[str, ...] = ()
    repeat: bool = False
    flag: bool = False

    @property
    def attribute(self) -> str:
        return self.name.replace("-", "_")

    @property
    def environment(self) -> str:
        return "PREFLIGHT_" + self.attribute.upper()


OPTIONS = (
    Option("dut", "the device under test: a command line, or `external` for a physical one", metavar="COMMAND"),
    Option("model-id", "DTMI of the device's root interface; discovered when absent", metavar="DTMI"),
    Option(
        "models",
        "where models are: a directory or URL in device-model-repository layout",
        _locations,
        "LOCATION",
        repeat=True,
    ),
    Option("target", "where the device is tested", choices=("local", "azure")),
    Option("attestation", "how the device proves itself to DPS", choices=("symmetric-key", "x509", "tpm")),
    Option(
        "endorsement-key",
        "public endorsement key of the device's TPM (TPM2B_PUBLIC in base64), for --attestation tpm",
        _base64,
        "BASE64",
    ),
    Option("registration-id", "the device's registration id in DPS", metavar="ID"),
    Option("window", "how long telemetry is watched, at most", _seconds, "SECONDS"),
    Option("connect-timeout", "how long the device may take to register and to connect", _seconds, "SECONDS"),
    Option("ack-timeout", "how long the device may take to acknowledge a writable property", _seconds, "SECONDS"),
    Option("trial-timeout", "how long one trial of the full profile may take, at most", _seconds, "SECONDS"),
    Option("command-timeout", "how long the device may take to answer a command", _seconds, "SECONDS"),
    Option(
        "listen",
        "address the local target listens on; a LAN address for a physical device",
        metavar="ADDRESS",
    ),
    Option(
        "profile",
        "how much is tested: smoke = everything declared once, in under 15 s; standard = also negative tests and "
        "cloud-to-device messages (the default); full = also resilience, by trials",
        choices=("smoke", "standard", "full"),
    ),
    Option("reports", "folder the reports go to", _path, "DIR"),
    Option("state", "folder the local target keeps its certificates in", _path, "DIR"),
    Option("strict", "warnings fail the run", _flag, flag=True),
    Option("bundle", "make one zip of the run for a manual review, in this file", _path, "FILE"),
    Option("sign", "sign the bundle with this Ed25519 private key (PEM)", _path, "KEY"),
    Option("replay", "judge a recorded run again, without a device", _path, "JOURNAL"),
    Option(
        "test-cases",
        "an AICS test-case file, stated over preflight.toml; `preflight test-cases` writes one",
        _path,
        "FILE",
    ),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings in force. Durations are in seconds. `origins` says where each was set.

    `expectations` is what the maker states about the device; `notes` is what of it could not be taken up.
    """

    dut: str | None = None
    model_id: str | None = None
    models: tuple[str, ...] = ()
    target: str = "local"
    attestation: str = "symmetric-key"
    endorsement_key: str | None = None
    registration_id: str = "preflight-device"
    window: float = 60.0
    connect_timeout: float = 60.0
    ack_timeout: float = 30.0
    command_timeout: float = 30.0
    trial_timeout: float = 120.0
    listen: str = "127.0.0.1"
    profile: str = "standard"
    reports: Path = Path("reports")
    state: Path = Path(".preflight")
    strict: bool = False
    bundle: Path | None = None
    sign: Path | None = None
    replay: Path | None = None
    test_cases: Path | None = None
    root: Path = field(default_factory=Path)
    origins: Mapping[str, str] = field(default_factory=dict)
    expectations: Expectations = field(default_factory=Expectations)
    notes: tuple[str, ...] = ()

    @property
    def is_smoke(self) -> bool:
        """Whether the run is the quickest one."""
        return self.profile == "smoke"

    def as_record(self) -> dict[str, Any]:
        """The settings as they stand in the record and the reports."""
        return {
            f.name.replace("_", "-"): _plain(getattr(self, f.name))
            for f in fields(self)
            if f.name not in ("origins", "root", "expectations", "notes") and getattr(self, f.name) is not None
        }


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else list(value) if isinstance(value, tuple) else value


def load(
    command_line: Mapping[str, Any], environment: Mapping[str, str], root: Path, cwd: Path | None = None
) -> Settings:
    """The settings in force for a run in `root`, where preflight.toml may lie.

    `command_line` holds what was given, by option name. Relative paths of preflight.toml start at `root`,
    others at `cwd` (where the user is; `root` when not given). Raises SettingsError.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    file, expectations = _file(root / "preflight.toml")
    for origin, layer in (
        ("preflight.toml", file),
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
            values[option.attribute] = _placed(_read(option, layer[option.name], origin), base)
            origins[option.name] = origin
    folders: dict[str, Any] = {"reports": root / "reports", "state": root / ".preflight"}
    if values.get("dut") == EXTERNAL:
        values.setdefault("connect_timeout", EXTERNAL_CONNECT_TIMEOUT)
    if values.get("profile") == "smoke":
        values.setdefault("window", SMOKE_WINDOW)
    if values.get("attestation") == "tpm" and "endorsement_key" in values:
        values.setdefault("registration_id", tpm_registration_id(values["endorsement_key"]))
    settings = Settings(**{**folders, **values}, root=root, origins=origins, expectations=expectations)
    return _check_files(_check_attestation(settings))


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
        raise SettingsError(f"{name} = {value!r} ({origin}) cannot be used: {e}.") from None
    if option.choices and read not in option.choices:
        raise SettingsError(
            f"{name} = {value!r} ({origin}) is not known: choose {' or '.join(option.choices)}"
            f"{_nearest(str(read), option.choices)}."
        )
    return read


def _environment(environment: Mapping[str, str]) -> dict[str, Any]:
    layer: dict[str, Any] = {}
    for option in OPTIONS:
        text = environment.get(option.environment)
        if text:
            layer[option.name] = text.splitlines() if option.repeat else text
    return layer


def _file(path: Path) -> tuple[dict[str, Any], Expectations]:
    """The settings of preflight.toml, and the expectations its tables state."""
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}, Expectations()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise SettingsError(f"{path.name} is not valid TOML: {e}.") from None
    except RecursionError:
        raise SettingsError(f"{path.name} is nested too deeply to be read.") from None
    except OSError as e:
        raise SettingsError(f"{path.name} cannot be read: {e.strerror or e}.") from None
    names = tuple(o.name for o in OPTIONS)
    stated = read_expectations(data)
    problems = [
        f"{path.name} has an unknown key `{key}`{_nearest(key, names + TABLES)}. Known keys: {', '.join(names)}; "
        f"tables: {', '.join(TABLES)}."
        for key in data
        if key not in names and key not in TABLES
    ]
    problems += [f"{path.name}: {problem}" for problem in stated.problems]
    if problems:
        raise SettingsError("\n".join(problems))
    return {key: value for key, value in data.items() if key in names}, stated.expectations


def _nearest(word: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(word.replace("_", "-").lower(), known, n=1, cutoff=0.5)
    return f" (did you mean `{close[0]}`?)" if close else ""

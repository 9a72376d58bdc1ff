"""What a name says about a value, so that samples look like a device's: a humidity of 48, not of -1e300."""

from __future__ import annotations

import re
from random import Random

_NUMBERS: tuple[tuple[str, float, float, int], ...] = (
    # word in the name or semantic type, low, high, decimal digits; the first that fits wins
    ("latitude", 45.0, 55.0, 5),
    ("longitude", 5.0, 15.0, 5),
    ("altitude", 0.0, 500.0, 1),
    ("lat", 45.0, 55.0, 5),
    ("lon", 5.0, 15.0, 5),
    ("alt", 0.0, 500.0, 1),
    ("temperature", 18.0, 26.0, 1),
    ("temp", 18.0, 26.0, 1),
    ("humidity", 35.0, 65.0, 1),
    ("pressure", 990.0, 1030.0, 1),
    ("battery", 20.0, 100.0, 0),
    ("rssi", -90.0, -40.0, 0),
    ("signal", -90.0, -40.0, 0),
    ("voltage", 3.0, 4.2, 2),
    ("current", 0.1, 2.0, 2),
    ("power", 1.0, 60.0, 1),
    ("energy", 0.0, 500.0, 1),
    ("illuminance", 50.0, 800.0, 0),
    ("light", 50.0, 800.0, 0),
    ("co2", 400.0, 1200.0, 0),
    ("acceleration", -2.0, 2.0, 3),
    ("gyroscope", -250.0, 250.0, 1),
    ("velocity", 0.0, 30.0, 1),
    ("speed", 0.0, 30.0, 1),
    ("interval", 5.0, 300.0, 0),
    ("delay", 1.0, 2.0, 0),
    ("seconds", 1.0, 5.0, 0),
    ("timeout", 5.0, 30.0, 0),
    ("percent", 0.0, 100.0, 0),
    ("memory", 1024.0, 65536.0, 0),
    ("storage", 1024.0, 65536.0, 0),
    ("count", 0.0, 50.0, 0),
    ("scale", 0.0, 3.0, 0),
)

_TEXTS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("version", ("1.0.0", "1.4.2", "2.0.1")),
    ("serial", ("SN-00482913", "SN-00482914")),
    ("manufacturer", ("Example Devices", "Sample Works")),
    ("model", ("EX-100", "EX-200")),
    ("architecture", ("arm", "x86_64")),
    ("color", ("red", "green", "blue")),
    ("url", ("https://example.com/firmware.bin",)),
    ("email", ("someone@example.com",)),
    ("language", ("en", "de")),
)


def number_range(hint: str) -> tuple[float, float, int] | None:
    """Low, high and decimal digits for a number that `hint` names; None where the name says nothing."""
    words = _words(hint)
    for word, low, high, digits in _NUMBERS:
        if word in words:
            return low, high, digits
    return None


def text_for(hint: str, rng: Random) -> str:
    """A short text in keeping with its name."""
    words = _words(hint)
    for word, texts in _TEXTS:
        if word in words:
            return rng.choice(texts)
    return f"{hint.rpartition(' ')[2] or 'sample'} {rng.randrange(1, 100)}"


def _words(hint: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+[0-9]*|[A-Z]+[0-9]*(?![a-z])", hint)}

"""What the user lists to be masked: a text, a regular expression between slashes, or a variable of the environment.

hunter2horse              this text, wherever it stands
/wifi-psk=(\\S+)/          what the expression matches; with groups, what they hold
env:WIFI_PASSWORD         what this variable holds, and each of its lines
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

SHORTEST = 4
"""Characters of a text that may be listed: a shorter one stands in too much that is no secret."""

_VARIABLE = "env:"

Listed = str | re.Pattern[str]


def read(value: Any) -> tuple[Listed, ...]:
    """One text or several, as in preflight.toml; expressions are compiled. Raises ValueError; it quotes no text."""
    values = [value] if isinstance(value, str) else value
    if not isinstance(values, (list, tuple)) or not all(isinstance(one, (str, re.Pattern)) for one in values):
        raise ValueError("a text or a list of texts is expected")
    return tuple(_one(one) if isinstance(one, str) else one for one in values)


def resolved(listed: Iterable[Listed], environment: Mapping[str, str]) -> tuple[tuple[Listed, ...], tuple[str, ...]]:
    """Texts and expressions, with what the variables hold in place of their names, and notes on those without use."""
    found: list[Listed] = []
    notes = []
    for one in listed:
        if isinstance(one, re.Pattern) or not one.startswith(_VARIABLE):
            found.append(one)
            continue
        name = one.removeprefix(_VARIABLE)
        text = environment.get(name, "").strip()
        lines = [line.strip() for line in text.splitlines()]
        if len(text) >= SHORTEST:
            found += dict.fromkeys((text, *(line for line in lines if len(line) >= SHORTEST)))
        else:
            what = "is too short to be masked" if text else "is empty" if name in environment else "is not set"
            notes.append(f"redact: the variable {name} {what}.")
    return tuple(found), tuple(notes)


def holds_text(listed: Any) -> bool:
    """Whether a secret itself stands among these, and no more than how to find it."""
    values = [listed] if isinstance(listed, str) else listed
    return any(isinstance(one, str) and not one.startswith((_VARIABLE, "/")) for one in values)


def _one(text: str) -> Listed:
    if len(text) > 2 and text.startswith("/") and text.endswith("/"):
        try:
            pattern = re.compile(text[1:-1])
        except (re.error, RecursionError, OverflowError) as e:
            raise ValueError(f"what stands between the slashes is no regular expression ({e})") from None
        if pattern.search("") is not None:
            raise ValueError("the regular expression matches an empty text, and so everything")
        return pattern
    if text.startswith(_VARIABLE):
        if len(text) == len(_VARIABLE):
            raise ValueError("env: is followed by the name of a variable")
        return text
    if len(text.strip()) < SHORTEST:
        raise ValueError(
            f"a text of {SHORTEST} characters at least is expected; describe a shorter one by what stands beside it, "
            "as in /pin=(\\d+)/"
        )
    return text

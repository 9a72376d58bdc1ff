"""Plans from outside: TOML files, JSON documents and keyword arguments, with one set of rules and sentences.

[[fault]]
device = "dev-1"      # registration id or device id; left out or "*": every device
at = "register"       # the moment
occurrence = 2        # the second; or from = 2 (and on), times = 3; left out: the first
do = "error"
code = 429
retry-after = 5
"""

from __future__ import annotations

import difflib
import math
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.emulator.faults.gate import Point
from harness.emulator.faults.plan import ACTS, CERTIFICATES, EVERY_DEVICE, Fault, Plan, PlanError

_WHERE = ("device", "at", "occurrence", "from", "times", "do")
_PARTICULARS = ("code", "retry-after", "seconds", "after", "kind", "message")
_TABLE = re.compile(r"^\s*\[\[\s*(?:fault|\"fault\"|'fault')\s*\]\]", re.MULTILINE)
_LONGEST = 86_400.0
"""Seconds; nobody waits longer than a day for a fault."""


def load(path: Path) -> Plan:
    """Read a TOML file. Raises PlanError, also for a file that cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise PlanError((f"The fault plan {path} cannot be read: {reason}.",)) from None
    return from_toml(text, str(path))


def from_toml(text: str, place: str = "fault plan") -> Plan:
    """Read a plan's text; `place` names it in messages. Raises PlanError."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PlanError((f"{place}: not TOML: {error or 'nested too deeply'}",)) from None
    lines = [text.count("\n", 0, found.end()) + 1 for found in _TABLE.finditer(text)]

    def name(number: int) -> str:
        # Inline tables (`fault = [{…}]`) have no headers to count.
        of_line = f", line {lines[number]}" if number < len(lines) else ""
        return f"{place}{of_line}: fault {number + 1}"

    return from_document(document, place, name)


def from_document(document: Any, place: str = "fault plan", name: Callable[[int], str] | None = None) -> Plan:
    """Read `{"fault": [{…}, …]}`; `name` says where the n-th fault, from 0, is. Raises PlanError."""
    if not isinstance(document, Mapping):
        raise PlanError((f'{place}: a plan is an object {{"fault": […]}}.',))
    problems = [f"{place}: {_unknown('key', key, ('fault',))}" for key in document if key != "fault"]
    rows = document.get("fault", [])
    if not isinstance(rows, list):
        raise PlanError((*problems, f"{place}: `fault` must be a list: in TOML, begin each fault with [[fault]]."))
    faults = []
    for number, row in enumerate(rows):
        where = name(number) if name else f"{place}: fault {number + 1}"
        try:
            faults.append(_read(row))
        except PlanError as error:
            problems += [f"{where}: {problem}" for problem in error.problems]
    if problems:
        raise PlanError(tuple(problems))
    return Plan(tuple(faults))


def fault(**words: Any) -> Fault:
    """Make one fault of a plan's words, `_` for `-` and `from_` for `from`. Raises PlanError.

    fault(at="register", do="error", code=429, retry_after=5)
    """
    return _read({word.rstrip("_").replace("_", "-"): value for word, value in words.items() if value is not None})


def _read(row: Any) -> Fault:
    if not isinstance(row, Mapping):
        raise PlanError(("a fault is a table of keys and values.",))
    reader = _Reader(row)
    at, do = reader.word("at", [point.value for point in Point]), reader.word("do", ACTS)
    reader.known_keys()
    first, times = reader.occurrences()
    device = reader.device(at)
    values = {word: reader.particular(word) for word in _PARTICULARS}
    if at and do:
        reader.fits(Point(at), do, values)
    if reader.problems:
        raise PlanError(tuple(reader.problems))
    return Fault(
        at=Point(at),
        do=do,
        device=device,
        first=first,
        times=times,
        code=values["code"],
        retry_after=values["retry-after"],
        seconds=values["seconds"],
        after=values["after"],
        kind=values["kind"],
        message=values["message"] or "",
    )


class _Reader:
    """Reads one fault's table and gathers everything that is wrong with it."""

    def __init__(self, row: Mapping[Any, Any]) -> None:
        self._row = row
        self.problems: list[str] = []

    def known_keys(self) -> None:
        known = _WHERE + _PARTICULARS
        self.problems += [_unknown("key", key, known) for key in self._row if key not in known]

    def word(self, key: str, known: Iterable[str]) -> str:
        value = self._row.get(key)
        if value is None:
            self.problems.append(f"`{key}` is missing: one of {', '.join(known)}.")
            return ""
        if not isinstance(value, str) or value not in known:
            self.problems.append(_unknown(f"value of `{key}`", value, known))
            return ""
        return value

    def device(self, at: str) -> str:
        device = self._row.get("device", EVERY_DEVICE)
        if not isinstance(device, str) or not device:
            self.problems.append('`device` must be a registration id or device id, or "*".')
            return EVERY_DEVICE
        if at == Point.TLS and device != EVERY_DEVICE:
            self.problems.append("a TLS handshake does not say which device it is: leave `device` out.")
        return device

    def occurrences(self) -> tuple[int, int | None]:
        occurrence, first, times = (self._whole(key, 1, 10**9) for key in ("occurrence", "from", "times"))
        if occurrence is not None and (first, times) != (None, None):
            self.problems.append("`occurrence` is one moment; for several write `from` and `times` instead.")
        if occurrence is not None:
            return occurrence, 1
        if first is None and times is None:
            return 1, 1
        return first or 1, times

    def particular(self, key: str) -> Any:
        if key == "kind":
            return self.word(key, CERTIFICATES) or None if key in self._row else None
        if key == "code":
            return self._whole(key, 1, 999_999)
        if key == "retry-after":
            return self._whole(key, 0, int(_LONGEST))
        if key in ("seconds", "after"):
            return self._number(key, -1e9 if self._row.get("do") == "clock-skew" else 0.0)
        value = self._row.get(key)
        if value is not None and not isinstance(value, str):
            self.problems.append(f"`{key}` must be a text.")
            return None
        return value

    def fits(self, point: Point, do: str, values: Mapping[str, Any]) -> None:
        """Check that this can be done at this moment, and that its particulars are there and possible."""
        act = ACTS[do]
        if point not in act.points:
            places = ", ".join(p.value for p in Point if p in act.points)
            self.problems.append(f'`do = "{do}"` cannot be done at "{point.value}", but at {places}.')
            return
        for word in sorted(act.needs - self._row.keys()):
            choice = f": one of {', '.join(CERTIFICATES)}" if word == "kind" else ""
            self.problems.append(f'`do = "{do}"` needs `{word}`{choice}.')
        for word in _PARTICULARS:
            if word in self._row and word not in act.needs | act.takes:
                self.problems.append(f'`{word}` means nothing with `do = "{do}"`.')
        self._code(point, do, values["code"])
        if do == "error" and values["retry-after"] is not None and point not in _RETRIED:
            self.problems.append("`retry-after` goes with register and poll only; elsewhere the protocol has none.")

        if point is Point.TLS and values["after"] is not None:
            self.problems.append('at a TLS handshake there is no `after`: use `at = "connect"`.')

    def _code(self, point: Point, do: str, code: int | None) -> None:
        if do == "error":
            if point in _SUBSCRIBED:
                if code is not None:
                    self.problems.append("a SUBACK has one code for failure, 0x80: leave `code` out.")
            elif code is None and "code" not in self._row:
                self.problems.append('`do = "error"` needs `code`: a status such as 429, or a number such as 429001.')
            elif code is not None and not _is_error(code):
                self.problems.append("`code` must be a status of 300 to 599, or such a status and three digits more.")
        elif do == "connack" and code is not None and code > 255:
            self.problems.append("`code` must be a CONNACK return code: 1 to 5 of MQTT 3.1.1, or any up to 255.")
        elif do == "hub-moved" and code not in (None, 401, 404):
            self.problems.append("`code` must be 401 or 404.")

    def _whole(self, key: str, low: int, high: int) -> int | None:
        value = self._row.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self.problems.append(f"`{key}` must be a whole number from {low} to {high}.")
            return None
        return value

    def _number(self, key: str, low: float) -> float | None:
        value = self._row.get(key)
        if value is None:
            return None
        good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        high = -low if low < 0 else _LONGEST
        if not good or not low <= value <= high:
            self.problems.append(f"`{key}` must be a number of seconds from {low:g} to {high:g}.")
            return None
        return float(value)


_RETRIED = (Point.DPS_REGISTER, Point.DPS_POLL)
_SUBSCRIBED = (Point.DPS_SUBSCRIBE, Point.HUB_SUBSCRIBE)


def _is_error(code: int) -> bool:
    return 300 <= (code if code < 1000 else code // 1000) <= 599


def _unknown(what: str, value: Any, known: Iterable[str]) -> str:
    words = list(known)
    near = difflib.get_close_matches(str(value), words, 1, 0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(words)}."
    return f"unknown {what} {str(value)[:60]!r}; {hint}"

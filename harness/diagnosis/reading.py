"""Finds codes in what somebody typed or pasted from a log."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.diagnosis.catalogue import CATALOGUE
from harness.diagnosis.entry import SERVICES, Entry, Family
from harness.diagnosis.families import FAMILIES

_NUMBER = re.compile(r"(?<![\w.])(?<!-)([45]\d{5}|[45]\d{2})(?![\w]|\.\d|-\d)")
"""Six digits or three that stand alone: no part of an id, of a date or of a fraction of a second."""
_CONNACK = re.compile(
    r"(?i)\b(?:connack|return[ _-]?code|\brc|connect(?:ion)? refused)\W{0,3}(?:code\W{0,3})?([0-5])\b"
)
_WORD = re.compile(r"[A-Za-z_][A-Za-z_]{4,}")
_HINTS = (
    ("dps", re.compile(r"(?i)\bdps\b|\$dps|provisioning|registration")),
    ("upload", re.compile(r"(?i)upload|\bblob")),
    ("central", re.compile(r"(?i)\bcentral\b")),
    ("hub", re.compile(r"(?i)\bhub\b|iot\s?hub|\$iothub|azure-devices\.net|\btwin\b|direct method")),
)
_SHORT = 24
"""Up to this length a text is a code that was typed, and one plain word of it may be a state such as `blocked`."""
_CITED = re.compile(
    r"(?i)(?:\(|\b(?:error|status|code)\b\W{0,3}(?:code\W{0,3})?|errorcode\W{1,4})([45]\d{5})(?!\d)"
    r"|^([45]\d{5})(?= [a-z])|(connack [1-5])\b|\b(DeviceNotConnected)\b"
)


@dataclass(frozen=True, slots=True)
class Explanation:
    """`entries` are those found, the most specific first. Where there are none, `unknown` is the code that nobody
    lists (empty if the text holds none), `family` what its first digits say, `nearest` the entries most like it.
    """

    text: str
    entries: tuple[Entry, ...] = ()
    unknown: str = ""
    family: Family | None = None
    nearest: tuple[Entry, ...] = ()


def _by_word() -> Mapping[str, tuple[Entry, ...]]:
    found: dict[str, list[Entry]] = {}
    for entry in CATALOGUE:
        for word in {entry.code.lower(), *(w.lower() for w in (entry.name, *entry.aliases) if _is_name(w))}:
            found.setdefault(word, []).append(entry)
    return {word: tuple(entries) for word, entries in found.items()}


def _is_name(word: str) -> bool:
    """Whether a name of an entry is one that software writes, and no heading of ours."""
    return " " not in word and word != word.lower()


_WORDS = _by_word()
_PHRASES = {a.lower(): e for e in CATALOGUE for a in (e.code, *e.aliases) if " " in a}
_PLAIN = {e.code.lower() for e in CATALOGUE if e.code.isalpha() and not e.code.isupper()}
"""Codes that are plain words as well: states."""


def lookup(code: str, service: str | None = None) -> Entry | None:
    """The entry of exactly this code, in this service or in the first that has it."""
    found = (e for e in _WORDS.get(code.lower(), ()) if service in (None, e.service))
    return next((e for e in found if e.code.lower() == code.lower()), None)


def explain(text: str) -> Explanation:
    """What the catalogue says about the codes in a text: a code, a name, or a line of a log."""
    numbers = _NUMBER.findall(text)
    found = _unique((*_named(text), *(e for number in numbers for e in _WORDS.get(number, ()))))
    if found and any(e.specificity == 0 for e in found):
        found = [e for e in found if e.specificity == 0]
    strange = [n for n in numbers if n not in _WORDS]
    if found and not (strange and any(len(n) == 6 for n in strange) and all(e.specificity for e in found)):
        return Explanation(text, tuple(sorted(found, key=lambda e: _rank(e, text))))
    if strange:
        code = max(strange, key=len)
        return Explanation(text, (), code, FAMILIES.get(code[:3]), _nearest_number(code))
    return Explanation(text, nearest=_nearest_word(text))


def cited(text: str) -> tuple[str, ...]:
    """The codes that a sentence of the harness cites: `(401002)`, `error 404103`, `CONNACK 5`. In order, each once.

    Stricter than `explain`, for such a sentence quotes what the device sent, and that may hold any number.
    """
    codes = ("".join(groups) for groups in _CITED.findall(text))
    codes = (code.upper() if " " in code else code for code in codes)
    return tuple(dict.fromkeys(code for code in codes if code.lower() in _WORDS))


def best_cited(*texts: str) -> str:
    """Of all codes that the texts cite the one that says most, to be explained; empty where they cite none."""
    codes = [code for text in texts for code in cited(text)]
    return next((code for code in codes if code.isdigit()), codes[0] if codes else "")


def quoted_remedy(*texts: str) -> str:
    """What the catalogue tells the maker of that code; empty without one."""
    found = explain(best_cited(*texts)).entries
    return found[0].maker if found else ""


def _named(text: str) -> Iterable[Entry]:
    for digit in _CONNACK.findall(text):
        yield from _WORDS[f"connack {digit}"]
    lowered = text.lower()
    for phrase, entry in _PHRASES.items():
        if re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", lowered):
            yield entry
    for word in _WORD.findall(text):
        plain = word.lower() in _PLAIN
        if not plain or len(text.strip()) <= _SHORT:
            yield from _WORDS.get(word.lower(), ())


def _rank(entry: Entry, text: str) -> tuple[bool, bool, int, str]:
    hinted = any(entry.service == service and hint.search(text) for service, hint in _HINTS)
    return bool(entry.specificity), not hinted, SERVICES.index(entry.service), entry.code


def _unique(entries: Iterable[Entry]) -> list[Entry]:
    return list(dict.fromkeys(entries))


def _nearest_number(code: str) -> tuple[Entry, ...]:
    family = [e for e in CATALOGUE if e.code.isdigit() and e.code[:3] == code[:3]]
    number = int(code.ljust(6, "0"))
    return tuple(sorted(family, key=lambda e: (abs(int(e.code.ljust(6, "0")) - number), e.code))[:3])


def _nearest_word(text: str) -> tuple[Entry, ...]:
    typed = text.strip().lower()
    close = difflib.get_close_matches(typed, _WORDS, n=3, cutoff=0.6)
    close += [word for word in _WORDS if len(typed) >= 4 and typed in word]
    return tuple(_unique(e for word in close for e in _WORDS[word]))[:3]

"""Secrets never leave: the only road to a file or a screen of ours goes through a `Redactor`.

It knows the secrets of the run by value (keys the target handed out, what the user lists), what the user describes by
a regular expression, and the usual shapes of others (shared access keys and signatures, private keys).

A text is masked before it becomes part of a document (`clean`): there a match may be of any length and reach as far as
the text. The finished document, or a line of JSON, is masked once more (`clean_rendered`), by values and by shapes that
keep to the characters of a key, so that nothing of its syntax is lost.
"""

from __future__ import annotations

import base64
import re
import string
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from harness.record.spellings import SHORTEST, in_base64, spellings

MASK = "***"

_KEY_NAMES = "primaryKey|secondaryKey|symmetricKey|authenticationKey|storageRootKey|sasToken"
_PART = r"(?:[^;\s\"'&<\\]|\\+/)+"
"""Of a setting or query: up to what ends it, also where a slash is escaped."""

_SHAPES = (
    (("sharedaccesskey", "accountkey"), re.compile(rf"(?i)((?:SharedAccess|Account)Key\s*=\s*){_PART}")),
    (("sig=", "sig%3d"), re.compile(rf"(?i)(\bsig(?:=|%3d)){_PART}")),
    (
        ("key", "sastoken"),
        re.compile(rf"(?i)([\"'](?:{_KEY_NAMES})\\*[\"']\s*:\s*\\*[\"'])(?:[^\"'\\]|\\+/)+"),
    ),
    (("bearer ",), re.compile(r"(?i)(\bBearer +)[A-Za-z0-9._~+/=-]{16,}")),
    (("eyj",), re.compile(r"\b()eyJ[A-Za-z0-9_-]{8,300}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")),
)
"""Each with words, case folded, of which a match has at least one: looking for them is far cheaper, and a journal of
telemetry has few.
"""
_ARMOUR = re.compile(r"-----(BEGIN|END) [A-Z0-9 ]{0,40}PRIVATE KEY-----")
_KEY_TEXT = re.compile(r"[A-Za-z0-9+/=\s\\:,-]*")
"""What stands behind an armour's first line, in a document that goes on behind the key."""
_KEY_CHARACTERS = string.ascii_letters + string.digits + "+/=\\" + string.whitespace
_LONGEST_KEY = 80
"""Lines of a private key in a log; one of RSA with 4096 bits has 52."""
_ENCODED_SHAPES = tuple(
    look
    for word in ("SharedAccessKey", "SharedAccessSignature", "PRIVATE KEY-----")
    for look in in_base64(word.encode())
)
"""By which a shape is known in a text that is base64 of something longer."""
_KEY_RUN = re.compile(r"[A-Za-z0-9+/=%\\_-]{24,}")
"""What every spelling of a key is a part of. A line of telemetry has none, so most lines are looked through once."""
_MARKS = bytes(ord("x") if re.match(r"[A-Za-z0-9+/=%\\_-]", chr(code)) else ord(" ") for code in range(256))
_ENCODED = re.compile(r"(?:[A-Za-z0-9+/_-]|\\/){24,}")
_NUMBER = re.compile(r"[\d.+eE-]+")
_CUT = re.compile(r"…|\.\.\.")
_LONGEST = 4096
"""Characters of a secret that are looked for behind such a place."""
_CUTS = 32
"""Places from either end of a text at which a value may have been shortened; a long text has dots for other reasons."""

Secret = str | re.Pattern[str]
"""A text, or an expression that secrets match: all of the match, or its groups where it has any."""


class _Values:
    """Texts to mask, the longest first. Those of keys can only stand in a long run of a key's characters."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.all = tuple(sorted(texts, key=len, reverse=True))
        self._others = tuple(text for text in self.all if not _KEY_RUN.fullmatch(text))

    def _possible(self, text: str) -> tuple[str, ...]:
        return self.all if len(self._others) < len(self.all) and _has_key_run(text) else self._others

    def are_in(self, text: str) -> bool:
        for one in self._possible(text):  # noqa: SIM110 - a generator takes twice as long
            if one in text:
                return True
        return False

    def masked(self, text: str) -> str:
        for one in self._possible(text):
            if one in text:
                text = text.replace(one, MASK)
        return text


class Redactor:
    """Masks secrets in text. Thread-safe for reading while secrets are added."""

    def __init__(self, listed: Iterable[Secret] = ()) -> None:
        self._secrets = self._in_documents = _Values(())
        self._starts: frozenset[str] = frozenset()
        listed = tuple(listed)
        self._patterns = tuple(one for one in listed if isinstance(one, re.Pattern))
        self._add([one for one in listed if isinstance(one, str)], 1)

    def add(self, *secrets: str | None) -> None:
        """Make these values secret from now on, in every spelling; very short ones are not taken."""
        self._add([secret for secret in secrets if secret], SHORTEST)

    def _add(self, secrets: Iterable[str], shortest: int) -> None:
        given = {secret for secret in secrets if len(secret) >= shortest}
        known = {*self._secrets.all, *(look for secret in given for look in spellings(secret))}
        self._secrets = _Values(known)
        # A number is masked in the texts that a document is made of; in the document it may be a number of our own.
        self._in_documents = _Values(s for s in known if not _NUMBER.fullmatch(s))
        self._starts |= {secret for secret in given if len(secret) > SHORTEST}

    def suspects(self, line: str) -> bool:
        """Whether a line of the journal may hold a secret, so that its texts have to be looked at one by one."""
        if self._patterns or '": {"base64": ' in line or "PRIVATE KEY-----" in line or self._secrets.are_in(line):
            return True
        folded = line.casefold()
        for words, shape in _SHAPES:
            for word in words:
                if word in folded and shape.search(line):
                    return True
        return _holds_encoded_shape(line)

    def clean(self, text: str) -> str:
        """A text with every secret masked."""
        text = self._secrets.masked(text)
        for pattern in self._patterns:
            text = pattern.sub(_mask_groups, text)
        if self._starts and _CUT.search(text):
            text = self._without_cut_off(text)
        if self._patterns or _holds_encoded_shape(text):
            text = _ENCODED.sub(self._mask_encoded, text)
        return _without_keys(_without_shapes(text), whole=True)

    def clean_rendered(self, text: str) -> str:
        """A document whose syntax has to last (JSON, XML, HTML, Markdown), or a line of JSON."""
        if _holds_encoded_shape(text):
            text = _ENCODED.sub(self._mask_encoded, text)
        return _without_keys(_without_shapes(self._in_documents.masked(text)), whole=False)

    def clean_bytes(self, data: bytes) -> bytes:
        """A payload; what of it is no text stays as it is."""
        text = data.decode("utf-8", "surrogateescape")
        cleaned = self.clean(text)
        if cleaned != text:
            data = cleaned.encode("utf-8", "surrogateescape")
        if not data.isascii():  # the bytes of a key itself
            encoded = base64.b64encode(data).decode("ascii")
            if self._secrets.are_in(encoded):
                return MASK.encode()
        return data

    def clean_value(self, value: Any) -> Any:
        """A value of an event, or of JSON: the same where it holds no secret. A number that holds one becomes text."""
        match value:
            case str():
                return self.clean(value)
            case bytes():
                return self.clean_bytes(value)
            case int() | float() if not isinstance(value, bool):
                text = str(value)
                cleaned = self.clean(text)
                return value if cleaned == text else cleaned
            case Mapping():
                return {self.clean(str(name)): self.clean_value(inner) for name, inner in value.items()}
            case tuple() if value and all(isinstance(inner, str) for inner in value):
                # Lines of output, over which a key may be spread.
                text = "\n".join(value)
                cleaned = self.clean(text)
                return value if cleaned == text else tuple(cleaned.split("\n"))
            case list() | tuple():
                return type(value)(self.clean_value(inner) for inner in value)
        return value

    def _mask_encoded(self, found: re.Match[str]) -> str:
        """What looks like base64, masked as a whole where it holds a secret by shape or expression."""
        encoded = found[0].replace("\\/", "/").replace("-", "+").replace("_", "/")
        # Where it begins is not known: it may stand behind something else, or behind what was masked in it already.
        return MASK if any(self._is_secret(_decoded(encoded[start:])) for start in range(4)) else found[0]

    def _is_secret(self, held: str) -> bool:
        known = _without_keys(_without_shapes(held), whole=True) != held
        return known or any(pattern.search(held) for pattern in self._patterns)

    def _without_cut_off(self, text: str) -> str:
        """A value that was shortened may end in the middle of a secret, or begin there."""
        cuts = list(_CUT.finditer(text))
        cuts = cuts if len(cuts) <= 2 * _CUTS else cuts[:_CUTS] + cuts[-_CUTS:]
        pieces: list[str] = []
        end = 0
        for cut in cuts:
            head, tail = text[end : cut.start()], text[cut.end() : cut.end() + _LONGEST]
            begun = max(_begun(head, s) for s in self._starts)
            rest = max(_ended(tail, s) for s in self._starts)
            pieces += [head[: len(head) - begun], MASK if begun else "", cut[0], MASK if rest else ""]
            end = cut.end() + rest
        return "".join([*pieces, text[end:]])


class LogCleaner:
    """Masks a log that comes line by line: a private key may be spread over many of them."""

    def __init__(self, clean: Callable[[str], str]) -> None:
        self._clean = clean
        self._left = 0

    def __call__(self, line: str) -> str:
        """The line as it may be written."""
        armour = [found[1] for found in _ARMOUR.finditer(line)]
        inside = self._left > 0 and "END" not in armour
        self._left = _LONGEST_KEY if armour and armour[-1] == "BEGIN" else self._left - 1 if inside else 0
        if inside and not armour:
            return MASK
        return self._clean(line)


def _decoded(encoded: str) -> str:
    return base64.b64decode(encoded[: len(encoded) // 4 * 4]).decode("utf-8", "replace")


def _mask_groups(found: re.Match[str]) -> str:
    """The match masked, or only its groups where it has some."""
    if not found[0]:
        return ""
    spans = sorted((span for span in found.regs[1:] if span[0] >= 0), key=lambda span: (span[0], -span[1]))
    if not spans:
        return MASK
    text, end = "", found.start()
    for start, stop in spans:
        if start >= end and stop > start:
            text += found.string[end:start] + MASK
            end = stop
    return text + found.string[end : found.end()]


def _has_key_run(text: str) -> bool:
    """Whether `_KEY_RUN` is found, in a twentieth of the time."""
    return b"x" * 24 in text.encode("ascii", "replace").translate(_MARKS)


def _holds_encoded_shape(text: str) -> bool:
    return _has_key_run(text) and any(look in text for look in _ENCODED_SHAPES)


def _without_shapes(text: str) -> str:
    folded = text.casefold()
    for words, shape in _SHAPES:
        if any(word in folded for word in words):
            text = shape.sub(rf"\1{MASK}", text)
    return text


def _without_keys(text: str, *, whole: bool) -> str:
    """Without what stands in the armour of private keys. In a text that is `whole`, a key whose end was cut off
    reaches as far as the text does, and what looks like a key before an end without a beginning is one.
    """
    if "PRIVATE KEY-----" not in text:
        return text
    pieces: list[str] = []
    done = 0
    marks = list(_ARMOUR.finditer(text))
    for mark, following in zip(marks, [*marks[1:], None], strict=False):
        before = text[done : mark.start()]
        if mark[1] == "END":
            kept = before.rstrip(_KEY_CHARACTERS) if whole else before
            pieces += [kept, MASK if kept != before else "", mark[0]]
            done = mark.end()
            continue
        pieces += [before, mark[0]]
        done = mark.end()
        if text.startswith(MASK, done):
            continue
        limit = following.start() if following is not None else len(text)
        found = _KEY_TEXT.match(text, done, limit)
        # A backslash may belong to the quote behind it.
        end = limit if whole or found is None else done + len(found[0].rstrip("\\"))
        if end > done:
            pieces.append(MASK)
            done = end
    return "".join([*pieces, text[done:]])


def _begun(text: str, secret: str) -> int:
    """How many characters of the secret's beginning the text ends in; 0 where they are few."""
    text = text[-len(secret) + 1 :]
    if secret[:SHORTEST] not in text:
        return 0
    return next((n for n in range(len(text), SHORTEST - 1, -1) if text.endswith(secret[:n])), 0)


def _ended(text: str, secret: str) -> int:
    """How many characters of the secret's end the text begins with; 0 where they are few."""
    text = text[: len(secret) - 1]
    if secret[-SHORTEST:] not in text:
        return 0
    return next((n for n in range(len(text), SHORTEST - 1, -1) if text.startswith(secret[-n:])), 0)

"""Digital Twin Model Identifiers: their grammar, by DTDL version, and their parts.

Grammar: `dtmi:` label (`:` label)* [`;` version] [`#` fragment]. Labels are ASCII letters, digits and underscores; the
first character is no digit, the last no underscore. A label that begins with an underscore marks a *system*
identifier: only a parser may assign one. Authors write *user* identifiers, for which DTDL v2 demands a one-part
version and DTDL v3 and v4 take none, one part or two (specification, "Digital Twin Model Identifier").
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LABEL = r"[A-Za-z](?:[A-Za-z0-9_]*[A-Za-z0-9])?"
_SYSTEM_LABEL = r"[A-Za-z_](?:[A-Za-z0-9_]*[A-Za-z0-9])?(?<!_)"
_MAJOR = r"[1-9][0-9]{0,8}"
_MINOR = r"[1-9][0-9]{0,5}"

ANY = re.compile(
    rf"dtmi:(?P<labels>{_SYSTEM_LABEL}(?::{_SYSTEM_LABEL})*)"
    rf"(?:;(?P<major>{_MAJOR})(?:\.(?P<minor>{_MINOR}))?)?"
    rf"(?P<fragment>#(?:{_SYSTEM_LABEL})?)?",
    re.ASCII,
)
"""Every identifier, a system identifier and one with a fragment included; use with `fullmatch`."""

_ONE_PART = re.compile(rf"dtmi:{_LABEL}(?::{_LABEL})*;{_MAJOR}", re.ASCII)
_OPTIONAL = re.compile(rf"dtmi:{_LABEL}(?::{_LABEL})*(?:;{_MAJOR}(?:\.{_MINOR})?)?", re.ASCII)

USER = {2: _ONE_PART, 3: _OPTIONAL, 4: _OPTIONAL}
"""What an author may write in a definition or a reference, by DTDL version; use with `fullmatch`."""


@dataclass(frozen=True, slots=True)
class Dtmi:
    """The parts of an identifier; `major` and `minor` are 0 where the text has none, `fragment` includes its `#`."""

    text: str
    labels: tuple[str, ...]
    major: int
    minor: int
    fragment: str

    @classmethod
    def parse(cls, text: str) -> Dtmi:
        """Raises ValueError with a sentence when the text is no DTMI."""
        match = ANY.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a DTMI: write dtmi:, then labels between colons, then ;version")
        return cls(
            text,
            tuple(match["labels"].split(":")),
            int(match["major"] or 0),
            int(match["minor"] or 0),
            match["fragment"] or "",
        )

    @property
    def versionless(self) -> str:
        return f"dtmi:{':'.join(self.labels)}{self.fragment}"

    @property
    def is_system(self) -> bool:
        """Whether only a parser may assign this identifier."""
        return self.fragment.startswith("#_") or any(label.startswith("_") for label in self.labels)

    def __str__(self) -> str:
        return self.text


def split(text: str) -> tuple[str, str]:
    """The identifier without its version, and the version with its semicolon ("" where there is none)."""
    stem, semicolon, version = text.partition(";")
    return stem, semicolon + version

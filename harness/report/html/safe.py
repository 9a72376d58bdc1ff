"""What strangers wrote, made fit for a page: secrets masked, controls visible, markup inert.

A device chooses names, payloads and error texts freely. All of it passes here, once, on its way into the page: every
expression of the template by `finalize`, the texts of the charts by `svg`.

The report folder masks secrets again, in the finished page, by their shapes (`sig=...`, a private key's armour). It
knows nothing of markup there and would take the rest of a line with it; so the characters that those shapes begin with
leave here as entities, which look the same to a reader.
"""

from __future__ import annotations

from collections.abc import Callable

from markupsafe import Markup, escape

from harness.watch.content import harmless

WORD = 300
"""Characters of a stranger's single value in a line of words."""

_EQUALS, _DASH = "\ue000", "\ue001"
"""Stand-ins within SVG that is still to be serialized; `harmless` lets nobody else's through."""


class Safe:
    """`clean` masks the secrets of the run."""

    def __init__(self, clean: Callable[[str], str]) -> None:
        self._clean = clean

    def text(self, value: str) -> str:
        """Masked; line ends stay, every other control is written out (`\\u001b`)."""
        return "\n".join(harmless(line.replace("\t", "    ")) for line in self._clean(value).split("\n"))

    def line(self, value: str, most: int = WORD) -> str:
        """The same on one line, and not longer than `most` characters."""
        return clipped(harmless(self._clean(value)), most)

    def finalize(self, value: object) -> object:
        """For Jinja: what an expression of the template may become."""
        if isinstance(value, Markup):
            return value
        if value is None:
            return ""
        escaped = str(escape(self.text(str(value))))
        return Markup(escaped.replace("=", "&#61;").replace("-----BEGIN", "&#45;----BEGIN"))

    def svg(self, value: str, most: int = WORD) -> str:
        """For a text or title within an SVG that `svg_markup` serializes."""
        return self.line(value, most).replace("=", _EQUALS).replace("-----BEGIN", f"{_DASH}----BEGIN")


def svg_markup(serialized: str) -> Markup:
    """An SVG whose texts came from `Safe.svg`, as markup."""
    return Markup(serialized.replace(_EQUALS, "&#61;").replace(_DASH, "&#45;"))


def clipped(text: str, most: int = WORD) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"

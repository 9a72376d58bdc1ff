"""report.html read as a parser reads it, for tests: elements with their attributes, texts, links."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

VOID = {"meta", "br", "hr", "img", "input", "link"}


class Page(HTMLParser):
    """`elements` in the order of the text, each (tag, attributes); `unclosed` what was opened and never closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.unclosed: list[str] = []
        self.misplaced: list[str] = []
        self.comments: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.unclosed.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if self.unclosed and self.unclosed[-1] == tag:
            self.unclosed.pop()
        else:
            self.misplaced.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append((self.unclosed[-1] if self.unclosed else "", data))

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        """The attributes of every element of this tag that has these."""
        found = [attributes for name, attributes in self.elements if name == tag]
        return [a for a in found if all(a.get(k.rstrip("_")) == v for k, v in wanted.items())]

    @property
    def ids(self) -> list[str]:
        return [a["id"] for _, a in self.elements if "id" in a]

    @property
    def links(self) -> list[str]:
        return [a["href"] for _, a in self.elements if "href" in a]

    @property
    def text(self) -> str:
        """What a reader sees."""
        return " ".join(" ".join(data for tag, data in self.texts if tag not in ("style", "script")).split())

    def addresses(self) -> Iterator[str]:
        """Every attribute by which a page can fetch something."""
        for _, attributes in self.elements:
            for name in ("src", "href", "xlink:href", "action", "data", "poster", "srcset", "background", "formaction"):
                if name in attributes:
                    yield attributes[name]

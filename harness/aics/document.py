"""The outer shape of a test-case file: what the service answered is an object, what it took is the bare list.

Items are kept as they were read, with every key that nobody here knows, so that writing one back loses nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

LIST_KEY = "certificationBadgeTestCases"


class TestCasesError(Exception):
    """A test-case file that cannot be used. `problems` holds a sentence for each thing that is wrong."""

    __test__ = False  # not a test, for all that pytest sees its name

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Document:
    """The badge items of a file, in order; `is_list` where the file is the bare list."""

    items: tuple[Mapping[str, Any], ...]
    is_list: bool = False
    rest: tuple[tuple[str, Any], ...] = ()
    """Keys beside the list of items, in the object shape."""

    @classmethod
    def parse(cls, text: str) -> Document:
        """Raises TestCasesError where the text has neither shape."""
        try:
            content = json.loads(text)
        except json.JSONDecodeError as e:
            raise TestCasesError(f"it is not JSON: {e.msg} in line {e.lineno}, column {e.colno}.") from None
        except RecursionError:
            raise TestCasesError("it is nested too deeply to be read.") from None
        is_list = isinstance(content, list)
        if not is_list and not isinstance(content, dict):
            raise TestCasesError(f"an object with `{LIST_KEY}`, or the list in it, is expected.")
        if not is_list and LIST_KEY not in content:
            raise TestCasesError(f"it has no `{LIST_KEY}`; the object that holds it, or the list itself, is expected.")
        items = content if is_list else content[LIST_KEY]
        if not isinstance(items, list):
            raise TestCasesError(f"`{LIST_KEY}` must be a list.")
        for number, item in enumerate(items):
            if not isinstance(item, dict):
                raise TestCasesError(f"{LIST_KEY}[{number}] must be an object with a `type`.")
        rest = () if is_list else tuple((k, v) for k, v in content.items() if k != LIST_KEY)
        return cls(tuple(items), is_list, rest)

    def text(self, *, as_list: bool | None = None) -> str:
        """The document as JSON: in the shape it was read in, or in the one asked for."""
        bare = self.is_list if as_list is None else as_list
        content: Any = list(self.items) if bare else {**dict(self.rest), LIST_KEY: list(self.items)}
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"

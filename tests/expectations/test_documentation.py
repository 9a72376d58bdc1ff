"""The example in the documentation is a file that the harness takes, and it names every key."""

from __future__ import annotations

import re
import sys

from harness.expectations import read
from harness.expectations.fields import FIELDS
from tests.paths import REPO

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PAGE = (REPO / "docs" / "preflight.toml.md").read_text(encoding="utf-8")


def test_the_example_is_valid_and_names_every_key() -> None:
    found = re.search(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    assert found
    tables = tomllib.loads(found[1])
    assert read(tables).problems == ()
    for table, known in FIELDS.items():
        content = tables[table]
        said = content if table == "waivers" else [content] if table == "device" else content.values()
        missing = set(known) - {key for row in said for key in row}
        # Keys that mean the same for every element are shown once.
        assert missing <= {"implemented", "judged", "required"}, (table, missing)

"""Where the tests find things that are not in the package."""

from pathlib import Path

import pytest

REPO = Path(__file__).parents[1]
SHARED = REPO.parent / "shared"
"""Optional test data beside the checkout; nothing in the project needs it."""

needs_shared_dtdl = pytest.mark.skipif(
    not (SHARED / "dtdl").is_dir(), reason="the DTDL test data is not beside this checkout"
)

"""The one error of bundles."""

from __future__ import annotations


class BundleError(Exception):
    """A bundle cannot be made, or is not what it should be. The text says what is wrong and what to do."""

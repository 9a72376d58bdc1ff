"""Testing in the user's own Azure subscription. Nothing of this is imported for the local target."""

from __future__ import annotations

from harness.target.azure.access import services
from harness.target.azure.target import AzureTarget

__all__ = ["AzureTarget", "services"]

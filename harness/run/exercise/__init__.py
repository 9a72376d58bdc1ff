"""What the harness does with a connected device, all at once: watch its telemetry and read-only
properties, set its writable properties, invoke its commands. Everything ends as events."""

from __future__ import annotations

from harness.run.exercise.exercise import Exercise

__all__ = ["Exercise"]

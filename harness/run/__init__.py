"""A run: open the target, start the device, exercise it, judge the record."""

from harness.run.run import Run

__all__ = ["Run"]

"""The checks: requirement by requirement, (model, record, settings) → findings. No I/O, no clock, no pytest."""

# Importing a module registers its checks; the order is the suite's.
from harness.checks import provisioning, model, telemetry, properties, commands  # noqa: F401, I001
from harness.checks.evidence import Evidence
from harness.checks.registry import CHECKS, Check, Judgement, cases, judge

__all__ = ["CHECKS", "Check", "Evidence", "Judgement", "cases", "judge"]

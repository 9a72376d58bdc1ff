"""The checks: requirement by requirement, (model, record, expectations) → findings. No I/O, no clock, no pytest."""

# Importing a module registers its checks; the order is the suite's.
from harness.checks import provisioning, connection, model, expectations, telemetry, messages  # noqa: F401, I001
from harness.checks import properties, reporting, desired, commands, wrong, c2d, deviceinfo, twins  # noqa: F401
from harness.checks import central, edge  # noqa: F401
from harness.checks import resilience_hub, resilience_refused, resilience_twin, resilience_dps, security  # noqa: F401
from harness.checks.evidence import Evidence
from harness.checks.registry import CHECKS, Check, Judgement, cases, judge

__all__ = ["CHECKS", "Check", "Evidence", "Judgement", "cases", "judge"]

"""What a run leaves for a person to judge: requirements that nothing on the wire can show, or that this run did not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.checks import requirements
from harness.checks.edge import MANUAL
from harness.dtdl.defaults import is_public
from harness.record import events as ev
from harness.verdict import Outcome

if TYPE_CHECKING:
    from harness.run import Run

_JUDGED = (Outcome.PASSED, Outcome.WARNING, Outcome.FAILED)


def manual(run: Run) -> list[dict[str, str]]:
    """`requirement` and `task` of each, the programme's own first.

    Those of Edge Managed and Edge Secured-core only in a run that looked at them: the full profile does.
    """
    found = [("IoTPnP.Physicaldevice", "Set up by its getting-started guide, the device does what this run saw.")]
    judged = {r.requirement for r in run.results.values() if r.outcome in _JUDGED}
    if requirements.RECOMPILE not in judged:
        task = "The ID scope and other connection settings are configured, not compiled in; the full profile tries it."
        found.append((requirements.RECOMPILE, task))
    resolved = run.evidence.final(ev.ModelResolved)
    if resolved is None or not all(map(is_public, resolved[1].sources.values() or [resolved[1].location])):
        task = "The model and all its interfaces are published in the public device model repository."
        found.append((requirements.MODEL_REPO, task))
    if run.profile == "full":
        found += [(m.requirement, m.look_at) for m in MANUAL]
    return [{"requirement": requirement, "task": task} for requirement, task in found]

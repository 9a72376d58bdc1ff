"""The seeded faults: for every check devices that fail it, with all that must be found of each.

A finding that is no error and no warning is left out, as is what is blocked by the one cause.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.seeded.library.commanding import COMMANDS
from tests.seeded.library.connecting import CONNECTION
from tests.seeded.library.provisioning import PROVISIONING
from tests.seeded.library.resisting import RESILIENCE
from tests.seeded.library.sending import TELEMETRY
from tests.seeded.library.stating import MODELS, STATED
from tests.seeded.library.twinning import ACKNOWLEDGEMENTS, PROPERTIES
from tests.seeded.seed import Seed, check_of

SEEDS: Sequence[Seed] = (
    *PROVISIONING,
    *CONNECTION,
    *MODELS,
    *STATED,
    *TELEMETRY,
    *PROPERTIES,
    *ACKNOWLEDGEMENTS,
    *COMMANDS,
    *RESILIENCE,
)

NEVER_FAILED: Mapping[str, str] = {
    "edge_tls": "The target refuses what is older than TLS 1.2 at the handshake, which `registers_through_dps` finds; "
    "cipher suites that are not offered are a note.",
    "edge_runtime": "It says that the IoT Edge runtime connected, or that nothing is to be seen of it.",
    "edge_identity": "It says that a TPM was used, or that none was; a TPM that DPS refuses fails "
    "`registers_through_dps`.",
}
"""Checks that no device can fail, and why."""


def core(seeds: Sequence[Seed] = SEEDS) -> list[Seed]:
    """The fewest of the quick seeds that fail every check between them, as far as taking the best first finds them."""
    left = {check_of(case) for seed in seeds for case in seed.cases if not seed.slow}
    chosen: list[Seed] = []
    while left:
        best = max((s for s in seeds if not s.slow), key=lambda s: len({check_of(c) for c in s.cases} & left))
        chosen.append(best)
        left -= {check_of(case) for case in best.cases}
    return chosen

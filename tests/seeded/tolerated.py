"""What is right though unusual: devices in the field do it, and nothing may be found in it.

Where the published answer is a warning (a valid value refused, a partial acknowledgement, arrays for IoT Central) the
device is among the seeds of the library, where that warning and nothing else is expected.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.device.simulator.oddities import ODDITIES
from tests.seeded.seed import STATION, Seed

ODD_MODEL = "dtmi:test:seed:Odd;1"


def _good(name: str, *oddities: str, sdk: bool = False, model: str = STATION, **rest: Any) -> Seed:
    words = [] if sdk else ["--raw"]
    words += [f"--model-id {model}"] if rest.get("discovers") else []
    return Seed(
        name, " ".join([*words, "--interval 0.5 --retry 0.2", *(f"--fault {o}" for o in oddities)]), model=model, **rest
    )


_TRIALS = {"odd-probe": ("refuses_unknown_ca",)}
"""What is unusual matters in these trials, by oddity."""

TOLERATED: Sequence[Seed] = (
    _good("good"),
    _good("good-on-sdk", sdk=True),
    _good("good-discovered", discovers=True),
    _good("good-all-schemas", model=ODD_MODEL),
    _good("good-on-sdk-all-schemas", sdk=True, model=ODD_MODEL),
    _good("good-device-information", model="dtmi:test:seed:Informed;1"),
    _good("good-reboot", model="dtmi:test:seed:Rebooting;1"),
    _good(
        "good-without-telemetry",
        model="dtmi:test:seed:Quiet;1",
        trials=("survives_twin_errors", "reconnects_after_cut"),
    ),
    _good("good-components-alike", model="dtmi:test:seed:Pair;1"),
    _good(
        "good-as-stated",
        "odd-c2d",
        stated="[device]\nc2d = true\nmessages = 3\n\n[telemetry.temperature]\ncount = 2\nrequired = true\n\n"
        "[commands.measure]\npayload = 3\n\n[commands.sync]\ntimeout = 600\n\n[properties.interval]\nvalues = [5, 6]\n",
    ),
    _good(
        "good-waived",
        "telemetry-undeclared",
        stated='[[waivers]]\nfinding = "telemetry-undeclared"\nowner = "somebody"\nreason = "known"\n'
        "expires = 2999-12-31\n",
    ),
    *(_good(name, name, trials=_TRIALS.get(name, ())) for name in ODDITIES),
    _good("odd-no-duration", "odd-no-duration=span", model=ODD_MODEL),
    _good("odd-backslashes", "odd-backslashes=path", model=ODD_MODEL),
    _good("odd-offset", "odd-offset=moment", model=ODD_MODEL),
    _good("odd-quiet-start", "odd-quiet-start"),
    _good("odd-response", "command-response-undeclared=sync"),
    _good("odd-empty-response", "odd-empty-response"),
    _good(
        "odd-in-many-ways",
        "odd-model-encoded",
        "odd-clean-session",
        "odd-own-will",
        "odd-c2d",
        "odd-quiet-start",
        "odd-result-later",
    ),
)
"""Each by itself, and some together, which stand for all of them where time is short."""

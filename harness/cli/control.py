"""Asking a running emulator, at its control endpoint, how things are."""

from __future__ import annotations

import json
from typing import Any
from urllib.error import URLError
from urllib.request import ProxyHandler, build_opener

_ANSWER_SECONDS = 10.0


class Unreachable(Exception):
    """The emulator does not answer. The text is a sentence that says what to do."""


def fetch(control: str, path: str) -> Any:
    """What the endpoint `control` answers to a GET of this path. Raises Unreachable."""
    # A proxy that the environment names is for other machines.
    opener = build_opener(ProxyHandler({}))
    try:
        with opener.open(control.rstrip("/") + path, timeout=_ANSWER_SECONDS) as response:
            return json.loads(response.read())
    except (URLError, OSError) as error:
        reason = getattr(error, "reason", None) or error
        raise Unreachable(
            f"No emulator of this version can be reached at {control}: {reason}. Start `preflight emulator`, or give "
            "the address it calls control with --emulator."
        ) from None
    except ValueError:
        raise Unreachable(f"What answers at {control} is not the control endpoint of an emulator.") from None

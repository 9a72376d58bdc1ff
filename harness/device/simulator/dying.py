"""How a faulty device comes to its end in the middle of something."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

DIED = 7
"""The exit code of a device that dies of something."""


class Away(BaseException):
    """The device lets go of its connection and does nothing more, though its program runs."""


def die(why: str) -> NoReturn:
    """End the program at once."""
    print(f"fault: dies of {why}", file=sys.stderr, flush=True)
    os._exit(DIED)

"""The tests, and the processes that they start, find the same environment whoever runs them."""

from __future__ import annotations

import os

_TERMINAL = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "PY_COLORS", "CLICOLOR", "CLICOLOR_FORCE")
"""Its size and its colours: no test has one unless it says so."""
_PROXIES = {"HTTP_PROXY": "proxy", "HTTPS_PROXY": "https_proxy", "ALL_PROXY": "", "NO_PROXY": "noproxy"}
"""They know no address of this machine. npm, which fetches Microsoft's SDK for Node, is left them by its own names."""


def _take(name: str) -> str | None:
    found = [os.environ.pop(spelling, None) for spelling in (name, name.lower())]
    return found[0] or found[1]


for _name in _TERMINAL:
    _take(_name)
for _name, _of_npm in _PROXIES.items():
    _value = _take(_name)
    if _value and _of_npm:
        os.environ.setdefault(f"npm_config_{_of_npm}", _value)

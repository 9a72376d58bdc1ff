"""Mends the folder that pytest takes for its root.

pytest looks for its root and its ini file before it knows the options of plugins, and then takes the value of
such an option for a test path if it exists: `pytest --models ../models` would run without our pytest.ini. Once
our options are known the search is made again, with the real test paths. pytest has no public way to do so;
where its insides have changed, the search is left as it was.
"""

from __future__ import annotations

import contextlib
import inspect
from typing import Any

import pytest


def mend(config: pytest.Config, args: list[str]) -> None:
    """Search root and ini file again; options of an ini file found only now are put before `args`."""
    internal: Any = config
    before = config.inipath
    with contextlib.suppress(ImportError, AttributeError, TypeError, ValueError):
        from _pytest.config.findpaths import determine_setup

        known = internal.known_args_namespace
        given = {
            "inifile": known.inifilename,
            "override_ini": known.override_ini,
            "args": known.file_or_dir,
            "rootdir_cmd_arg": known.rootdir or None,
            "invocation_dir": config.invocation_params.dir,
        }
        accepted = inspect.signature(determine_setup).parameters
        root, ini, values, *_ = determine_setup(**{k: v for k, v in given.items() if k in accepted})
        if (root, ini) == (config.rootpath, before):
            return
        internal._rootpath, internal._inipath = root, ini
        setattr(internal, "_inicfg" if hasattr(internal, "_inicfg") else "inicfg", values)
        internal._inicache.clear()
        internal._parser.extra_info.update(rootdir=str(root), inifile=str(ini))
    if config.inipath != before:
        args[:0] = config.getini("addopts")

"""fleet.html: the devices of a fleet on one page, each with a link to its own report."""

from __future__ import annotations

import os
import urllib.parse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.fleet.summary import counted, said


def page(summary: Mapping[str, Any], folder: Path) -> str:
    """The page as HTML, to lie in `folder`; it needs nothing from a network."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    templates = FileSystemLoader(Path(__file__).parent / "templates")
    environment = Environment(loader=templates, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    devices = [
        {**device, "said": said(device), "counted": counted(device["cases"]), "link": _link(device, folder)}
        for device in summary["devices"]
    ]
    ids = [row["id"] for row in summary["requirements"]]
    outcomes = [{row["id"]: row["outcome"] for row in device["requirements"]} for device in devices]
    return environment.get_template("fleet.html").render(
        verdict=summary["verdict"],
        version=summary["version"],
        devices=devices,
        requirements=[(id_, [of.get(id_, "–") for of in outcomes]) for id_ in ids],
    )


def _link(device: Mapping[str, Any], folder: Path) -> str:
    """To the device's report.html where there is one; empty otherwise."""
    # The folder may not be there yet, and then `..` in it leads nowhere: the way is shortened first.
    if device["reports"] is None or not Path(os.path.normpath(folder / device["reports"] / "report.html")).is_file():
        return ""
    return urllib.parse.quote(f"{device['reports']}/report.html")

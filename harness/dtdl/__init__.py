"""The Digital Twins Definition Language (DTDL v2, v3, v4): parse, validate, look into, and check data against models.

Names load on first use, so that `import harness.dtdl` costs nothing to a program that only names an exception.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.dtdl.errors import ModelError, ParsingError, ResolutionError
    from harness.dtdl.model import Capability, Element, Model
    from harness.dtdl.parser import parse
    from harness.dtdl.payload import NotInstantiable, Problem, check_instance, check_value, decode
    from harness.dtdl.repository import ModelNotFound, Repository
    from harness.dtdl.sampling import invalid_samples, sample, samples

_HOME = {
    "ModelError": "harness.dtdl.errors",
    "ParsingError": "harness.dtdl.errors",
    "ResolutionError": "harness.dtdl.errors",
    "Capability": "harness.dtdl.model",
    "Element": "harness.dtdl.model",
    "Model": "harness.dtdl.model",
    "parse": "harness.dtdl.parser",
    "NotInstantiable": "harness.dtdl.payload",
    "Problem": "harness.dtdl.payload",
    "check_instance": "harness.dtdl.payload",
    "check_value": "harness.dtdl.payload",
    "decode": "harness.dtdl.payload",
    "ModelNotFound": "harness.dtdl.repository",
    "Repository": "harness.dtdl.repository",
    "invalid_samples": "harness.dtdl.sampling",
    "sample": "harness.dtdl.sampling",
    "samples": "harness.dtdl.sampling",
}

__all__ = [
    "Capability",
    "Element",
    "Model",
    "ModelError",
    "ModelNotFound",
    "NotInstantiable",
    "ParsingError",
    "Problem",
    "Repository",
    "ResolutionError",
    "check_instance",
    "check_value",
    "decode",
    "invalid_samples",
    "parse",
    "sample",
    "samples",
]


def __getattr__(name: str) -> object:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
